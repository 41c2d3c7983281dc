#!/usr/bin/env bash
# Runs the live tests against Kamailio versions that are not installed: builds the
# server and the C modules that the tests load, builds ours for it, and lets both
# stand beside each other.
#
#   versions.sh test TARGET-DIRECTORY [SOURCE-TREE]   all live tests; what came out
#                    goes into docs/versions.json and into README.md
#   versions.sh load TARGET-DIRECTORY                 only whether the modules load
#                    in a server of 6.0.1 and answer
#
# Without a tree it is Debian's source package of 6.0.1, built with make and built
# with CMake. BUILD=make or BUILD=cmake asks for one of them; a tree is built with
# make unless it says otherwise.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cargo=${CARGO:-cargo}
version=6.0.1

fail() {
    printf 'versions: %s\n' "$@" >&2
    exit 1
}

[ $# -ge 2 ] || fail "usage: versions.sh test|load TARGET-DIRECTORY [SOURCE-TREE]"
what=$1
target=$2
sources=${3:-$version}

# make is not to see the variables of the one that runs this, such as KAMAILIO_SRC
# on its command line.
plainly() {
    env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL "$@"
}

# Sets $server and $built, and builds for both: the C modules that all tests name, or
# those of some files.
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
    # All modules would take longer than all that is done with the server.
    build "${BUILD:-make}" "$root/tests/modules/loaded.rs"
    with_server "$cargo" test -p kamailio-tests --test modules -- loaded::
    ;;
test)
    # The tests of the build read this one whatever server is tested.
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
