#!/usr/bin/env bash
# Installs what this machine lacks, and names it first.
#
#   setup.sh PART...
#
#   build   for `make`: a C compiler, libclang, and a Kamailio to build for, unless
#           one is installed or KAMAILIO_SRC names its sources
#   run     for `make run`: a server, and the clients in the commands that it prints
#   test    for `make test`: Kamailio's further modules, and clients
#   fuzz    cargo-fuzz and the C++ compiler that it needs
#   deb     the tools that make a Debian package
#   memory  valgrind; AddressSanitizer comes with the C compiler
#   server  what a build of Kamailio from its sources needs
#   cmake   CMake, for servers that were built with it
#
# Additional commands for cargo go into .deps/tools. If nothing is missing, this only
# asks the package database and prints nothing.
set -euo pipefail

. "$(dirname "$0")/common.sh"
cargo=${CARGO:-cargo}
PATH=$PATH:$root/.deps/tools/bin:/usr/local/sbin:/usr/sbin

# A cargo that is too old fails with messages that say little to somebody who only
# wants the modules.
check_rust() {
    local wanted have
    wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$root/Cargo.toml")
    command -v "$cargo" >/dev/null || fail \
        "cargo is missing: install a stable Rust, $wanted or newer, with rustup"
    have=$("$cargo" --version | cut -d' ' -f2)
    [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" = "$wanted" ] || fail \
        "cargo is $have, and the modules need Rust $wanted or newer: rustup update stable"
}

# Prints which of these packages are installed.
installed() {
    # shellcheck disable=SC2016 # the braces are dpkg-query's
    { dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } |
        sed -n 's/^installed //p'
}

# Says whether to work with Debian's Kamailio: it is installed, or none is.
debians_kamailio() {
    [ -z "${KAMAILIO_BIN:-}" ] || return
    ! command -v kamailio >/dev/null || [ -n "$(installed kamailio)" ]
}

# Prints the packages that a part needs.
packages_of() {
    case $1 in
    build)
        # libclang's package brings the compiler's own headers, which the bare
        # library lacks; Kamailio's sources are packed with xz.
        printf '%s\n' gcc libc6-dev libclang-dev make xz-utils
        [ -n "${KAMAILIO_SRC:-}" ] || ! debians_kamailio || echo kamailio
        ;;
    run)
        printf '%s\n' curl socat
        ! debians_kamailio || echo kamailio
        ;;
    test)
        printf '%s\n' curl dpkg-dev iproute2 kamcli netcat-openbsd python3 socat strace
        ! debians_kamailio || printf '%s\n' kamailio kamailio-{extra,lua,tls,websocket}-modules
        ;;
    fuzz) echo g++ ;;
    deb) echo dpkg-dev ;;
    memory) echo valgrind ;;
    cmake) echo cmake ;;
    server)
        printf '%s\n' bison flex liblua5.1-0-dev libpcre2-dev libsctp-dev libssl-dev \
            libunistring-dev libxml2-dev pkgconf
        ;;
    *) fail "what is \"$1\"? build, run, test, fuzz, deb, memory, server or cmake" ;;
    esac
}

# Installs the missing ones of these packages. A user who is not root is asked for the
# password once, for all of them.
install_packages() {
    local missing as_root=() status=0
    readarray -t missing < <(printf '%s\n' "$@" | sort -u | grep -vxF -e "$(installed "$@")")
    [ ${#missing[@]} -gt 0 ] || return 0
    printf 'setup: %s\n' \
        "these packages are missing, and are installed now with what they depend on:" \
        "    ${missing[*]}" \
        "No service is started, and Kamailio's is not enabled either."
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail \
            "you are not root, and there is no sudo; as root run: apt-get install ${missing[*]}"
        as_root=(sudo -p "setup: installing needs the password of %p: ")
    fi
    "${as_root[@]}" "$root/scripts/packages.sh" "$(oldest_kamailio)" "${missing[@]}" || status=$?
    # With this status sudo says that it has not run the command.
    [ "$status" != 1 ] || fail \
        "nothing was installed; as root run: apt-get install ${missing[*]}"
    [ "$status" = 0 ] || exit "$status"
}

# This is not Debian, and the names of its packages are not known here.
check_programs() {
    local program
    for program in cc make; do
        command -v "$program" >/dev/null || fail "$program is missing, and there is no apt-get"
    done
}

# Installs an additional command for cargo from its crate.
install_command() {
    ! "$cargo" "$1" --version >/dev/null 2>&1 || return 0
    echo "setup: installing cargo-$1 into .deps/tools" >&2
    "$cargo" install --quiet --locked --root "$root/.deps/tools" "cargo-$1"
}

[ $# -gt 0 ] || fail "usage: setup.sh PART..."
packages=()
for part in "$@"; do
    names=$(packages_of "$part")
    readarray -t -O ${#packages[@]} packages <<<"$names"
done

check_rust
if command -v apt-get >/dev/null; then
    install_packages "${packages[@]}"
else
    check_programs
fi
for part in "$@"; do
    [ "$part" != fuzz ] || install_command "$part"
done
