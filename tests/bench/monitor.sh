# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # work, whodunlink and tree come from the script that sources this, monitor goes there
#
# monitor.sh - the monitor as the benchmarks run it, the mount namespace that they work in, and how they end. Sourced by
# them.

skip() {
    echo "SKIP: $*"
    exit 77
}

die() {
    echo "${0##*/}: error: $*" >&2
    exit 1
}

end_on_signals() {
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# in_own_mounts ARGUMENT...: runs the script again as "SCRIPT --inside WORK ARGUMENT...", where WORK is a new directory and
# what is mounted is seen by nobody else.
in_own_mounts() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    work=$(mktemp -d /tmp/whodunlink-bench-XXXXXX)
    trap 'rmdir "$work"' EXIT
    end_on_signals
    unshare --mount --propagation private sh "$0" --inside "$work" "$@"
}

# A tmpfs to work on, which goes with the script, as does the monitor. What still runs in there after a signal keeps the
# mounts for a moment longer.
mount_work() {
    mount -t tmpfs -o mode=0755,nr_inodes=0,size=75% bench "$work"
    trap clean_up EXIT
    end_on_signals
}

clean_up() {
    if [ -n "${monitor-}" ] && kill -KILL "$monitor" 2>/dev/null; then
        wait "$monitor" 2>/dev/null || true
    fi
    ! mountpoint -q "$work/fs" || umount -l "$work/fs"
    umount -l "$work"
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
