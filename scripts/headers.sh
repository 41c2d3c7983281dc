#!/usr/bin/env bash
# Puts the source tree of a Kamailio version, configured, into .deps/: Debian
# packages the server without its headers.
#
#   headers.sh installed   of the Kamailio that is installed
#   headers.sh 6.0.1       of that version, if Debian has it
#
# The sources come through apt, which checks signature and checksum. It is given
# lists of its own, so that the system's stay as they are.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
# Releases of Debian to look in beside the system's own.
suites=(trixie)

fail() {
    printf 'headers: %s\n' "$@" >&2
    exit 1
}

# Prints the version of the server that is installed.
installed_version() {
    local binary
    binary=$(PATH=$PATH:/usr/local/sbin:/usr/sbin command -v "${KAMAILIO_BIN:-kamailio}") || fail \
        "no Kamailio is installed, so there is none to fetch headers for: make setup"
    # Read to the end: a server that cannot write its answer complains.
    "$binary" -V | awk '/^version: / { print $3 }'
}

# Prints what apt gets binary packages from: an archive, a suite of it, a
# component and who publishes it.
targets() {
    # shellcheck disable=SC2016 # apt replaces these
    apt-get indextargets "$@" --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
        'Created-By: Packages'
}

# Prints lines for a sources.list: the sources to each of Debian's entries among
# the system's own, and to the releases that were asked for beside it.
source_entries() {
    local codename uri suite component entries main='' signed=''
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    # Only the archive itself may answer, whoever else has a suite of that name.
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ ! -f "$keyring" ] || signed="[signed-by=$keyring] "

    entries=$(targets | grep ' main Debian$' || true)
    if [ -z "$entries" ]; then
        # Container images come without lists, and then nobody knows who
        # publishes what: suites of this release's name have to do.
        entries=$(targets --no-release-info | grep " ${codename}[a-z-]* main " || true)
    fi
    while read -r uri suite component _; do
        [ -n "$uri" ] || continue
        echo "deb-src $signed$uri $suite $component"
        [ "$suite" != "$codename" ] || main=$uri
    done < <(sort -u <<<"$entries")

    [ -n "$main" ] || return 0
    for suite in "$@"; do
        [ "$suite" = "$codename" ] || echo "deb-src $signed$main $suite main"
    done
}

[ $# = 1 ] || fail "usage: headers.sh installed|VERSION"
version=$1
if [ "$version" = installed ]; then
    version=$(installed_version)
    suites=()
fi
[[ $version =~ ^[0-9]+(\.[0-9]+)+$ ]] || fail "\"$version\" is no release that a source package is made of"

tree=$root/.deps/kamailio-$version
if [ -f "$tree/src/config.mak" ]; then
    exit 0
fi
command -v apt-get >/dev/null || fail \
    "there is no apt-get to fetch the sources of Kamailio $version with." \
    "Unpack them anywhere, configure them, and name them:" \
    "    make -C <tree> FLAVOUR=kamailio cfg" \
    "    export KAMAILIO_SRC=<tree>"

echo "headers: fetching the sources of Kamailio $version"
mkdir -p "$root/.deps"
work=$(mktemp -d "$root/.deps/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/apt/parts" "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial"
cat >"$work/apt/conf" <<CONF
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$work/apt/parts";
Dir::State "$work/apt/state";
Dir::Cache "$work/apt/cache";
CONF
source_entries "${suites[@]}" >"$work/apt/parts/src.list"
[ -s "$work/apt/parts/src.list" ] || fail \
    "none of this system's package sources is Debian's main archive." \
    "Unpack the sources of Kamailio $version anywhere and name them in KAMAILIO_SRC."
export APT_CONFIG=$work/apt/conf
# As root apt would fetch as a user of its own, who may not write here.
apt=(apt-get -qq -o APT::Sandbox::User=root)
"${apt[@]}" update

# The newest packaging of that version; the installed one is among them, and the
# upstream tarball is the same for all.
package=$(apt-cache showsrc --only-source kamailio | awk '/^Version: / { print $2 }' |
    grep -E "^([0-9]+:)?${version//./\\.}([-+~].*)?$" | sort -V | tail -n 1) || fail \
    "Debian has no source package of Kamailio $version here"
(cd "$work" && "${apt[@]}" source --download-only --tar-only "kamailio=$package")

tarball=("$work"/kamailio_*.orig.tar.*)
[ -f "${tarball[0]}" ] || fail "the source package $package brought no tarball"
mkdir "$work/tree"
tar -xf "${tarball[0]}" -C "$work/tree" --strip-components 1
# Up to 5.6 the configuration depends on OpenSSL's headers being here; Debian had
# them when it built the server. Kamailio's makefile is not to see the flags and
# variables of one that runs this.
env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL \
    make -s -C "$work/tree" FLAVOUR=kamailio LIBSSL_SET_MUTEX_SHARED=1 cfg >/dev/null
got=$(sed -n 's/^RELEASE= *//p' "$work/tree/src/config.mak")
[ "$got" = "$version" ] || fail "the source package $package is of Kamailio $got, not $version"

# Complete or not there at all, even if two of these run at once.
mv -T "$work/tree" "$tree" 2>/dev/null || [ -f "$tree/src/config.mak" ]
