#!/usr/bin/env bash
# Builds a Kamailio from its sources, for tests with one that is not installed.
# It copies the sources first and writes nothing into them.
#
#   server.sh VERSION make|cmake [TESTS...]          from Debian's source package
#   server.sh SOURCE-TREE make|cmake [TESTS...]      from any tree, such as a git
#                                                    checkout
#
# The result is below .deps, in the directory that is printed last:
#   kamailio, lib/, modules/    the server, and the modules that the tests name; TESTS
#                               are the files to search, by default all
#   source                      a link to what KAMAILIO_SRC has to name
#   origin                      the version and the commit of the sources
set -euo pipefail

. "$(dirname "$0")/common.sh"
deps=$root/.deps

[ $# -ge 2 ] || fail "usage: server.sh VERSION|SOURCE-TREE make|cmake [TESTS...]"
named=$1
with=$2
shift 2
tests=("$@")
[ $# -gt 0 ] || tests=("$root/tests" "$root/benches")
case $with in
make) "$root/scripts/setup.sh" build server >&2 ;;
cmake) "$root/scripts/setup.sh" build server cmake >&2 ;;
*) fail "Kamailio is built with make or with cmake, not with \"$with\"" ;;
esac

if [ -d "$named" ]; then
    origin=$(cd "$named" && pwd)
else
    "$root/scripts/headers.sh" "$named" >&2
    origin=$deps/kamailio-$named
fi
[ -f "$origin/src/core/ver_defs.h" ] || fail "$origin is no source tree of Kamailio"
[ "$with" = make ] || [ -f "$origin/CMakeLists.txt" ] || fail \
    "$origin has no CMakeLists.txt: Kamailio is built with CMake from 6.0 on only"

# Prints a field of the makefiles' version.
field() {
    sed -n "s/^$1 *[:?]\\{0,1\\}= *\\([^ #]*\\).*/\\1/p" "$origin/src/Makefile.defs" | head -n 1
}
version=$(field VERSION).$(field PATCHLEVEL).$(field SUBLEVEL)$(field EXTRAVERSION)

# These are left in a tree by an earlier build, and are not copied.
left=(.git ./build '*.o' '*.d' '*.so' '*.so.*' '*.a' config.mak modules.lst makecfg.lst librpath.lst autover.h
    ./src/kamailio lex.yy.c cfg.tab.c cfg.tab.h)

# Prints something that changes with the sources.
state() {
    (
        cd "$origin"
        echo "$origin"
        find . -path ./.git -prune -o -path ./build -prune -o -type f \
            ! -name '*.[oda]' ! -name '*.so*' ! -name '*.lst' ! -name config.mak ! -name autover.h \
            ! -path ./src/kamailio ! -name lex.yy.c ! -name 'cfg.tab.[ch]' \
            -printf '%p %s %T@\n' | sort
    ) | sha256sum | cut -c1-16
}

# Prints the commit of a checkout, and whether it is changed.
commit() {
    local changed=
    git -C "$origin" rev-parse --is-inside-work-tree >/dev/null 2>&1 || return 0
    [ "$(git -C "$origin" rev-parse --show-toplevel)" = "$origin" ] || return 0
    [ -z "$(git -C "$origin" status --porcelain)" ] || changed=' and changes'
    echo "$(git -C "$origin" rev-parse --short=12 HEAD)$changed"
}

# Prints the modules of the tree whose names stand between quotes in the tests. The
# tests of the documents are left out: they name languages, and no further module.
named_modules() {
    local name
    grep -rohE '"[a-z0-9_]+"' "${tests[@]}" --include='*.rs' \
        --exclude-dir=documents | tr -d '"' | sort -u | while read -r name; do
        [ ! -f "$origin/src/modules/$name/Makefile" ] || echo "$name"
    done
}

# Kamailio's makefiles must not see the flags of a make that runs this script.
run() {
    env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL "$@" >>"$server/log" 2>&1 || {
        tail -n 20 "$server/log" >&2
        fail "Kamailio $version does not build; $server/log has it all"
    }
}

build_with_make() {
    local names=("${wanted[@]/#/modules/}")
    run make -s -C "$tree" FLAVOUR=kamailio cfg
    # Several jobs at once would read the parser's header while it is written.
    run make -s -C "$tree/src" core/cfg.tab.c core/lex.yy.c
    run make -s -j"$(nproc)" -C "$tree" kamailio
    run make -s -j"$(nproc)" -C "$tree/src" modules modules="${names[*]}"
    built=$tree
    ln -sfn tree "$server/source"
}

build_with_cmake() {
    local others linked=()
    built=$server/build
    others=$(find "$tree/src/modules" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' |
        grep -vxF -f <(printf '%s\n' "${wanted[@]}") | tr '\n' ' ')
    # 6.0.1 does not link the library that dialplan needs, and the module then does not
    # load.
    grep -q target_link_libraries "$tree/src/modules/dialplan/CMakeLists.txt" ||
        linked=("-DCMAKE_SHARED_LINKER_FLAGS=-Wl,--no-as-needed -lpcre2-8")
    run cmake -S "$tree" -B "$built" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DBUILD_DOC=OFF "${linked[@]}" \
        "-DINCLUDE_MODULES=${wanted[*]}" "-DEXCLUDE_MODULES=$others"
    run cmake --build "$built" --parallel "$(nproc)" --target kamailio "${wanted[@]}"
    ln -sfn build "$server/source"
}

label=$version
[ ! -d "$named" ] || label=$version-$(printf %s "$origin" | sha256sum | cut -c1-6)
server=$deps/server-$label-$with
tree=$server/tree
mapfile -t wanted < <(named_modules)
now=$(state)

# Says whether it was built from these sources, with at least these modules.
is_built() {
    local name
    [ "$(cat "$server/state" 2>/dev/null)" = "$now" ] || return 1
    for name in "${wanted[@]}"; do [ -f "$server/modules/$name.so" ] || return 1; done
}

if is_built; then
    echo "$server"
    exit 0
fi

echo "server: building Kamailio $version and ${#wanted[@]} modules with $with" >&2
rm -rf "$server"
mkdir -p "$tree" "$server/lib" "$server/modules"
tar -C "$origin" -cf - "${left[@]/#/--exclude=}" . | tar -C "$tree" -xf -
: >"$server/log"
"build_with_$with"
find "$built/src/modules" -name '*.so' -exec cp -t "$server/modules" {} +
find "$built/src/lib" -name '*.so*' -exec cp -P -t "$server/lib" {} +
cp "$built/src/kamailio" "$server/kamailio"
printf 'version %s\ncommit %s\n' "$version" "$(commit)" >"$server/origin"
echo "$now" >"$server/state"
echo "$server"
