#!/bin/sh
# SPDX-License-Identifier: MIT
#
# manual.sh PROGRAM MANUAL - the manual page and --help name the same verbs and the same options.

set -eu

program=$1
manual=$2
n=0
failed=0

# report OK WHAT
report() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        failed=1
    fi
}

options_of() {
    grep -oE -e '--[a-z][a-z-]*[a-z]' | sort -u
}

# The section of the manual with this heading.
section() {
    awk -v heading="# $1" '/^# / { on = $0 == heading } on' "$manual"
}

verbs=$("$program" --help | awk '/^  [a-z]+ / { print $1 }' | grep -vx whodunlink)
for verb in $verbs; do
    grep -qx "\*$verb\*" "$manual" && r=0 || r=1
    report $r "verb $verb is in the manual"

    in_help=$("$program" "$verb" --help | options_of)
    # The options that head a paragraph: others are only spoken of.
    in_manual=$(section "OPTIONS OF $(echo "$verb" | tr a-z A-Z)" | grep -E '^\*-' | options_of)
    [ -n "$in_help" ] && [ "$in_help" = "$in_manual" ] && r=0 || r=1
    report $r "options of $verb"
    if [ $r -ne 0 ]; then
        printf 'help:\n%s\nmanual:\n%s\n' "$in_help" "$in_manual" | sed 's/^/# /'
    fi
done

case $verbs in
*watch*) r=0 ;;
*) r=1 ;;
esac
report $r "the verbs were found"
echo "1..$n"
exit $failed
