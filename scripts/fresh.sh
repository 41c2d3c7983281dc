#!/usr/bin/env bash
# Does what a new user does with this tree, step by step. Run it on a system that
# may be changed, such as a container or a chroot, not on your own machine.
# scripts/chroot.sh makes one.
#
#   fresh.sh [STEP...]
#
#   build    `make` on a system that has nothing of what it needs
#   run      `make run`, every command that it prints, and its end
#   user     the same as a user who needs a password for sudo, in a directory that
#            nobody else can enter and whose path has a blank
#   deb      `make deb`; its package is installed, replaced by a newer one, removed
#   image    the steps of the Containerfile on Debian 13, and the server that they start
#   test     `make test`
set -euo pipefail

. "$(dirname "$0")/common.sh"
user=ann
password=of-ann-alone

say() {
    printf '\n--> %s\n' "$*"
}

# Asserts that Debian's own service neither runs nor will run, and that the file which
# kept it from running is gone.
check_no_service() {
    [ ! -e /usr/sbin/policy-rc.d ] || fail "policy-rc.d is still there"
    [ ! -e /etc/systemd/system/multi-user.target.wants/kamailio.service ] || fail "the service is enabled"
    ! grep -qsx kamailio /proc/[0-9]*/comm || fail "a Kamailio is running"
}

# Asserts that nothing was left outside of this tree in this home. The exceptions are
# the crates that cargo keeps in ~/.cargo, and a file of sudo's own.
check_nothing_left() { # TREE HOME
    local left
    left=$(find "$2" -mindepth 1 -maxdepth 1 -newer "$started" \
        ! -name .cargo ! -name .sudo_as_admin_successful ! -path "$1")
    left+=$(find /tmp -mindepth 1 -maxdepth 1 -newer "$started" ! -path "$started*")
    [ -z "$left" ] || fail "this was left behind: $left"
    left=$(git -c safe.directory="$1" -C "$1" status --porcelain)
    [ -z "$left" ] || fail "the tree has changed: $left"
}

step_build() {
    say "make"
    local before
    before=$(dpkg-query -l | grep -c ^ii)
    make -C "$root"
    echo "$(($(dpkg-query -l | grep -c ^ii) - before)) packages were installed"
    ls "$root"/target/modules/{ctl,jsonrpcs,mi_datagram,tcpops}.so
    check_no_service
    check_nothing_left "$root" "$HOME"
}

# Starts `make run` in a tree with a log, and runs every command that it prints. A
# command after these arguments does both as another user.
try_run() { # TREE LOG [COMMAND...]
    local tree=$1 log=$2 line server
    shift 2
    # A shell makes its background commands ignore this signal.
    setsid env --default-signal=INT "$@" make -C "$tree" run >"$log" 2>&1 </dev/null &
    server=$!
    until grep -q 'Ctrl-C stops it' "$log"; do
        kill -0 "$server" 2>/dev/null || { cat "$log"; fail "make run has ended"; }
        sleep 0.5
    done
    # One of the commands waits for somebody to type.
    while read -r line; do
        [[ $line != *'(interactive'* ]] || continue
        echo "\$ $line"
        "$@" bash -c "$line" </dev/null
    done < <(sed -n '/^To try/,/^Ctrl-C/s/^    //p' "$log")
    # A terminal also signals the whole group.
    kill -INT -- -"$server"
    wait "$server" || true
    check_no_service
}

step_run() {
    say "make run"
    try_run "$root" "$started.run"
    rm "$started.run"
    check_nothing_left "$root" "$HOME"
}

step_user() {
    say "a user whose sudo asks for a password"
    local home=/home/$user as_user
    # It runs in the directory of the clone, as after a login.
    as_user=(setpriv --reuid="$user" --regid="$user" --init-groups
        env -C "$home/a tree" HOME="$home" USER="$user" LOGNAME="$user")
    useradd --create-home --shell /bin/bash --groups sudo "$user"
    chmod 700 "$home"
    echo "$user:$password" | chpasswd
    git clone --quiet "$root" "$home/a tree"
    chown -R "$user:" "$home/a tree"
    apt-get remove -qq socat >/dev/null

    say "make run without a terminal"
    ! "${as_user[@]}" setsid make run >"$started.log" 2>&1 </dev/null || fail "it does not need the password"
    cat "$started.log"
    grep -q 'as root run: apt-get install socat' "$started.log" || fail "it does not say what to do"

    say "make run with a terminal"
    # script gives it a terminal, and the password as if somebody typed it.
    echo "$password" | "${as_user[@]}" script -qec 'scripts/setup.sh build run' /dev/null
    try_run "$home/a tree" "$started.log" "${as_user[@]}"
    rm "$started.log"
    check_nothing_left "$home/a tree" "$home"
}

