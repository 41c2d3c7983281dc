#!/usr/bin/env bash
# Builds a Kamailio from its sources in .deps/, for tests with a version that is
# not installed.
#
#   server.sh 6.0.1   makes .deps/server-6.0.1/{kamailio,lib,modules}
#
# Of the modules it builds those that the tests name.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
version=${1:?usage: server.sh VERSION}
"$root/scripts/setup.sh" server
"$root/scripts/headers.sh" "$version"

server=$root/.deps/server-$version
tree=$server/tree
if [ ! -d "$tree" ]; then
    mkdir -p "$server"
    cp -r "$root/.deps/kamailio-$version" "$server/copy"
    mv -T "$server/copy" "$tree"
fi

# Prints the modules of the tree whose names stand between quotes in the tests.
# Those of the documents name languages, and no module that others do not.
named_modules() {
    local name
    grep -rohE '"[a-z0-9_]+"' "$root/tests" "$root/benches" --include='*.rs' \
        --exclude-dir=documents | tr -d '"' | sort -u | while read -r name; do
        [ ! -f "$tree/src/modules/$name/Makefile" ] || echo "$name"
    done
}

# Kamailio's makefiles are not to see the flags of one that runs this.
build() {
    env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL \
        make -s -j"$(nproc)" -C "$tree" "$@" >>"$server/log" 2>&1 || {
        tail -n 20 "$server/log" >&2
        echo "server: Kamailio $version does not build; $server/log has it all" >&2
        exit 1
    }
}

wanted=()
while read -r name; do
    [ -f "$server/modules/$name.so" ] || wanted+=("modules/$name")
done < <(named_modules)
if [ -x "$server/kamailio" ] && [ ${#wanted[@]} = 0 ]; then
    exit 0
fi

echo "server: building Kamailio $version and ${#wanted[@]} modules"
: >"$server/log"
build kamailio
build -C src modules modules="${wanted[*]}"
mkdir -p "$server/lib" "$server/modules"
find "$tree/src/modules" -name '*.so' -exec cp -u -t "$server/modules" {} +
find "$tree/src/lib" -name '*.so*' -exec cp -uP -t "$server/lib" {} +
cp -u "$tree/src/kamailio" "$server/kamailio"
