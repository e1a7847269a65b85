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

# Until it has written nothing for 0.6 s.
wait_until_quiet() {
    n_same=0
    before=
    while [ "$n_same" -lt 3 ]; do
        sleep 0.2
        now=$(sed -n 's/^wchar: //p' "/proc/$monitor/io") || die "the monitor ended: $(cat "$work/errors")"
        if [ "$now" = "$before" ]; then
            n_same=$((n_same + 1))
        else
            n_same=0
        fi
        before=$now
    done
}

# start_monitor OUTPUT
start_monitor() {
    setpriv --pdeathsig KILL "$whodunlink" watch --output=json "$tree" >"$1" 2>"$work/errors" &
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
