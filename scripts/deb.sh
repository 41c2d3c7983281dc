#!/usr/bin/env bash
# Makes a Debian package of modules that `make` built, and prints its name.
#
#   deb.sh OUTPUT MODULES...   puts the package into the directory OUTPUT. The
#                              package has the modules of all other directories,
#                              which may be for several versions of Kamailio
#
# DEBFULLNAME, DEBEMAIL  the maintainer of the package, as for Debian's own tools.
#                        The default is the author of the last commit
# SOURCE_DATE_EPOCH      the time that its version contains. The default is now
set -euo pipefail
export LC_ALL=C
umask 022

root=$(cd "$(dirname "$0")/.." && pwd)
package=kamailio-rust-modules
[ $# -ge 2 ] || { echo "usage: deb.sh OUTPUT MODULES..." >&2; exit 2; }
mkdir -p "$1"
output=$(cd "$1" && pwd)
shift
"$root/scripts/setup.sh" deb >&2

work=$(mktemp -d "${TMPDIR:-/tmp}/kamailio-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
files=$work/files
documents=$files/usr/share/doc/$package
author=$(git -C "$root" log -1 --format='%an <%ae>' 2>/dev/null || echo "Built here <root@localhost>")
maintainer="${DEBFULLNAME:-${author%% <*}} <${DEBEMAIL:-$(cut -d "<" -f 2 <<<"${author%>}")}>"
seconds=${SOURCE_DATE_EPOCH:-$(date +%s)}

# Each build counts as newer than the one before, so that `apt install` always
# takes it: the same sources may have been built for more versions of Kamailio. The
# version has an r, not git, because the packages of 0.1.0 without a time in
# their version were called 0.1.0+kamailio5.6.3-1. It ends with the system that the
# package was built on, because the package needs the libraries of that system.
version_of_package() {
    local own commit system
    own=$(sed -n 's/^version *= *"\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
    commit=$(git -C "$root" rev-parse --short=7 HEAD 2>/dev/null || true)
    [ -z "$(git -C "$root" status --porcelain 2>/dev/null)" ] || commit=changed
    # shellcheck disable=SC1091 # every system has this file
    system=$(. /etc/os-release && echo "${ID/#debian/deb}${VERSION_ID:-$VERSION_CODENAME}")
    echo "$own+r$(date -u -d "@$seconds" +%Y%m%d%H%M%S)${commit:+.$commit}-1+$system"
}

# Installs what belongs into the package, except what is made when it is
# installed and what the package manager records itself.
stage() {
    DESTDIR=$files SUPPORT=/usr DOCUMENTS=/usr/share/doc/$package \
        "$root/scripts/install.sh" install "$@" >/dev/null 2>"$work/messages" || {
        cat "$work/messages" >&2
        exit 1
    }
    rm -r "${files:?}/usr/share/$package" "$documents/LICENSE"
    find "$files" -name rust -type l -delete
    find "$files/usr/share/man" -name '*.[78]' -exec gzip -9n {} +
}

# Prints the versions of Kamailio for which there are modules, the oldest first.
kamailio_versions() {
    find "$files" -type d -name 'rust-*' | sed 's/.*rust-\(.*\)-[0-9a-f]*$/\1/' | sort -Vu
}

# Turns CHANGELOG.md into a changelog in Debian's format: an entry for this build
# with the contents of the topmost section, dated with the time of the build.
write_changelog() { # VERSION
    {
        printf '%s (%s) unstable; urgency=medium\n\n' "$package" "$1"
        awk -f "$root/packaging/debian/changelog.awk" "$root/CHANGELOG.md"
        printf '\n -- %s  %s\n' "$maintainer" "$(date -u -R -d "@$seconds")"
    } | gzip -9n >"$documents/changelog.Debian.gz"
}

# The crates in the modules have licenses of their own.
write_copyright() {
    {
        cat "$root/packaging/debian/copyright"
        echo "Comment: The modules have these crates in them, in the versions and under the"
        echo " licenses that stand behind their names:"
        (cd "$root" && "${CARGO:-cargo}" tree --locked --offline --edges normal,no-proc-macro \
            --prefix none --format '{p} {l}' -p ctl -p jsonrpcs -p mi_datagram -p tcpops) |
            grep -e ' v' | grep -v -e ' (/' | sed 's/ (\*)$//' | sort -u | sed 's/^/  /'
        cat "$root/packaging/debian/license"
    } >"$documents/copyright"
}

# Prints what the modules need from the system's libraries. The undefined symbols
# that no library has are the server's.
libraries() {
    mkdir -p "$work/debian"
    printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' "$package" "$package" >"$work/debian/control"
    find "$files" -name '*.so' -print0 |
        (cd "$work" && xargs -0 dpkg-shlibdeps -O --warnings=0) |
        sed -n 's/^shlibs:Depends=//p'
}

write_control() { # VERSION
    local versions oldest
    mapfile -t versions < <(kamailio_versions)
    oldest=${versions[0]}
    cat >"$files/DEBIAN/control" <<CONTROL
Package: $package
Version: $1
Architecture: $(dpkg --print-architecture)
Maintainer: $maintainer
Installed-Size: $(du -k -s --apparent-size "$files" | cut -f 1)
Depends: $(libraries), kamailio (>= $oldest~)
Section: net
Priority: optional
Description: Kamailio modules written in Rust
 Modules for the SIP server Kamailio that take the place of the C modules ctl,
 jsonrpcs and tcpops, and of mi_datagram, which Kamailio has no more. The C
 modules stay where they are, and the server takes these where its
 configuration says so: see kamailio-rust-modules(7).
 .
 This package has modules for Kamailio ${versions[*]}.
CONTROL
}

stage "$@"
version=$(version_of_package)
write_changelog "$version"
write_copyright
install -D -m 644 "$root/packaging/debian/lintian-overrides" \
    "$files/usr/share/lintian/overrides/$package"
mkdir -p "$files/DEBIAN"
write_control "$version"
for script in preinst postinst prerm postrm; do
    install -m 755 "$root/packaging/debian/$script" "$files/DEBIAN/$script"
done
grep -v '^#' "$root/packaging/debian/triggers" >"$files/DEBIAN/triggers"
(cd "$files" && find etc -type f | sed 's:^:/:' >DEBIAN/conffiles)
(cd "$files" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z |
    xargs -0 md5sum >DEBIAN/md5sums)

# Only one package is left there, so that a pattern names it.
rm -f "$output/${package}"_*.deb
file=$output/${package}_${version}_$(dpkg --print-architecture).deb
dpkg-deb --root-owner-group -Zxz --build "$files" "$file" >/dev/null
echo "$file"
