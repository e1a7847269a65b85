#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bench.sh bulk|storm|hold tmpfs|ext4 WHODUNLINK DELETER - what being watched costs, and whom.
#
#   bulk   one process unlinks 100,000 files in 1,000 directories
#   storm  2,000 processes /bin/rm, one after the other, unlink a file each
#   hold   the same, always with the monitor: what --hold-exec costs the starting of programs
#
# Each is done in pairs, with the monitor and without, taking turns at going first, so that a machine that becomes
# slower meanwhile slows both. A missed target does not fail the benchmark, since a noisy machine is no defect; a
# missing record does. Beside the ratio of the times stands that of the deleter's CPU times, in which it does not count
# that others wanted the CPU too.
#
# Everything happens on a tmpfs in a mount namespace of its own and goes with it. ext4 is a loop device whose image is on
# that tmpfs, so no disk is measured.
#
# WHODUNLINK_BENCH_PAIRS=N  how many pairs; 5 if not set
#
# Limits: process events are the whole machine's, so what others start meanwhile is in the monitor's CPU time.

set -eu
export LC_ALL=C

# shellcheck source=tests/bench/monitor.sh
. "${0%/*}/monitor.sh"

if [ "${1-}" != --inside ]; then
    [ $# -eq 4 ] || die "usage: bench.sh bulk|storm|hold tmpfs|ext4 WHODUNLINK DELETER"
    [ "$2" != ext4 ] || command -v mkfs.ext4 >/dev/null || skip "no mkfs.ext4"
    in_own_mounts "$@"
    exit
fi

work=$2
kind=$3
fstype=$4
whodunlink=$5
deleter=$6
n_pairs=${WHODUNLINK_BENCH_PAIRS:-5}
tree=$work/fs/tree
samples=$work/samples
monitor=

case $kind in
bulk) n_directories=1000 n_files=100 verb=unlink ;;
storm | hold) n_directories=1 n_files=2000 verb=rm ;;
*) die "$kind: neither bulk nor storm nor hold" ;;
esac
n=$((n_directories * n_files))

mount_work
mkdir "$work/fs"
case $fstype in
tmpfs) mount -t tmpfs -o mode=0755,nr_inodes=0 tmpfs "$work/fs" ;;
ext4)
    truncate -s 1G "$work/image"
    mkfs.ext4 -q -F -N 160000 -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$work/image"
    mount -o loop "$work/image" "$work/fs" || skip "no loop device or no ext4"
    ;;
*) die "$fstype: neither tmpfs nor ext4" ;;
esac

sample() {
    echo "$1 $2" >>"$samples"
}

quotient() {
    awk -v a="$1" -v b="$2" 'BEGIN { print a / b }'
}

# Run time of the monitor's threads, nanoseconds: all, or the main one.
cpu_of_all() {
    cat "/proc/$monitor"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

cpu_of_main() {
    cut -d ' ' -f 1 "/proc/$monitor/task/$monitor/schedstat"
}

# Its summary must count all deletions and no loss.
stop_monitor() {
    kill -TERM "$monitor"
    status=0
    wait "$monitor" || status=$?
    monitor=
    [ "$status" -eq 0 ] || die "the monitor's exit status is $status: $(cat "$work/errors")"
    if ! grep -q "^$n deletions by .*, 0 losses$" "$work/errors"; then
        echo "bench.sh: the monitor's summary: $(tail -n 1 "$work/errors")" >&2
        sample incomplete 1
    fi
}

make_tree() {
    mkdir "$tree"
    "$deleter" make "$tree" "$n_directories" "$n_files" >/dev/null
}

# Sets nsec and cpu_nsec: of the deleter, for each file.
remove_files() {
    "$deleter" "$verb" "$tree" "$n_directories" "$n_files" >"$work/times"
    nsec=$(awk -v n="$n" '{ printf "%.1f\n", $1 / n }' "$work/times")
    cpu_nsec=$(awk -v n="$n" '{ printf "%.1f\n", $2 / n }' "$work/times")
}

# Each path must be there, and once. Adds to the samples what the records hold and lack; says how the deleter is known
# where that is not by its arguments.
check_records() {
    awk -v n="$n" -v kind="$kind" -v tree="$tree" -v samples="$samples" '
        index($0, "\"action\":\"unlink\"") {
            n_records++
            last = $0
            n_bytes += length($0) + 1
            path = ""
            if (at = index($0, "\"file\":{\"path\":\"")) {
                path = substr($0, at + 16)
                path = substr(path, 1, index(path, "\"") - 1)
            }
            if (index(path, tree "/") == 1 && !(path in seen)) {
                seen[path]
                n_seen++
            }
            if (kind != "bulk")
                args = "\"args\":[\"/bin/rm\",\"" path "\"]"
            else
                args = ",\"unlink\",\"" tree "\","
            if (!index($0, args)) {
                n_without_args++
                if (at = index($0, "\"attribution\":\"")) {
                    how = substr($0, at + 15)
                    how = substr(how, 1, index(how, "\"") - 1)
                    known_by[how]++
                }
            }
        }
        END {
            print "missing", n - n_seen >>samples
            print "surplus", n_records - n_seen >>samples
            print "without_args", n_without_args + 0 >>samples
            for (how in known_by)
                printf "  records without the arguments, attribution %s: %d\n", how, known_by[how]
            if (n_records)
                print "record_bytes", n_bytes / n_records >>samples
            # The last record stands for all: those of one parent have the same ancestors.
            if (at = index(last, "\"ancestry\":[")) {
                last = substr(last, at)
                print "ancestors", gsub(/\{"pid":/, "", last) >>samples
            }
        }
    ' "$work/output.json"
}

# For hold it is watched, too, but without holding.
unwatched() {
    make_tree
    [ "$kind" != hold ] || start_monitor /dev/null
    remove_files
    if [ "$kind" = hold ]; then
        wait_until_quiet
        stop_monitor
    fi
    rm -rf "$tree"
    unwatched_nsec=$nsec
    unwatched_cpu_nsec=$cpu_nsec
}

# watched file|null: where the records go.
watched() {
    make_tree
    case $kind-$1 in
    hold-file) start_monitor "$work/output.json" --hold-exec ;;
    *-file) start_monitor "$work/output.json" ;;
    *-null) start_monitor /dev/null ;;
    esac
    all=$(cpu_of_all)
    main=$(cpu_of_main)
    remove_files
    watched_nsec=$nsec
    watched_cpu_nsec=$cpu_nsec
    wait_until_quiet
    all=$(($(cpu_of_all) - all))
    main=$(($(cpu_of_main) - main))
    sample "cpu_$1" "$(quotient "$all" "$((n * 1000))")"
    sample "cpu_$1_witness" "$(quotient "$((all - main))" "$((n * 1000))")"
    sample memory "$(awk '/^VmHWM:/ { print $2 / 1024 }' "/proc/$monitor/status")"
    stop_monitor
    [ "$kind" != hold ] || sample dropped "$(grep -c '^no longer holding' "$work/errors" || true)"
    rm -rf "$tree"
    [ "$1" != file ] || {
        check_records
        rm "$work/output.json"
    }
}

