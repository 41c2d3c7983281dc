#!/usr/bin/env bash
# Prints what CHANGELOG.md says about a version.
#
#   release-notes.sh VERSION   a version such as 0.1.0; it has to be the tree's own
set -euo pipefail

. "$(dirname "$0")/common.sh"
version=${1:?usage: release-notes.sh VERSION}

own=$(sed -n 's/^version *= *"\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
[ "$version" = "$own" ] || fail "the version of this tree is $own, not $version"
notes=$(awk -v heading="## [$version]" '
    /^## / { found = index($0, heading) == 1; next }
    found' "$root/CHANGELOG.md")
[ -n "$notes" ] || fail "CHANGELOG.md has no section \"## [$version]\""
sed '/./,$!d' <<<"$notes"
