#!/usr/bin/env bash
# Installs Debian packages, as root, and starts no service that is in them.
#
#   packages.sh OLDEST NAME...   OLDEST is the oldest Kamailio that is accepted
set -euo pipefail

policy=/usr/sbin/policy-rc.d
mark="# Here while packages for the Kamailio modules in Rust are installed."
export DEBIAN_FRONTEND=noninteractive

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 2
}

# A Kamailio that is too old would only show as messages of the C compiler.
check_kamailio() {
    local candidate
    candidate=$(LC_ALL=C apt-cache policy kamailio | sed -n 's/^ *Candidate: //p')
    [[ $candidate == [0-9]* ]] || fail \
        "none of this system's package sources has Kamailio: name its sources in KAMAILIO_SRC"
    dpkg --compare-versions "$candidate" ge "$oldest" || fail \
        "this system has Kamailio $candidate, and the modules need $oldest or newer: name its sources in KAMAILIO_SRC"
}

# Debian asks this program before it starts a service. A machine that has one has
# decided already, unless it is ours and was left by a run that was killed.
forbid_services() {
    if [ -e "$policy" ] && ! grep -qxF "$mark" "$policy"; then
        echo "setup: this machine's own $policy decides whether a service is started."
        return
    fi
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    printf '%s\n' '#!/bin/sh' "$mark" 'exit 101' >"$policy"
    chmod 755 "$policy"
}

oldest=$1
shift
apt-get update -qq || echo "setup: not all of this system's package sources could be read" >&2
[[ " $* " != *" kamailio "* ]] || check_kamailio
forbid_services
apt-get install -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >/dev/null
if [[ " $* " == *" kamailio "* ]]; then
    # The service would start with the machine, and listen on all addresses.
    update-rc.d kamailio disable
fi