# Prints the package that `make deb` makes, which is newer than the one before.
make_package() {
    rm -rf "$root/target/debian"
    make -C "$root" deb >"$started.log" 2>&1 || { cat "$started.log" >&2; fail "make deb fails"; }
    ls "$root"/target/debian/*.deb
}

# Asserts that a server loads our modules if it looks in our directory first.
check_served() {
    local modules server
    modules=$(dirname "$(find /usr/lib -path '*/kamailio/modules/ctl.so')")
    printf '%s\n' "mpath=\"$modules/rust:$modules\"" 'listen=udp:127.0.0.1:5060' \
        'loadmodule "ctl.so"' 'request_route { drop; }' >"$started.cfg"
    mkdir -p /run/kamailio
    setsid kamailio -DD -E -f "$started.cfg" -Y /run/kamailio >"$started.log" 2>&1 &
    server=$!
    until kamcmd rust.modules 2>/dev/null; do
        kill -0 "$server" || { cat "$started.log"; fail "the server has ended"; }
        sleep 0.5
    done
    kill "$server"
    wait "$server" || true
}

step_deb() {
    say "make deb, and its package"
    local apt=(apt-get -qq -y -o Dpkg::Use-Pty=0) package first left
    package=$(make_package)
    "${apt[@]}" install "$package"
    check_served
    first=$(dpkg-query -W -f '${Version}' kamailio-rust-modules)

    say "a newer one in its place"
    "${apt[@]}" install "$(make_package)"
    dpkg --compare-versions "$(dpkg-query -W -f '${Version}' kamailio-rust-modules)" gt "$first" ||
        fail "the newer package is not newer than $first"
    check_served

    say "it is removed"
    "${apt[@]}" purge kamailio-rust-modules
    left=$(find / -xdev '(' -path /proc -o -path /home -o -path "$root" ')' -prune -o \
        '(' -name '*kamailio-rust*' -o -path '*/kamailio/modules/rust*' ')' -print)
    [ -z "$left" ] || fail "this was left behind: $left"
    check_no_service
}

# Does what an instruction of the Containerfile says, in this system, which stands
# for all of its images.
instruct() { # INSTRUCTION ARGUMENTS
    local words
    case $1 in
    FROM) directory=/ as=root ;;
    WORKDIR) directory=$2 && mkdir -p "$2" ;;
    USER) as=$2 ;;
    RUN) in_image sh -c "$2" ;;
    COPY) read -r -a words <<<"$2" && copy_into_image "${words[@]}" ;;
    CMD) start=$(tr -d '[]",' <<<"$2") ;;
    EXPOSE) ;;
    *) fail "the Containerfile has $1, which this does not know" ;;
    esac
}

# Runs Debian's own programs only, because other programs in PATH are in no image.
in_image() {
    setpriv --reuid="$as" --regid="$as" --init-groups env -C "$directory" -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc "$@"
}

copy_into_image() { # [--from=IMAGE] SOURCE... TARGET
    local words=("$@") from=$context
    [[ $1 != --from=* ]] || { from='' && words=("${words[@]:1}"); }
    local target=${words[-1]}
    [[ $target == /* ]] || target=$directory/$target
    for source in "${words[@]::${#words[@]}-1}"; do
        [ ! -d "$from/$source" ] || source+=/.
        cp -a "$from/$source" "$target"
    done
}

step_image() {
    say "the Containerfile"
    local context instruction arguments start='' directory=/ as=root server
    context=$(mktemp -d)
    git -C "$root" archive HEAD | tar -x -C "$context"
    while read -r instruction arguments; do
        echo "$instruction $arguments"
        instruct "$instruction" "$arguments"
    done < <(grep -vE '^(#|$)' "$root/Containerfile")

    # The words of the command are its arguments.
    # shellcheck disable=SC2086
    in_image $start &
    server=$!
    until kamcmd core.version 2>/dev/null; do
        kill -0 "$server" || fail "the server has ended"
        sleep 0.5
    done
    kamcmd ps
    grep -o '/.*/rust.*\.so' "/proc/$server/maps" | sort -u | grep -c . | grep -qx 4 ||
        fail "these are not our modules"
    kill "$server"
    wait "$server" || true
    rm -rf "$context" /src /image
}

step_test() {
    say "make test"
    make -C "$root" test
    check_no_service
}

started=$(mktemp "${TMPDIR:-/tmp}/fresh.XXXXXX")
trap 'rm -f "$started"*' EXIT
[ $# -gt 0 ] || set -- build run user deb test
for name in "$@"; do "step_$name"; done
say "all as promised: $*"
