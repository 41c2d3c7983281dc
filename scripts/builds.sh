#!/usr/bin/env bash
# Builds the modules for more than the installed Kamailio.
#
#   builds.sh TARGET KAMAILIO...   a KAMAILIO is a version that Debian has the
#                                  sources of, or the path of a source tree; the
#                                  modules are put into TARGET/kamailio-VERSION/modules,
#                                  or for a tree of another name TARGET/kamailio-NAME/modules
#
# Each has a target directory of its own: in a common one each would have the
# others built anew.
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
