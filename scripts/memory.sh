#!/usr/bin/env bash
# Runs the live tests with a memory checker that watches each server with our
# modules, and judges the checker's reports.
#
#   memory.sh sanitize|valgrind TARGET MODULES EXAMPLES
#
# TARGET is a directory to build into. It must not be used for anything else, because
# the compiler flags differ. MODULES and EXAMPLES are packages.
#
# sanitize  compiles our modules and the C glue for AddressSanitizer; the server and
#           its C modules run as they are, with that library preloaded
# valgrind  runs everything as it is, and looks for leaks when a process ends
set -euo pipefail

. "$(dirname "$0")/common.sh"
cargo=${CARGO:-cargo}
what=$1
target=$2
read -r -a modules <<<"$3"
read -r -a examples <<<"$4"
suites=(ctl ctl_transports faults jsonrpcs mi_datagram modules tcpops)
reports=$target/reports
cd "$root"

# Each process writes a file of its own, whatever its user and group are.
make_reports() {
    rm -rf "$reports"
    mkdir -p "$reports"
    chmod 1777 "$reports"
}

# Prints the command that starts a server.
launcher() {
    case $what in
    sanitize)
        # The sanitizer keeps freed memory back, but not so much that the tests of
        # what a handler holds count it as ours.
        local options=detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=1
        echo "env LD_PRELOAD=$(gcc -print-file-name=libasan.so)" \
            "ASAN_OPTIONS=$options:quarantine_size_mb=4:log_path=$reports/address"
        ;;
    valgrind)
        # Uninitialised values are not checked, because valgrind records writes for
        # each process alone and misses those of others to shared memory.
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
        # Stable Rust has the option, too, but hides it.
        flags=(RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address
            "CFLAGS_${host//-/_}=-fsanitize=address -fno-omit-frame-pointer -g")
    fi
    # With a named target, the flags do not apply to build scripts.
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

# Prints the tests that are left out. It fails for a name that no test has, because
# the list is then out of date.
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
# Two tests run at once, because a server has up to thirty processes, all of which
# start slowly.
env KAMAILIO_RS_CHECKER="$(launcher)" KAMAILIO_RS_SLOWNESS="$slowness" \
    KAMAILIO_RS_MODULES="$target/modules" \
    "$cargo" test -p kamailio-tests --no-fail-fast "${suites[@]/#/--test=}" -- \
    --test-threads 2 --exact "${skipped[@]}" || status=$?
"$cargo" run --quiet -p kamailio-tests --bin memory_reports -- "$reports" "$target/modules" ||
    status=$?
echo "memory: $((${#skipped[@]} / 2)) tests are left out, see tests/unwatched.txt"
exit "$status"
