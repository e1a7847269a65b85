#!/bin/sh
# SPDX-License-Identifier: MIT
#
# forks.sh COUNT WHODUNLINK FORKER TINY - does the monitor's memory stay flat however many processes come and go?
#
# COUNT processes start and end, half of them execute a program (static, if there is a static C library), every
# hundredth deletes a file. After each tenth of them the monitor's memory is looked at. Fails if a deletion is missing
# and no loss is told.
#
# Everything happens on a tmpfs in a mount namespace of its own and goes with it.
#
# Limits: process events are the whole machine's, so what others start meanwhile is in the monitor's table, too.

set -eu
export LC_ALL=C

# shellcheck source=tests/bench/monitor.sh
. "${0%/*}/monitor.sh"

if [ "${1-}" != --inside ]; then
    [ $# -eq 4 ] || die "usage: forks.sh COUNT WHODUNLINK FORKER TINY"
    in_own_mounts "$@"
    exit
fi

work=$2
n=$3
whodunlink=$4
forker=$5
tiny=$6
tree=$work/tree
monitor=

# status_kib FIELD: of the monitor, KiB.
status_kib() {
    awk -v field="$1:" '$1 == field { print $2 }' "/proc/$monitor/status"
}

now() {
    cut -d ' ' -f 1 /proc/uptime
}

mount_work
mkdir "$tree"

load_before=$(load)
echo "forks: $n processes, every 100th deletes, $(getconf _NPROCESSORS_ONLN) CPUs, Linux $(uname -r)," \
    "load average $load_before"
start_monitor "$work/output.json"
begin=$(now)
printf '  %10s  %8s  %10s  %10s\n' processes seconds VmRSS VmHWM
{
    "$forker" "$tree" "$n" "$tiny" || echo failed
} | while read -r n_started; do
    [ "$n_started" != failed ] || exit 1
    elapsed=$(awk -v a="$begin" -v b="$(now)" 'BEGIN { printf "%.0f", b - a }')
    echo "$n_started $elapsed $(status_kib VmRSS) $(status_kib VmHWM)" >>"$work/points"
    # shellcheck disable=SC2046,SC2183 # four words
    printf '  %10s  %8s  %6s KiB  %6s KiB\n' $(tail -n 1 "$work/points")
done
wait_until_quiet
cpu=$(cat "/proc/$monitor"/task/*/schedstat | awk '{ sum += $1 } END { print sum / 1e9 }')
kill -TERM "$monitor"
status=0
wait "$monitor" || status=$?
monitor=
[ "$status" -eq 0 ] || die "the monitor's exit status is $status: $(cat "$work/errors")"
tail -n 1 "$work/errors" | sed 's/^/  summary: /'

awk -v n="$n" -v cpu="$cpu" -v load_before="$load_before" -v load_after="$(load)" '
    FNR == NR {
        rss[++n_points] = $3
        high = $4
        seconds = $2
        next
    }
    index($0, "\"action\":\"unlink\"") && (at = index($0, "/tree/file-")) {
        name = substr($0, at + 6, 12)
        if (!(name in seen)) {
            seen[name]
            n_seen++
        }
        n_records++
        how = "none"
        if (at = index($0, "\"attribution\":\"")) {
            how = substr($0, at + 15)
            how = substr(how, 1, index(how, "\"") - 1)
        }
        known_by[how]++
        n_named += index($0, "\"process\":{") && index($0, "\"name\":\"tiny\"") + index($0, "\"name\":\"forker\"") > 0
    }
    index($0, "\"action\":\"loss\"") {
        where = substr($0, index($0, "\"where\":\"") + 9)
        n_losses++
        lost[substr(where, 1, index(where, "\"") - 1)]++
    }
    END {
        n_made = int(n / 100)
        flatness = rss[n_points] / rss[1]
        printf "  deletions: %d made, %d seen, %d records; %d name the deleter\n", n_made, n_seen, n_records, n_named
        for (how in known_by)
            printf "    attribution %s: %d\n", how, known_by[how]
        printf "  loss records: %d\n", n_losses
        for (where in lost)
            printf "    of %s: %d\n", where, lost[where]
        printf "  memory, last tenth to first: %.3f; peak %.1f MiB\n", flatness, high / 1024
        printf "  monitor: %.1f us of CPU a process; %.0f processes a second\n", cpu * 1e6 / n, n / (seconds ? seconds : 1)
        printf "  load average %s before, %s after\n", load_before, load_after
        printf "{\"benchmark\":\"forks\",\"processes\":%d,\"deletions\":%d,\"seen\":%d,\"named\":%d,\"losses\":%d," \
            "\"flatness\":%.3f,\"peak_kib\":%d,\"cpu_us\":%.2f,\"load_before\":%s,\"load_after\":%s}\n", n, n_made, n_seen, \
            n_named, n_losses, flatness, high, cpu * 1e6 / n, load_before, load_after
        exit n_points != 10 || n_records > n_seen || (n_seen < n_made && !n_losses)
    }
' "$work/points" "$work/output.json" || die "deletions are missing and no loss is told, or some are told twice (above)"
