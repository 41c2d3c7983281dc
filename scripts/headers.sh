#!/usr/bin/env bash
# Puts the source tree of a Kamailio version into .deps/, because Debian and upstream
# package the server without its headers. The build itself finds out how they are
# configured; see build/source.rs.
#
#   headers.sh installed   the sources of the installed Kamailio
#   headers.sh 6.0.1       the sources of that version, if Debian has it
#
# The sources come through apt, which checks signature and checksum. It uses lists
# of its own, so that the system's lists stay as they are.
set -euo pipefail

. "$(dirname "$0")/common.sh"
# Releases of Debian to search in addition to the system's own.
suites=(trixie)

# What to do if there is no source package.
name_them=("Name its sources, or the directory where CMake has built it:"
    "    export KAMAILIO_SRC=<directory>")

# Sets $version and $cmake_built for the installed server.
ask_installed() {
    local binary answer oldest
    binary=$(PATH=$PATH:/usr/local/sbin:/usr/sbin command -v "${KAMAILIO_BIN:-kamailio}") || fail \
        "no Kamailio is installed, so there is none to fetch headers for: make setup"
    # The answer is read to its end, because a server that cannot write it complains.
    answer=$("$binary" -V)
    version=$(awk '/^version: / { print $3 }' <<<"$answer")
    oldest=$(oldest_kamailio)
    [ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -n 1)" = "$oldest" ] || fail \
        "the installed Kamailio is $version, and the oldest that these modules can be built for is $oldest."
    # Kamailio's makefiles choose this way to wait for a lock, and its files for
    # CMake choose another one.
    cmake_built=
    grep -q '^flags:.*FAST_LOCK-ADAPTIVE_WAIT' <<<"$answer" || cmake_built=yes
}

# Prints the sources of apt's binary packages: an archive, a suite of it, a
# component and the publisher.
targets() {
    # shellcheck disable=SC2016 # apt replaces these
    apt-get indextargets "$@" --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
        'Created-By: Packages'
}

# Prints lines for a sources.list. They name the sources for each of Debian's entries
# among the system's own, and for the releases in the arguments.
source_entries() {
    local codename uri suite component entries main='' signed=''
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    # Only Debian's archive may answer, because others may have a suite of that name.
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ ! -f "$keyring" ] || signed="[signed-by=$keyring] "

    entries=$(targets | grep ' main Debian$' || true)
    if [ -z "$entries" ]; then
        # Container images come without lists, so nothing says who publishes
        # what. Suites with the name of this release have to do.
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

# Writes entries for sources into a directory, for the other archives that have a
# kamailio, such as upstream's own. Each keeps the keys that the system trusts for it.
other_archives() {
    local entry file
    # shellcheck disable=SC2016 # apt replaces these
    apt-get indextargets --format '$(ORIGIN)|$(SOURCESENTRY)|$(FILENAME)' 'Created-By: Packages' |
        grep -v '^Debian|' | while IFS='|' read -r _ entry file; do
        entry=${entry%:*}
        if [ -f "$entry" ] && /usr/lib/apt/apt-helper cat-file "$file" | grep '^Package: kamailio$' >/dev/null; then
            sed -E 's/^Types:.*/Types: deb-src/; s/^deb([[:blank:]])/deb-src\1/' "$entry" \
                >"$1/other-${entry##*/}"
        fi
    done || true
}

[ $# = 1 ] || fail "usage: headers.sh installed|VERSION"
version=$1
cmake_built=
if [ "$version" = installed ]; then
    ask_installed
    suites=()
fi
[ -z "$cmake_built" ] || "$root/scripts/setup.sh" cmake

tree=$root/.deps/kamailio-$version
if [ -f "$tree/src/core/ver_defs.h" ]; then
    exit 0
fi
[[ $version =~ ^[0-9]+(\.[0-9]+)+$ ]] || fail \
    "no source package is made of a Kamailio $version." "${name_them[@]}"
command -v apt-get >/dev/null || fail \
    "there is no apt-get to fetch the sources of Kamailio $version with." "${name_them[@]}"

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
other_archives "$work/apt/parts"
[ -n "$(find "$work/apt/parts" -type f -size +0)" ] || fail \
    "none of this system's package sources is an archive that has Kamailio." \
    "${name_them[@]}"
export APT_CONFIG=$work/apt/conf
# apt would otherwise fetch as a user of its own, who may not write here.
apt=(apt-get -qq -o APT::Sandbox::User=root)
"${apt[@]}" update

# This takes the newest packaging of that version. The upstream tarball is the same
# for all of them, the installed one included.
package=$(apt-cache showsrc --only-source kamailio | awk '/^Version: / { print $2 }' |
    grep -E "^([0-9]+:)?${version//./\\.}([-+~].*)?$" | sort -V | tail -n 1) || fail \
    "no archive of this system has a source package of Kamailio $version." "${name_them[@]}"
(cd "$work" && "${apt[@]}" source --download-only --tar-only "kamailio=$package")

tarball=("$work"/kamailio_*.orig.tar.*)
[ -f "${tarball[0]}" ] || fail "the source package $package brought no tarball"
mkdir "$work/tree"
tar -xf "${tarball[0]}" -C "$work/tree" --strip-components 1
# The tree is complete or does not exist, even if two of these scripts run at once.
mv -T "$work/tree" "$tree" 2>/dev/null || [ -f "$tree/src/core/ver_defs.h" ]
