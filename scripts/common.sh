# What the scripts have in common. Each reads this file at its start.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Prints these lines on standard error, each behind the name of the script, and ends it.
fail() {
    local name=${0##*/}
    printf '%s\n' "${@/#/${name%.sh}: }" >&2
    exit 1
}

# Prints the oldest series of Kamailio that the modules can be built for.
oldest_kamailio() {
    sed -n 's/^const OLDEST: &str = "\(.*\)";$/\1/p' "$root/build/server.rs"
}
