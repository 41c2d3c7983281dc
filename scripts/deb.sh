#!/usr/bin/env bash
# Makes a Debian package of the modules that `make` built and prints its name.
#
#   deb.sh DIRECTORY   the package is put there
#
# MODULES                where `make` left them
# DEBFULLNAME, DEBEMAIL  who maintains the package, as for Debian's own tools
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
package=kamailio-rust-modules
mkdir -p "${1:?usage: deb.sh DIRECTORY}"
output=$(cd "$1" && pwd)
"$root/scripts/setup.sh" deb

# A module fits the one release that it was built for, whatever Debian's
# revision of it.
version=$(PATH=$PATH:/usr/local/sbin:/usr/sbin "${KAMAILIO_BIN:-kamailio}" -V | awk '/^version: / { print $3 }')
own=$(sed -n 's/^version *= *"\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)

work=$(mktemp -d "${TMPDIR:-/tmp}/kamailio-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
DESTDIR=$work/files DOCUMENTS=/usr/share/doc/$package "$root/scripts/install.sh" install >/dev/null
# Debian wants the text of the license in a file of another name.
rm "$work/files/usr/share/doc/$package/LICENSE"

# cargo-deb takes the relations between packages from a manifest only, and these
# hang on the server that is installed. The manifest is of a package that has
# nothing to build.
cat >"$work/Cargo.toml" <<MANIFEST
[package]
name = "$package"
version = "$own"
edition = "2024"
license = "GPL-2.0-or-later"
description = "Modules for Kamailio, written in Rust"

[lib]
path = "none.rs"

[workspace]

[package.metadata.deb]
maintainer = "${DEBFULLNAME:-Built on this machine} <${DEBEMAIL:-root@localhost}>"
copyright = "The authors of the Kamailio modules in Rust"
license-file = ["$root/LICENSE", "0"]
section = "net"
priority = "optional"
depends = "\$auto, kamailio (>= $version~), kamailio (<< $version.~)"
extended-description = """\
Modules of the names of C modules, for Kamailio $version. They are in a
directory of their own, and the server takes them where its configuration says
so: the document README.md tells how."""
assets = [["files/**/*", "/", "644"]]
MANIFEST
touch "$work/none.rs"

# Stripped would be smaller, and a core dump of a production server unreadable.
(cd "$work" && "${CARGO:-cargo}" deb --quiet --no-build --no-strip --no-dbgsym \
    --no-separate-debug-symbols --deb-version "$own+kamailio$version-1" --output "$output")
