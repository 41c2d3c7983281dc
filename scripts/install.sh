#!/usr/bin/env bash
# Installs modules that `make` built, and removes them again.
#
#   install.sh install MODULES...   copies the modules in each of these directories,
#                                   the documents, man pages and the license
#   install.sh remove               removes what was copied, and nothing else
#   install.sh where                prints the directory that has the builds
#
# The modules of each directory go into a directory beside the C modules that is
# named after the server they fit, such as rust-5.6.3-1f0c9a3e. The link `rust`
# points to the one for the installed server, so that its
# `loadmodule "rust/ctl.so"` finds them.
#
# PREFIX    the directory to install below. Without it the modules go to the module
#           directory of the installed Kamailio, and everything else below /usr/local
# SUPPORT   the directory for everything but the modules. The default is PREFIX
# DOCUMENTS the directory for README, docs and license. The default is share/doc
#           below SUPPORT
# DESTDIR   is put in front of every path, for packages
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C

. "$(dirname "$0")/common.sh"
name=kamailio-rust-modules

find_server() {
    PATH=$PATH:/usr/local/sbin:/usr/sbin command -v "${KAMAILIO_BIN:-kamailio}"
}

if [ -n "${PREFIX:-}" ]; then
    [[ $PREFIX == /* ]] || fail "PREFIX is \"$PREFIX\"; a path that begins with / is needed"
    into=$PREFIX/lib/kamailio/modules
    server=$PREFIX/sbin/kamailio
    [ -f "$server" ] || server=$(find_server || echo "$server")
else
    server=$(find_server) || fail \
        "no Kamailio is installed whose module directory could be used: name a PREFIX"
    # The server itself says where its modules are.
    into=$("$server" -h | sed -n 's/.*Modules search path (default: \([^:)]*\).*/\1/p' | sed 's:/*$::')
    [[ $into == /* ]] || fail "the server does not say where its modules are: name a PREFIX"
fi
server=$(realpath "$server" 2>/dev/null || echo "$server")
destdir=${DESTDIR:-}
support=${SUPPORT:-${PREFIX:-/usr/local}}
documents=${DOCUMENTS:-$support/share/doc/$name}
tool=$support/sbin/$name
list=$support/share/$name/installed
installed=()

# Makes a directory, and records those that did not exist before or have one of our
# names.
make_directory() {
    local directory=$1
    while [ "$directory" != / ]; do
        if [ ! -d "$destdir$directory" ] || [[ $directory == */"$name"* || $directory == "$into"/rust-* ]]; then
            installed+=("$directory/")
        fi
        directory=$(dirname "$directory")
    done
    install -d "$destdir$1"
}

# Copies a file and records it. -C makes a new file, so that a running server keeps
# the one that it has mapped.
copy() { # MODE FILE TARGET
    make_directory "$(dirname "$3")"
    install -C -m "$1" "$2" "$destdir$3"
    installed+=("$3")
}

