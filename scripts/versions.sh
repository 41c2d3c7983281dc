#!/usr/bin/env bash
# Runs the live tests against Kamailio versions that are not installed. It builds the
# server, the C modules that the tests load, and ours for that server, and tests
# the C modules and ours beside each other.
#
#   versions.sh test TARGET-DIRECTORY [SOURCE-TREE]   runs all live tests; the results
#                    go into docs/versions.json and into README.md
#   versions.sh load TARGET-DIRECTORY                 only checks whether the modules
#                    load in a server of 6.0.1 and answer
#
# Without a tree this builds Debian's source package of 6.0.1 twice, with make and with
# CMake. BUILD=make or BUILD=cmake asks for one of the two; a tree is built with
# make unless BUILD says otherwise.
set -euo pipefail

. "$(dirname "$0")/common.sh"
cargo=${CARGO:-cargo}
version=6.0.1

[ $# -ge 2 ] || fail "usage: versions.sh test|load TARGET-DIRECTORY [SOURCE-TREE]"
what=$1
target=$2
sources=${3:-$version}

# make must not see the variables of a make that runs this script, such as a
# KAMAILIO_SRC on its command line.
plainly() {
    env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL "$@"
}

# Builds a server and our modules for it, and sets $server and $built. Of the C modules
# it builds those that the tests in these files name, or by default all tests.
build() { # make|cmake TESTS...
    server=$("$root/scripts/server.sh" "$sources" "$@" | tail -n 1)
    built=$target/versions/$(basename "$server")
    plainly env CARGO_TARGET_DIR="$built" KAMAILIO_SRC="$server/source" KAMAILIO_BIN="$server/kamailio" \
        make -C "$root" modules examples
}

# Runs cargo with that server, its C modules and ours.
with_server() {
    plainly env LD_LIBRARY_PATH="$server/lib" KAMAILIO_SRC="$server/source" \
        KAMAILIO_BIN="$server/kamailio" KAMAILIO_MODULES="$server/modules" \
        KAMAILIO_RS_MODULES="$built/modules" "$@"
}

versions() {
    "$cargo" run --quiet -p kamailio-tests --bin versions -- "$@"
}

run() {
    local skipped=() name status=0
    build "$1"
    while read -r name; do skipped+=(--skip "$name"); done < <(versions left-out "$server/origin" "$1")
    with_server "$cargo" test --quiet -p kamailio-tests -- --list >"$built/list"
    with_server "$cargo" test -p kamailio-tests --no-fail-fast -- "${skipped[@]}" 2>&1 |
        tee "$built/log" || status=$?
    versions record "$server/origin" "$1" "$built/list" "$built/log"
    return "$status"
}

case $what in
load)
    # Building all modules would take longer than everything that is done with the server.
    build "${BUILD:-make}" "$root/tests/modules/loaded.rs"
    with_server "$cargo" test -p kamailio-tests --test modules -- loaded::
    ;;
test)
    # The tests of the build read this version's sources whatever server is tested.
    "$root/scripts/headers.sh" "$version"
    "$root/scripts/setup.sh" run test cmake
    ways=("${BUILD:-make}")
    [ -n "${3:-}${BUILD:-}" ] || ways=(make cmake)
    failed=()
    for way in "${ways[@]}"; do run "$way" || failed+=("$way"); done
    [ ${#failed[@]} = 0 ] || fail "tests fail with the server built with ${failed[*]}"
    ;;
*) fail "what is \"$what\"?" ;;
esac
