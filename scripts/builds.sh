#!/usr/bin/env bash
# Builds the modules for other versions of Kamailio than the installed one.
#
#   builds.sh TARGET KAMAILIO...   a KAMAILIO is a version whose sources Debian
#                                  has, or the path of a source tree. The modules
#                                  are put into TARGET/kamailio-VERSION/modules, or
#                                  into TARGET/kamailio-NAME/modules for a tree with
#                                  another name
#
# Each version has a target directory of its own, because in a common one each
# would make cargo build the others anew.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
target=${1:?usage: builds.sh TARGET KAMAILIO...}
shift

for kamailio in "$@"; do
    tree=$kamailio
    if [[ $kamailio != */* ]]; then
        "$root/scripts/headers.sh" "$kamailio"
        tree=$root/.deps/kamailio-$kamailio
    fi
    name=$(basename "$tree")
    env -u KAMAILIO_BIN make --no-print-directory -C "$root" modules KAMAILIO_SRC="$tree" \
        CARGO_TARGET_DIR="$target/kamailio-${name#kamailio-}"
done
