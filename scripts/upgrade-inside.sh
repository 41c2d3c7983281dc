#!/usr/bin/env bash
# Runs the steps of scripts/upgrade.sh inside the system that is upgraded.
set -euo pipefail

apt=(apt-get -qq -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold)
# An operator's configuration, with our modules in front of the C ones.
configuration=/etc/kamailio/kamailio.cfg
modules=/usr/lib/$(uname -m)-linux-gnu/kamailio/modules

say() {
    printf '\n==> %s\n' "$@"
}

fail() {
    printf 'upgrade: %s\n' "$@" >&2
    exit 1
}

# Does what systemd does: it runs the commands of the drop-in, which may fail, and
# then the server.
start_service() {
    local before
    before=$(sed -n 's/^ExecStartPre=-+//p' \
        /usr/lib/systemd/system/kamailio.service.d/kamailio-rust-modules.conf)
    $before || true
    mkdir -p /run/kamailio
    rm -f /run/kamailio/kamailio_ctl
    kamailio -P /run/kamailio/pid -f "$configuration" -Y /run/kamailio -m 16 -M 8 >/dev/null
    for _ in {1..100}; do
        [ ! -S /run/kamailio/kamailio_ctl ] || return 0
        sleep 0.1
    done
    fail "the server does not start"
}

stop_service() {
    local pid
    pid=$(cat /run/kamailio/pid)
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}

# Asserts that this version answers, through a module of a build for it.
answers() { # VERSION
    local answer file
    answer=$(kamcmd -s unix:/run/kamailio/kamailio_ctl core.version)
    file=$(grep -h -o '/.*/ctl\.so' "/proc/$(cat /run/kamailio/pid)/maps" | sort -u)
    echo "$answer"
    echo "$file"
    [[ $answer == "kamailio $1 "* && $file == "$modules/rust-$1-"*/ctl.so ]] ||
        fail "that is not a Kamailio $1 with our module for it"
}

say "Debian 12 with its Kamailio"
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
"${apt[@]}" update
"${apt[@]}" install --no-install-recommends kamailio >/dev/null
cat >"$configuration" <<CONFIG
mpath="$modules/rust:$modules"
listen=udp:127.0.0.1:5060
loadmodule "kex.so"
loadmodule "ctl.so"
request_route {
    drop;
}
CONFIG

say "the package with modules for Kamailio 5.6.3 only"
"${apt[@]}" install /root/one/*.deb
start_service
answers 5.6.3

say "an upgrade to Debian 13 is stopped before it changes anything"
sed -i s/bookworm/trixie/ /etc/apt/sources.list
"${apt[@]}" update
before=$(dpkg-query --show | sha256sum)
if "${apt[@]}" full-upgrade; then
    fail "the upgrade is not stopped"
fi
[ "$(dpkg-query --show | sha256sum)" = "$before" ] || fail "packages have changed"
answers 5.6.3

say "the package with modules for Kamailio 6.0.1, too"
"${apt[@]}" install /root/both/*.deb
kamailio-rust-modules
answers 5.6.3

say "the same upgrade goes through"
"${apt[@]}" full-upgrade >/root/upgrade.log
grep kamailio /root/upgrade.log
dpkg-query --show kamailio kamailio-rust-modules
stop_service
start_service
answers 6.0.1
kamailio-rust-modules

say "the package is removed"
"${apt[@]}" purge kamailio-rust-modules
left=$(find / -xdev -path /proc -prune -o -path /root -prune -o \
    '(' -name '*kamailio-rust*' -o -path "$modules/rust*" ')' -print)
[ -z "$left" ] || fail "this stays behind:" "$left"
stop_service
say "all is well"
