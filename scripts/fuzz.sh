#!/usr/bin/env bash
# Fuzzes every parser for some time, two at once, from the inputs in fuzz/corpus.
#
#   fuzz.sh SECONDS  runs the fuzzers; new inputs stay in fuzz/found, and a failing
#                    input in fuzz/artifacts
#   fuzz.sh keep     adds to fuzz/corpus those inputs of fuzz/found that reach code
#                    which no input there reaches
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cargo=${CARGO:-cargo}
what=${1:?seconds, or keep}
cd "$root/fuzz"

host=$("${RUSTC:-rustc}" -vV | sed -n 's/^host: //p')
programs=${CARGO_TARGET_DIR:-target}/$host/release
read -r -d '' -a names < <("$cargo" fuzz list && printf '\0')

# This uses no sanitizer, because the parsers forbid unsafe code; stable Rust is then
# enough.
CARGO_TERM_QUIET=true "$cargo" fuzz build -s none

run() {
    local name=$1 log=found/$1.log
    mkdir -p "found/$name" "artifacts/$name"
    if "$programs/$name" "-max_total_time=$seconds" -print_final_stats=1 -timeout=10 \
        "-artifact_prefix=artifacts/$name/" "found/$name" "corpus/$name" >"$log" 2>&1; then
        awk -v name="$name" '
            match($0, /cov: [0-9]+/) { cov = substr($0, RSTART + 5, RLENGTH - 5) }
            /number_of_executed_units/ { runs = $NF }
            END { printf "%-12s %10d inputs, %d places in the code reached, no failure\n", name, runs, cov }
        ' "$log"
    else
        tail -n 40 "$log" >&2
        printf 'fuzz: %s fails; the input is in fuzz/artifacts/%s\n' "$name" "$name" >&2
        return 1
    fi
}

# Counting how often a place is reached would keep ten times as many inputs.
keep() {
    local name=$1
    "$programs/$name" -merge=1 -use_counters=0 -max_len=512 "corpus/$name" "found/$name" 2>&1 |
        grep 'MERGE-OUTER: [0-9]* new files'
}

if [ "$what" = keep ]; then
    for name in "${names[@]}"; do keep "$name"; done
    exit
fi

seconds=$what
export seconds programs
export -f run
printf '%s\n' "${names[@]}" | xargs -P 2 -I{} bash -c 'set -o pipefail; run {}'
