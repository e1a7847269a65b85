#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-units.sh PROGRAM UNIT... - what systemd-analyze says of the units, with the program as it is built: `verify` must
# not say a word, and `security` at most 3.0. TAP.

set -eu

exposure_max=30 # in tenths
# meson gives a relative one.
program=$(readlink -f "$1")
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0

ok() { n=$((n + 1)) && echo "ok $n - $1"; }
not_ok() {
    n=$((n + 1))
    echo "not ok $n - $1"
    printf '%s\n' "$2" | sed 's/^/# /'
}

for unit; do
    name=$(basename "$unit")
    # As it would be installed; an instance of the template.
    file=$dir/$(echo "$name" | sed 's/@\./@tmp./')
    sed "s,^\(ExecStart=:*\)[^ ]*,\1$program," "$unit" >"$file"

    said=$(systemd-analyze verify --man=no "$file" 2>&1) || said="$said
exit status $?"
    if [ -z "$said" ]; then ok "verify $name"; else not_ok "verify $name" "$said"; fi

    said=$(systemd-analyze security --offline=yes --no-pager "$file" 2>&1) || true
    exposure=$(printf '%s\n' "$said" | sed -n 's/.*exposure level for [^:]*: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
    if [ -n "$exposure" ] && [ "$exposure" -le $exposure_max ]; then
        ok "security $name: $exposure tenths"
    else
        not_ok "security $name: ${exposure:-unknown} tenths, at most $exposure_max" "$said"
    fi
done
echo "1..$n"
