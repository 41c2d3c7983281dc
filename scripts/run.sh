#!/usr/bin/env bash
# Runs Kamailio in the foreground, until Ctrl-C. It takes the modules in a directory
# before its own ones.
#
#   run.sh MODULES [OPTION...]   the options are Kamailio's
set -euo pipefail

. "$(dirname "$0")/common.sh"
PATH=$PATH:/usr/local/sbin:/usr/sbin
kamailio=${KAMAILIO_BIN:-kamailio}

[ $# -ge 1 ] || fail "usage: run.sh MODULES [OPTION...]"
modules=$(cd "$1" && pwd)
shift
command -v "$kamailio" >/dev/null || fail "there is no $kamailio: make setup"

# The server itself says where its modules are.
own_modules=$("$kamailio" -h | sed -n 's/.*Modules search path (default: \(.*\))$/\1/p')

# Says whether something on this machine uses the port, whatever the protocol.
taken() {
    local hex
    hex=$(printf ':%04X' "$1")
    awk -v port="$hex" 'substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' \
        /proc/net/{udp,tcp}*
}

# An installed Kamailio may be using the usual port.
port=5060
while taken "$port"; do
    port=$((port + 2))
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/kamailio-rs.XXXXXX")
server=
# This runs however the script ends. Kamailio gets a signal of its own, because it is
# not in the terminal's process group, and it has time to stop its processes.
# shellcheck disable=SC2317 # a trap calls it
stop() {
    trap '' INT TERM HUP
    if [ -n "$server" ]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$dir"
}
trap stop EXIT
trap 'echo; exit 0' INT TERM HUP

# The server has a session of its own, because `core.kill` signals the whole process
# group, which would include make and the shell.
setsid "$kamailio" -DD -E -f "$root/examples/kamailio.cfg" \
    -L "$modules:$own_modules" -Y "$dir" -w "$dir" \
    -A "DISPATCHER_LIST=\"$root/examples/dispatcher.list\"" \
    -A "MI_SOCKET=\"$dir/mi.sock\"" \
    -l "udp:127.0.0.1:$port" -l "tcp:127.0.0.1:$port" "$@" &
server=$!

socket=$dir/kamailio_ctl
for _ in {1..100}; do
    [ ! -S "$socket" ] || break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
if [ -S "$socket" ]; then
    # This should be shown last, but the server's processes log while they start.
    sleep 0.5
    cat <<TEXT

Kamailio listens on 127.0.0.1:$port, UDP and TCP. Modules come from
    $modules
and those that are not there from
    $own_modules

To try in another terminal:
    kamcmd -s unix:$socket core.version
    kamcmd -s unix:$socket ps
    kamcmd -s unix:$socket htable.dump greetings
    kamcmd -s unix:$socket ul.dump
    kamcmd -s unix:$socket dispatcher.list
    kamcmd -s unix:$socket -f "%v %v\n" core.uptime
    kamcmd -s unix:$socket help core.kill
    kamcmd -s unix:$socket            (interactive, Tab completes)
    RPCFIFOPATH=$dir/kamailio_rpc.fifo kamctl rpc core.uptime
    curl -d '{"jsonrpc":"2.0","method":"core.version","id":1}' http://127.0.0.1:$port/
    printf ':ul_dump:\nbrief\n' | socat -t 1 - UNIX-SENDTO:$dir/mi.sock,bind=$dir/mi.reply

Ctrl-C stops it.

TEXT
fi

status=0
wait "$server" || status=$?
server=
exit "$status"
