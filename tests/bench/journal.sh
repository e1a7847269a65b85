#!/bin/sh
# SPDX-License-Identifier: MIT
#
# journal.sh COUNT STORM WHODUNLINK SENDER - what the journal costs
#
# COUNT files are deleted by one rm while journald is stopped; then it goes on, until the last record can be read there.
# The very same entries are sent again by a program that does nothing else (sd_journal_sendv). Then STORM files are
# deleted with the folding that is the default there.
#
# The journal is a systemd-journald of its own, in a mount namespace of its own with another /run, on a tmpfs.

set -eu
export LC_ALL=C

# shellcheck source=tests/bench/monitor.sh
. "${0%/*}/monitor.sh"

journald_program=/lib/systemd/systemd-journald
journal=/run/log/journal

if [ "${1-}" != --inside ]; then
    [ $# -eq 4 ] || die "usage: journal.sh COUNT STORM WHODUNLINK SENDER"
    [ -x "$journald_program" ] || skip "no $journald_program"
    set -- "$1" "$2" "$(readlink -f "$3")" "$(readlink -f "$4")"
    in_own_mounts "$@"
    exit
fi

work=$2
n=$3
n_storm=$4
whodunlink=$5
sender=$6
tree=$work/tree
monitor=

start_journald() {
    mount -t tmpfs -o mode=0755 run /run
    mkdir -p /run/systemd/journal /run/systemd/journald.conf.d "$journal"
    mount -t tmpfs -o mode=0755,size=60% journal "$journal"
    cat >/run/systemd/journald.conf.d/bench.conf <<-CONF
		[Journal]
		Storage=volatile
		RuntimeMaxUse=1G
		RuntimeKeepFree=1M
		RateLimitIntervalSec=0
		ReadKMsg=no
		Audit=no
		ForwardToSyslog=no
		ForwardToWall=no
	CONF
    # As systemd sets it; a socket has what its network namespace had.
    unshare --net sh -c 'echo 512 >/proc/sys/net/unix/max_dgram_qlen && exec "$@"' sh \
        setpriv --pdeathsig KILL "$journald_program" &
    journald=$!
    until [ -S /run/systemd/journal/socket ]; do sleep 0.05; done
}

# start OPTION...: the monitor, until its start record is in the journal.
start() {
    setpriv --pdeathsig KILL "$whodunlink" watch --output=journal "$@" "$tree" >"$work/out" 2>"$work/errors" &
    monitor=$!
    until grep -q '^watching ' "$work/errors"; do
        kill -0 "$monitor" 2>/dev/null || die "the monitor did not start: $(cat "$work/errors")"
        sleep 0.05
    done
    "$sender" "$journal" wait DELETION_ACTION=start
    sleep 0.5
}

stop() {
    kill "$monitor"
    wait "$monitor" || die "the monitor ended with $?: $(cat "$work/errors")"
    monitor=
}

# fill COUNT: files in one directory
fill() {
    mkdir -p "$tree/d"
    (cd "$tree/d" && seq "$1" | xargs touch)
}

now() {
    cut -d ' ' -f 1 /proc/uptime
}

# cpu_of PID: seconds
cpu_of() {
    awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) / hz }' "/proc/$1/stat"
}

# calculate EXPRESSION
calculate() {
    awk "BEGIN { printf \"%.*f\", ${2-1}, $1 }"
}

count() {
    journalctl -D "$journal" -q -o cat "$@" | wc -l
}

mount_work
mkdir "$tree"
start_journald
echo "journal: $n deletions, $(getconf _NPROCESSORS_ONLN) CPUs, Linux $(uname -r), $(journalctl --version | head -n 1)," \
    "load average $(load)"

fill "$n"
start --fold=0
cpu=$(cpu_of "$monitor") cpu_journald=$(cpu_of "$journald")
# How fast they are written, not how fast rm is.
kill -STOP "$journald"
rm -r "$tree/d"
sleep 1
begin=$(now)
kill -CONT "$journald"
"$sender" "$journal" wait DELETION_ACTION=rmdir
ours=$(calculate "$(now) - $begin" 2)
cpu=$(calculate "($(cpu_of "$monitor") - $cpu) * 1000000 / $n")
cpu_journald=$(calculate "($(cpu_of "$journald") - $cpu_journald) * 1000000 / $n")
stop
n_told=$(count DELETION_ACTION=unlink)
[ "$n_told" -eq "$n" ] || die "$n_told of $n deletions are in the journal"

# What is ready waits for its stdin to end.
mkfifo "$work/go"
"$sender" "$journal" send DELETION_ACTION=unlink <"$work/go" >"$work/sent" &
exec 3>"$work/go"
until grep -q ready "$work/sent"; do sleep 0.05; done
begin=$(now)
exec 3>&-
"$sender" "$journal" wait DELETION_ACTION=last
bare=$(calculate "$(now) - $begin" 2)
wait $!
echo "  each told: $ours s, $(calculate "$n / $ours" 0) records/s; CPU a record: $cpu us of ours, $cpu_journald us of" \
    "journald's"
echo "  sd_journal_sendv alone, same entries: $bare s, $(calculate "$n / $bare" 0)/s; ratio of the times" \
    "$(calculate "$ours / $bare" 2)"

fill "$n_storm"
touch "$tree/marker"
start
begin=$(now) cpu=$(cpu_of "$monitor") before=$(count SYSLOG_IDENTIFIER=whodunlink DELETION_ACTION=unlink)
rm -r "$tree/d"
deleting=$(calculate "$(now) - $begin" 2)
# Of another process: it is told, behind all others.
rm "$tree/marker"
"$sender" "$journal" wait DELETION_NAME=marker
told=$(calculate "$(now) - $begin" 2)
cpu=$(calculate "($(cpu_of "$monitor") - $cpu) * 1000000 / $n_storm" 2)
peak=$(awk '$1 == "VmHWM:" { printf "%.0f", $2 / 1024 }' "/proc/$monitor/status")
stop
n_told=$(($(count DELETION_ACTION=unlink) - before - 1))
n_folds=$(count DELETION_ACTION=fold)
n_folded=$(journalctl -D "$journal" -q -o cat DELETION_ACTION=fold | sed 's/.*"files":\([0-9]*\).*/\1/' |
    awk '{ n += $1 } END { print n + 0 }')
echo "  storm of $n_storm, folded: rm took $deleting s, all was told after $told s; $n_told records and $n_folds folds of $n_folded; $cpu us CPU of" \
    "ours a deletion, peak $peak MiB; load average $(load)"
[ $((n_told + n_folded)) -eq "$n_storm" ] || die "$n_told told and $n_folded folded are not $n_storm"
kill "$journald"
