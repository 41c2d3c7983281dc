#!/usr/bin/env bash
# Runs the live tests with a memory checker that watches each server with our
# modules, and judges what it wrote.
#
#   memory.sh sanitize|valgrind TARGET MODULES EXAMPLES
#
# TARGET is a directory to build into, of its own, for the compiler flags differ.
# MODULES and EXAMPLES are packages.
#
# sanitize  our modules and the C glue are compiled for AddressSanitizer; the
#           server and its C modules run as they are, with its library preloaded
# valgrind  everything runs as it is, leaks are looked for where a process ends
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cargo=${CARGO:-cargo}
what=$1
target=$2
read -r -a modules <<<"$3"
read -r -a examples <<<"$4"
suites=(ctl ctl_transports faults jsonrpcs mi_datagram modules tcpops)
reports=$target/reports
cd "$root"

fail() {
    printf 'memory: %s\n' "$@" >&2
    exit 1
}

# A handler, its user and its group may be any: each writes its own file.
make_reports() {
    rm -rf "$reports"
    mkdir -p "$reports"
    chmod 1777 "$reports"
}

# Prints how a server is started.
launcher() {
    case $what in
    sanitize)
        # Freed memory is kept back, but not so much that the tests of what a
        # handler holds take it for ours.
        local options=detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=1
        echo "env LD_PRELOAD=$(gcc -print-file-name=libasan.so)" \
            "ASAN_OPTIONS=$options:quarantine_size_mb=4:log_path=$reports/address"
        ;;
    valgrind)
        # No look at values that were never written: it keeps that book in each
        # process, where what another one wrote into shared memory is missing.
        echo "valgrind -q --vgdb=no --error-limit=no --num-callers=30 --keep-debuginfo=yes" \
            "--undef-value-errors=no" \
            "--leak-check=full --show-leak-kinds=definite,indirect" \
            "--xml=yes --xml-file=$reports/valgrind.%p.xml"
        ;;
    esac
}

build() {
    local name packages=() flags=() host built
    for name in "${modules[@]}" "${examples[@]}"; do packages+=(-p "$name"); done
    host=$("${RUSTC:-rustc}" -vV | sed -n 's/^host: //p')
    built=$target/$host/checked
    if [ "$what" = sanitize ]; then
        # Stable Rust has the option, too, but not for everybody.
        flags=(RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address
            "CFLAGS_${host//-/_}=-fsanitize=address -fno-omit-frame-pointer -g")
    fi
    # Where the target is named, the flags are not for build scripts.
    env "${flags[@]}" "$cargo" build --profile checked --target "$host" --target-dir "$target" \
        "${packages[@]}"
    install -d "$target/modules/examples"
    for name in "${modules[@]}"; do
        install -C -m 644 "$built/lib$name.so" "$target/modules/$name.so"
    done
    for name in "${examples[@]}"; do
        install -C -m 644 "$built/lib$name.so" "$target/modules/examples/$name.so"
    done
}

# Prints the tests that are left out, and complains of one that does not exist:
# then the list is old.
left_out() {
    local known checkers name
    known=$("$cargo" test --quiet -p kamailio-tests "${suites[@]/#/--test=}" -- --list)
    while read -r checkers name _; do
        [[ $checkers != '#'* && ,$checkers, == *,$what,* ]] || continue
        grep -qx "$name: test" <<<"$known" || fail "tests/unwatched.txt has no test's name: $name"
        echo "$name"
    done <tests/unwatched.txt
}

[[ $target != *[[:space:]]* ]] || fail "a directory's name has a blank: $target"
case $what in
sanitize) slowness=2 ;;
valgrind) slowness=10 ;;
*) fail "what is \"$what\"?" ;;
esac

build
make_reports
skipped=()
unwatched=$(left_out)
for name in $unwatched; do skipped+=(--skip "$name"); done

status=0
# Two at once: a server has up to thirty processes, and all of them start slowly.
env KAMAILIO_RS_CHECKER="$(launcher)" KAMAILIO_RS_SLOWNESS="$slowness" \
    KAMAILIO_RS_MODULES="$target/modules" \
    "$cargo" test -p kamailio-tests --no-fail-fast "${suites[@]/#/--test=}" -- \
    --test-threads 2 --exact "${skipped[@]}" || status=$?
"$cargo" run --quiet -p kamailio-tests --bin memory_reports -- "$reports" "$target/modules" ||
    status=$?
echo "memory: $((${#skipped[@]} / 2)) tests are left out, see tests/unwatched.txt"
exit "$status"