load_before=$(load)
echo "$kind on $fstype: $n files in $n_directories directories, $n_pairs pairs," \
    "$(getconf _NPROCESSORS_ONLN) CPUs, Linux $(uname -r), load average $load_before"

i=0
while [ "$i" -lt "$n_pairs" ]; do
    i=$((i + 1))
    if [ $((i % 2)) -eq 1 ]; then
        unwatched
        watched file
    else
        watched file
        unwatched
    fi
    ratio=$(quotient "$watched_nsec" "$unwatched_nsec")
    sample unwatched "$unwatched_nsec"
    sample watched "$watched_nsec"
    sample ratio "$ratio"
    sample cpu_ratio "$(quotient "$watched_cpu_nsec" "$unwatched_cpu_nsec")"
    printf '  pair %d: without %9.0f ns a file, with %9.0f, ratio %.3f\n' \
        "$i" "$unwatched_nsec" "$watched_nsec" "$ratio"
done

if [ "$kind" = bulk ]; then
    for i in 1 2 3; do
        watched null
    done
fi
load_after=$(load)

awk -v kind="$kind" -v fstype="$fstype" -v load_before="$load_before" -v load_after="$load_after" '
    { values[$1, ++n_values[$1]] = $2 + 0 }

    function sort(key,    i, j, v) {
        for (i = 2; i <= n_values[key]; i++) {
            v = values[key, i]
            for (j = i - 1; j > 0 && values[key, j] > v; j--)
                values[key, j + 1] = values[key, j]
            values[key, j + 1] = v
        }
    }

    # target: "" none
    function figure(key, label, unit, n_digits, target,    m, median, f) {
        if (!(m = n_values[key]))
            return
        sort(key)
        median = m % 2 ? values[key, (m + 1) / 2] : (values[key, m / 2] + values[key, m / 2 + 1]) / 2
        f = "%10." n_digits "f"
        printf "  %-43s" f f f "  %-4s%s\n", label, values[key, 1], median, values[key, m], unit, \
            target == "" ? "" : sprintf("  %s  %s", target, median <= target ? "met" : "missed")
        f = "%." n_digits "f"
        json = json sprintf("{\"benchmark\":\"%s\",\"filesystem\":\"%s\",\"figure\":\"%s\",\"unit\":\"%s\",\"n\":%d," \
            "\"min\":" f ",\"median\":" f ",\"max\":" f "%s,\"load_before\":%s,\"load_after\":%s}\n", kind, fstype, \
            key, unit, m, values[key, 1], median, values[key, m], target == "" ? "" : ",\"target\":" target, \
            load_before, load_after)
    }

    END {
        printf "  %-43s%10s%10s%10s  %-4s  %s\n", "", "min", "median", "max", "", "median at most"
        each = kind == "bulk" ? "unlink" : "process"
        figure("unwatched", "one " each (kind == "hold" ? ", not held" : ", not watched"), "ns", 0, "")
        figure("watched", "one " each (kind == "hold" ? ", held" : ", watched"), "ns", 0, "")
        figure("ratio", "ratio, pair by pair", "", 3, kind != "bulk" ? "" : fstype == "tmpfs" ? 1.20 : 1.08)
        figure("cpu_ratio", "the same in CPU time", "", 3, "")
        figure("cpu_file", "monitor: CPU per " each ", JSON to a file", "us", 2, kind != "bulk" ? "" : 2.5)
        figure("cpu_file_witness", "  of which not the main thread", "us", 2, "")
        figure("cpu_null", "monitor: CPU per unlink, JSON to /dev/null", "us", 2, "")
        figure("record_bytes", "bytes per record", "B", 0, "")
        figure("ancestors", "ancestors in each record", "", 0, "")
        figure("memory", "monitor: peak memory (VmHWM)", "MiB", 1, "")
        figure("without_args", "records without the arguments", "", 0, "")
        figure("dropped", "ended the hold because it was late", "", 0, "")
        figure("missing", "records missing", "", 0, 0)
        figure("surplus", "records too many", "", 0, 0)
        printf "  load average %s before, %s after\n%s", load_before, load_after, json

        if (values["missing", n_values["missing"]] || values["surplus", n_values["surplus"]] || n_values["incomplete"])
            exit 1
    }
' "$samples" || die "records are missing or too many (above)"
