#!/usr/bin/env bash
# Installs the modules that `make` built, and removes them again.
#
#   install.sh install   copy modules, documents and license
#   install.sh remove    remove what that copied, and nothing else
#   install.sh where     print the folder of the modules
#
# MODULES   where `make` left them
# PREFIX    install below this; without it the modules go to the folder `rust` in
#           the module directory of the installed Kamailio, where its
#           `loadmodule "rust/ctl.so"` finds them, and the C modules stay as they are
# DOCUMENTS where README, docs and license go: share/doc below PREFIX, or below
#           /usr/local, unless it is named
# DESTDIR   put in front of every path, for packages
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
modules=${MODULES:-$root/target/modules}

fail() {
    printf 'install: %s\n' "$@" >&2
    exit 1
}

# The server says itself where its modules are.
directory_of_the_server() {
    local binary
    binary=$(PATH=$PATH:/usr/local/sbin:/usr/sbin command -v "${KAMAILIO_BIN:-kamailio}") || fail \
        "no Kamailio is installed whose module directory could be used: name a PREFIX"
    "$binary" -h | sed -n 's/.*Modules search path (default: \([^:)]*\).*/\1/p' | sed 's:/*$::'
}

if [ -n "${PREFIX:-}" ]; then
    [[ $PREFIX == /* ]] || fail "PREFIX is \"$PREFIX\"; a path that begins with / is needed"
    into=$PREFIX/lib/kamailio/modules/rust
else
    directory=$(directory_of_the_server)
    [[ $directory == /* ]] || fail "the server does not say where its modules are: name a PREFIX"
    into=$directory/rust
fi
documents=${DOCUMENTS:-${PREFIX:-/usr/local}/share/doc/kamailio-rust-modules}
modules_there=${DESTDIR:-}$into
documents_there=${DESTDIR:-}$documents

# The documents keep their places to each other, so that links in them hold.
pages() {
    (cd "$root" && printf '%s\n' README.md ARCHITECTURE.md CHANGELOG.md LICENSE docs/* examples/tiny/*)
}

case ${1:-} in
where)
    echo "$into"
    ;;
install)
    [ -n "$(compgen -G "$modules/*.so")" ] || fail "there are no modules in $modules: run make first"
    install -d "$modules_there"
    # -C makes a new file: a running server keeps the one that it has mapped.
    install -C -m 644 -t "$modules_there" "$modules"/*.so
    while read -r page; do
        install -D -m 644 "$root/$page" "$documents_there/$page"
    done < <(pages)
    echo "The modules are in $modules_there."
    ;;
remove)
    for name in "$root"/modules/*/; do
        rm -f "$modules_there/$(basename "$name").so"
    done
    while read -r page; do
        rm -f "$documents_there/$page"
    done < <(pages)
    # Only what is empty; somebody else's files stay.
    for directory in "$modules_there" "$documents_there"/examples/tiny "$documents_there"/{examples,docs,}; do
        [ ! -d "$directory" ] || rmdir --ignore-fail-on-non-empty "$directory"
    done
    ;;
*)
    fail "what is \"${1:-}\"? install, remove or where"
    ;;
esac
