#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks.
#
#   setup.sh        Kamailio, its modules, clients for the tests, compilers
#   setup.sh build  the compilers only: KAMAILIO_SRC names the Kamailio to build for
#   setup.sh fuzz   cargo-fuzz and the C++ compiler that it wants
#   setup.sh deb    cargo-deb and what it calls
#   setup.sh memory valgrind; AddressSanitizer comes with the C compiler
#   setup.sh server what building a Kamailio from its sources wants
#
# Where nothing is missing it asks the package database once and says nothing.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
what=${1:-all}

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# An edition or a rust-version that cargo does not know ends in messages that
# say little to somebody who only wants the modules.
check_rust() {
    local wanted have
    command -v "${CARGO:-cargo}" >/dev/null || fail \
        "cargo is missing. Install a stable Rust with rustup;" \
        "what Debian packages is too old."
    wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$root/Cargo.toml")
    have=$("${CARGO:-cargo}" --version | cut -d' ' -f2)
    [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" = "$wanted" ] || fail \
        "cargo is $have, the modules need Rust $wanted or newer: rustup update stable"
}

# libclang's package has the compiler's own headers too, which the bare library
# lacks, so it is asked for as a package and not looked for as a file.
wanted=(gcc libc6-dev libclang-dev make)
case $what in
build) ;;
fuzz) wanted=(g++) ;;
deb) wanted=(dpkg-dev) ;;
memory) wanted=(gcc valgrind) ;;
server) wanted+=(bison flex liblua5.1-0-dev libpcre2-dev libsctp-dev libssl-dev libunistring-dev libxml2-dev pkgconf) ;;
all)
    wanted+=(curl iproute2 kamcli socat strace)
    if [ -z "${KAMAILIO_BIN:-}" ]; then
        wanted+=(kamailio kamailio-extra-modules kamailio-lua-modules
            kamailio-tls-modules kamailio-websocket-modules)
    fi
    ;;
*) fail "what is \"$what\"?" ;;
esac

check_rust

if ! command -v apt-get >/dev/null; then
    # Not Debian: whoever runs this knows better how its packages are called.
    for program in cc make; do
        command -v "$program" >/dev/null || fail "$program is missing, and there is no apt-get"
    done
else
    missing=()
    for package in "${wanted[@]}"; do
        # shellcheck disable=SC2016 # the braces are dpkg-query's
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [[ $status == installed* ]] || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        as_root=(env DEBIAN_FRONTEND=noninteractive)
        if [ "$(id -u)" != 0 ]; then
            command -v sudo >/dev/null || fail \
                "not root, and no sudo; as root run: apt-get install ${missing[*]}"
            as_root=(sudo "${as_root[@]}")
        fi
        echo "setup: installing ${missing[*]}"
        "${as_root[@]}" apt-get update -qq
        "${as_root[@]}" apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null
    fi
fi

# Commands of cargo's that are crates.
case $what in
fuzz | deb)
    if ! "${CARGO:-cargo}" "$what" --version >/dev/null 2>&1; then
        echo "setup: installing cargo-$what" >&2
        "${CARGO:-cargo}" install --quiet --locked "cargo-$what"
    fi
    ;;
esac
