#!/usr/bin/env bash
# Tries what the documents of this project promise on a Debian with almost nothing
# installed, in a clone of the committed files. It needs root and debootstrap.
#
#   chroot.sh RELEASE              all of scripts/fresh.sh, on a new system
#   chroot.sh RELEASE COMMAND...   one command in the system that exists, such as
#                                  chroot.sh 13 make run
#
# RELEASE is 11, 12, 13 or testing. Debian comes from the archive that this system
# uses; Rust and cargo's configuration are copied from this system. The new systems
# are kept in .deps/debian-RELEASE.
set -euo pipefail

. "$(dirname "$0")/common.sh"
# The packages that a new user has, in addition to Rust.
packages=ca-certificates,git,make,sudo

case ${1:-} in
11) suite=bullseye ;;
12) suite=bookworm ;;
13) suite=trixie ;;
testing) suite=testing ;;
*) fail "usage: chroot.sh 11|12|13|testing [COMMAND...]" ;;
esac
base=$root/.deps/debian-$1/base
system=$root/.deps/debian-$1/system
shift
[ "$(id -u)" = 0 ] || fail "only root can do this"
command -v debootstrap >/dev/null || fail "debootstrap is missing"

# Prints the archive from which this system gets Debian itself.
mirror() {
    local codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    # shellcheck disable=SC2016 # apt replaces these
    apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' | awk -v suite="$codename" '$2 == suite && $3 == "main" && !found++ { print $1 }'
}

make_base() {
    local from
    from=$(mirror)
    [ -n "$from" ] || fail "none of this system's package sources is Debian's main archive"
    mkdir -p "$(dirname "$base")"
    rm -rf --one-file-system "$base.new"
    debootstrap --variant=minbase --include="$packages" "$suite" "$base.new" "$from" >"$base.log" ||
        fail "debootstrap fails; $base.log has it all"
    cp -a "$(rustc --print sysroot)"/{bin,lib} "$base.new/usr/local/"
    apt-config dump | grep -i '^Acquire::[a-z]*::Proxy ' >"$base.new/etc/apt/apt.conf.d/proxy" || true
    cp /etc/ssl/certs/ca-certificates.crt "$base.new/etc/ssl/certs/"
    # If the machine stops meanwhile, the next run makes the system anew.
    echo force-unsafe-io >"$base.new/etc/dpkg/dpkg.cfg.d/unsafe-io"
    mv -T "$base.new" "$base"
}

make_system() {
    local home=${CARGO_HOME:-$HOME/.cargo}
    rm -rf --one-file-system "$system.new"
    cp -a "$base" "$system.new"
    install -d "$system.new/root/.cargo/registry"
    for part in config.toml registry/index registry/cache; do
        [ ! -e "$home/$part" ] || cp -a "$home/$part" "$system.new/root/.cargo/$part"
    done
    git clone --quiet --no-local "$root" "$system.new/root/tree"
    mv -T "$system.new" "$system"
}

# Runs a command in the tree of that system. Processes and mounts end with it.
enter() {
    local kept=() name
    for name in TERM "${!CARGO_PROFILE_@}"; do kept+=("$name=${!name:-}"); done
    cp -L /etc/resolv.conf "$system/etc/resolv.conf"
    # shellcheck disable=SC2016 # for the shells in there
    unshare --mount --pid --fork --kill-child --mount-proc="$system/proc" bash -euc '
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$0/dev/pts"
        mount --bind "$0/dev/pts/ptmx" "$0/dev/ptmx"
        mount -t tmpfs tmpfs "$0/dev/shm"
        mount -t sysfs sysfs "$0/sys"
        chroot "$0" env -i HOME=/root LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            "$@" && exit' "$system" "${kept[@]}" bash -c 'cd /root/tree && "$@"' bash "${command[@]}"
}

[ -d "$base" ] || make_base
command=("$@")
if [ $# = 0 ]; then
    command=(scripts/fresh.sh)
    rm -rf --one-file-system "$system"
fi
[ -d "$system" ] || make_system
git -C "$system/root/tree" fetch --quiet origin HEAD
git -C "$system/root/tree" reset --quiet --hard FETCH_HEAD
enter
