# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # work, whodunlink and tree come from the script that sources this, monitor goes there
#
# monitor.sh - the monitor as the benchmarks run it, and how they end. Sourced by them.

skip() {
    echo "SKIP: $*"
    exit 77
}

die() {
    echo "${0##*/}: error: $*" >&2
    exit 1
}

load() {
    cut -d ' ' -f 1 /proc/loadavg
}

# Until it has written nothing for 0.6 s. What it writes to its stdout, since it also writes an answer for each program
# that it holds.
wait_until_quiet() {
    n_same=0
    before=
    while [ "$n_same" -lt 3 ]; do
        sleep 0.2
        kill -0 "$monitor" 2>/dev/null || die "the monitor ended: $(cat "$work/errors")"
        if [ -f "$output" ]; then
            now=$(wc -c <"$output")
        else
            now=$(sed -n 's/^wchar: //p' "/proc/$monitor/io")
        fi
        if [ "$now" = "$before" ]; then
            n_same=$((n_same + 1))
        else
            n_same=0
        fi
        before=$now
    done
}

# start_monitor OUTPUT [OPTION...]
start_monitor() {
    output=$1
    shift
    setpriv --pdeathsig KILL "$whodunlink" watch --output=json "$@" "$tree" >"$output" 2>"$work/errors" &
    monitor=$!
    tries=0
    until grep -q '^watching ' "$work/errors"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 200 ] || ! kill -0 "$monitor" 2>/dev/null; then
            die "the monitor did not start: $(cat "$work/errors")"
        fi
        sleep 0.05
    done
    wait_until_quiet
}