# Copies a file and fills in the paths that it names.
fill() { # MODE FILE TARGET
    local filled text
    text=$(<"$2")
    text=${text//@MODULES@/"$into"}
    text=${text//@SERVER@/"$server"}
    text=${text//@TOOL@/"$tool"}
    filled=$(mktemp)
    printf '%s\n' "$text" >"$filled"
    copy "$1" "$filled" "$3"
    rm -f "$filled"
}

run_tool() {
    DPKG_ROOT=$destdir KAMAILIO_PROGRAM=$server "$destdir$tool" "$@"
}

# Two owners of one directory would remove each other's files.
refuse_what_dpkg_has() {
    [ -z "$destdir" ] && command -v dpkg-query >/dev/null || return 0
    local owner
    owner=$(dpkg-query --search "$1" 2>/dev/null | cut -d: -f1 | head -n 1) || return 0
    fail "$1 belongs to the package $owner." \
        "Install the package that \`make deb\` makes, or remove that one first."
}

# Prints where modules will go. Whatever prevents that is said before anything is
# copied.
folder_for() { # MODULES
    local folder
    [ -n "$(compgen -G "$1/*.so")" ] || fail "there are no modules in $1: run make first"
    folder=$into/$("$root/packaging/$name" folder "$1")
    refuse_what_dpkg_has "$folder"
    echo "$folder"
}

install_modules() { # MODULES FOLDER
    local file
    for file in "$1"/*.so; do
        copy 644 "$file" "$2/$(basename "$file")"
    done
    echo "The modules are in $destdir$2."
}

# Documents keep their relative places, so that the links in them hold.
install_documents() {
    local page
    while read -r page; do
        copy 644 "$root/$page" "$documents/$page"
    done < <(cd "$root" && printf '%s\n' README.md ARCHITECTURE.md CHANGELOG.md \
        CONTRIBUTING.md SECURITY.md LICENSE docs/*.* examples/tiny/*)
    for page in "$root"/docs/man/*.[78]; do
        copy 644 "$page" "$support/share/man/man${page##*.}/$(basename "$page")"
    done
}

# Installs the hooks that warn before an upgrade of the server and choose the build
# when it starts. A server below a prefix is upgraded by other means.
install_hooks() {
    [ -z "${PREFIX:-}" ] || return 0
    [ ! -d /etc/apt/apt.conf.d ] || fill 644 "$root/packaging/apt.conf" "/etc/apt/apt.conf.d/50$name"
    fill 644 "$root/packaging/kamailio.service.d.conf" \
        "$support/lib/systemd/system/kamailio.service.d/$name.conf"
}

reload_systemd() {
    [ -n "$destdir" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload
}

write_list() {
    make_directory "$(dirname "$list")"
    installed+=("$list")
    { cat "$destdir$list" 2>/dev/null || true; printf '%s\n' "${installed[@]}"; } | sort -u >"$destdir$list.new"
    mv "$destdir$list.new" "$destdir$list"
}

choose_build() {
    local folder
    run_tool select || true
    for folder in "${folders[@]}"; do
        run_tool fits "$destdir$folder" || printf '%s\n' \
            "These are not for the server that is installed, $server, which would refuse them." \
            "    $folder" \
            "The link $into/rust leads to $(readlink "$destdir$into/rust")."
    done
}

remove_listed() {
    local entry entries
    mapfile -t entries < <(sort -r "$destdir$list")
    run_tool before-removal
    run_tool remove-link
    for entry in "${entries[@]}"; do
        [[ $entry == */ ]] || rm -f "$destdir$entry"
    done
    # Inner directories go first, and only if they are empty; other people's files stay.
    for entry in "${entries[@]}"; do
        [[ $entry != */ ]] || [ ! -d "$destdir$entry" ] ||
            rmdir --ignore-fail-on-non-empty "$destdir$entry"
    done
}

# Early builds of version 0.1.0 kept no list, but the names of their modules are known.
remove_unlisted() {
    local module
    for module in ctl jsonrpcs mi_datagram tcpops; do
        rm -f "$destdir$into/rust/$module.so"
    done
    [ ! -d "$destdir$into/rust" ] || rmdir --ignore-fail-on-non-empty "$destdir$into/rust"
}

case ${1:-} in
where)
    echo "$into"
    ;;
install)
    shift
    [ $# -gt 0 ] || set -- "$root/target/modules"
    folders=()
    for directory in "$@"; do
        folder=$(folder_for "$directory")
        folders+=("$folder")
    done
    fill 755 "$root/packaging/$name" "$tool"
    for index in "${!folders[@]}"; do
        install_modules "${@:index+1:1}" "${folders[index]}"
    done
    install_documents
    install_hooks
    write_list
    choose_build
    reload_systemd
    ;;
remove)
    if [ -f "$destdir$list" ]; then
        remove_listed
        reload_systemd
    else
        remove_unlisted
    fi
    ;;
*)
    fail "what is \"${1:-}\"? install, remove or where"
    ;;
esac
