#!/usr/bin/env bash
# Upgrades a real Debian 12 with Kamailio and our package to Debian 13, in a
# directory, and checks that the server still works. It needs root, debootstrap, and
# the modules that `make` and `make builds FOR=6.0.1` have built. The steps inside
# Debian 12 are in scripts/upgrade-inside.sh.
set -euo pipefail

. "$(dirname "$0")/common.sh"
target=${CARGO_TARGET_DIR:-$root/target}
base=$root/.deps/debian-12/base
system=$root/.deps/upgrade

[ "$(id -u)" = 0 ] || fail "only root can do this"
command -v debootstrap >/dev/null || fail "debootstrap is missing"
# shellcheck disable=SC2016 # apt replaces these
mirror=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "main" && $1 ~ /debian\/?$/ && !found++ { print $1 }')
[ -n "$mirror" ] || fail "none of this system's package sources is Debian's main archive"
[ -d "$base" ] || debootstrap --variant=minbase bookworm "$base" "$mirror" >/dev/null

rm -rf --one-file-system "$system"
cp -a "$base" "$system"
cp -L /etc/resolv.conf "$system/etc/resolv.conf"
apt-config dump | grep -i '^Acquire::[a-z]*::Proxy ' >"$system/etc/apt/apt.conf.d/proxy" || true
echo "deb $mirror bookworm main" >"$system/etc/apt/sources.list"
"$root/scripts/deb.sh" "$system/root/one" "$target/modules"
"$root/scripts/deb.sh" "$system/root/both" "$target/modules" "$target/kamailio-6.0.1/modules"
cp "$root/scripts/upgrade-inside.sh" "$system/root/"

# Processes and mounts end with the command.
# shellcheck disable=SC2016 # for the shell in there
unshare --mount --pid --fork --kill-child --mount-proc="$system/proc" bash -euc '
    mount -t tmpfs tmpfs "$0/dev/shm"
    chroot "$0" env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        bash /root/upgrade-inside.sh && exit' "$system"
rm -rf --one-file-system "$system"
