#!/bin/sh
# SPDX-License-Identifier: MIT
#
# audit.sh WHODUNLINK B_SANITIZE - whodunlink and auditd side by side on the same workloads, compared both ways.
#
# Each of workloads.sh deletes in a directory of its own on a tmpfs and on an ext4, while the monitor watches
# both filesystems and the kernel's audit subsystem writes down each successful deletion, exec and fork of the machine;
# compare.py then asks of every event of the one whether the other has it, and says the same of it. Not filtered in the
# kernel: its own filter by directory goes by names, which is where audit errs; compare.py takes the events by the device
# that each names. Deletions are prepared before anything watches, so whatever is seen is the workload's.
#
# auditd is one of our own, with a configuration, log and pid file below the place to work in. The machine has only one
# place for an audit daemon and one list of rules: where there is a daemon or a rule already, this test skips.
#
# All is undone by a process that waits for the end of this one, however that comes.
#
# WHODUNLINK_TEST_SCALE=N      percent of the size; 100 if not set
# WHODUNLINK_AUDIT_KEEP=DIR    copies the log, the records and the listings there, to run compare.py on them again
#
# Limits: once auditing was on, the kernel takes the slower path through system calls for all later processes until the
# next boot, also with no rule left. Only processes that begin after that are audited, hence the order of things here.

set -eu
export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

skip() {
    if [ -n "${WHODUNLINK_SKIP_IS_FAILURE-}" ]; then
        printf '1..1\nnot ok 1 - would skip: %s\n' "$*"
        exit 1
    fi
    echo "1..0 # SKIP $*"
    exit 0
}

die() {
    echo "audit.sh: error: $*" >&2
    printf '1..1\nnot ok 1 - %s\n' "$*"
    exit 1
}

# audit_status KEY: one figure of `auditctl -s`.
audit_status() {
    auditctl -s | sed -n "s/^$1 //p"
}

# Their answer to "no rules" differs between versions, but never begins like a rule.
has_rules() {
    auditctl -l | grep -q '^-'
}

# rules -a|-d: adds or deletes ours. An exec says what the arguments were, a fork who the parent was, a mkdir where the
# inode of that number is; PROCTITLE would repeat what EXECVE says. Newer architectures have no unlink(), only unlinkat().
rules() {
    deletions=unlinkat,renameat,renameat2,mkdirat
    lives=execve,execveat,clone,clone3
    if [ "$(uname -m)" = x86_64 ]; then
        deletions=$deletions,unlink,rmdir,rename,mkdir
        lives=$lives,fork,vfork
    fi
    for arch in b64 b32; do
        auditctl "$1" always,exit -F "arch=$arch" -S "$deletions" -F success=1 -k whodunlink-deletion || return 1
        auditctl "$1" always,exit -F "arch=$arch" -S "$lives" -F success=1 -k whodunlink-life || return 1
    done
    auditctl "$1" always,exclude -F msgtype=PROCTITLE
}

check_machine() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    for each in auditd auditctl setpriv unshare mkfs.ext4 busybox git make gcc rsync stress-ng python3 \
        systemd-tmpfiles; do
        command -v "$each" >/dev/null || skip "no $each"
    done
    # Only the initial pid namespace has process events.
    [ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] || skip "needs the initial pid namespace"
    auditctl -s >/dev/null 2>&1 || skip "the kernel has no audit, or this container may not use it"
    [ "$(audit_status pid)" = 0 ] || skip "an audit daemon runs already (pid $(audit_status pid)); it is left alone"
    [ "$(audit_status enabled)" != 2 ] || skip "the audit configuration is locked until the next boot (auditctl -e 2)"
    ! has_rules || skip "there are audit rules already; they are left alone"
}

# keep WORK ENABLED FAILURE LIMIT RATE: waits until nobody has the pipe open any more, then puts the machine back.
keep() {
    cat >/dev/null
    rules -d || true
    auditctl -e "$2" || true
    auditctl -f "$3" || true
    auditctl -b "$4" || true
    auditctl -r "$5" || true
    rm -rf "$1"
}

if [ "${1-}" = --keep ]; then
    shift
    keep "$@"
    exit
fi

if [ "${1-}" != --inside ]; then
    [ $# -eq 2 ] || die "usage: audit.sh WHODUNLINK B_SANITIZE"
    # The lock of the tests that lower pid_max, see harness_main_alone(): neither audit nor the monitor can always tell
    # two processes apart that have one pid within a moment. Another of these tests waits here, too.
    exec 8</proc/sys/kernel/pid_max
    flock 8
    check_machine
    work=$(mktemp -d /tmp/whodunlink-audit-XXXXXX)
    mkfifo "$work/alive"
    # In a session of its own, so that who kills the test's process group does not kill it.
    setsid sh "$0" --keep "$work" "$(audit_status enabled)" "$(audit_status failure)" "$(audit_status backlog_limit)" \
        "$(audit_status rate_limit)" <"$work/alive" >/dev/null 2>&1 &
    keeper=$!
    exec 9>"$work/alive"
    status=0
    unshare --mount --propagation private sh "$0" --inside "$work" "$@" || status=$?
    exec 9>&-
    wait "$keeper"
    exit "$status"
fi

here=$(dirname -- "$(readlink -f -- "$0")")
work=$2
whodunlink=$3
sanitizer=$4
auditd=
monitor=

clean_up() {
    for each in $monitor $auditd; do
        kill -KILL "$each" 2>/dev/null || true
    done
    # The rest goes with this mount namespace.
    umount -l "$work"
}

# await SECONDS COMMAND...: until the command succeeds.
await() {
    tries=$(($1 * 20))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.05
    done
}

make_filesystems() {
    mkdir "$work/tmpfs" "$work/ext4"
    mount -t tmpfs -o mode=0755,nr_inodes=0 tmpfs "$work/tmpfs"
    truncate -s 256M "$work/image"
    mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$work/image"
    mount -o loop "$work/image" "$work/ext4" || skip "no loop device or no ext4"
    rmdir "$work/ext4/lost+found"
}

is_auditd_ready() {
    [ "$(audit_status pid)" = "$auditd" ]
}

# Its pid file and socket are in /run, whatever the configuration says.
start_auditd() {
    mount -t tmpfs -o mode=0755 run /run
    mkdir -m 0750 "$work/audit" "$work/audit/plugins"
    cat >"$work/audit/auditd.conf" <<CONF
local_events = yes
write_logs = yes
log_file = $work/audit/audit.log
log_group = root
log_format = RAW
flush = NONE
max_log_file = 4096
max_log_file_action = IGNORE
num_logs = 0
priority_boost = 4
name_format = NONE
space_left = 2
space_left_action = IGNORE
admin_space_left = 1
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
q_depth = 2000
overflow_action = IGNORE
plugin_dir = $work/audit/plugins
CONF
    chmod 0640 "$work/audit/auditd.conf"
    setpriv --pdeathsig KILL auditd -n -s nochange -c "$work/audit" 9>&- &
    auditd=$!
    await 10 is_auditd_ready || die "auditd did not start (it says why in the system's log)"
}

# A full backlog makes the audited process wait, for minutes if need be, so that no event is lost.
start_auditing() {
    for set in '-f 1' '-r 0' '-b 65536' '--reset-lost' '-e 1'; do
        # shellcheck disable=SC2086 # two words
        auditctl $set >"$work/auditctl" 2>&1 || die "auditctl $set: $(tail -n 1 "$work/auditctl")"
    done
    rules -a >"$work/auditctl" 2>&1 || die "auditctl cannot set the rules: $(tail -n 1 "$work/auditctl")"
}

is_monitor_ready() {
    grep -q '"action":"start"' "$work/records" || ! kill -0 "$monitor" 2>/dev/null
}

start_monitor() {
    : >"$work/records"
    setpriv --pdeathsig KILL "$whodunlink" watch --output=json \
        "$work/tmpfs" "$work/ext4" >"$work/records" 2>"$work/errors" 9>&- &
    monitor=$!
    await 30 is_monitor_ready || die "the monitor did not start: $(cat "$work/errors")"
    kill -0 "$monitor" 2>/dev/null || die "the monitor ended: $(cat "$work/errors")"
}

has_seen_the_end() {
    grep -q "name=\"$work/tmpfs/end\"" "$work/audit/audit.log" && grep -q "$work/tmpfs/end\"" "$work/records"
}

# The last deletion of all, seen by both, says that both have seen all.
stop_both() {
    sh -c ': >"$1"; exec rm "$1"' sh "$work/tmpfs/end"
    await 60 has_seen_the_end || echo "# one of the two has not seen the last deletion"
    lost=$(audit_status lost)
    kill -TERM "$monitor"
    status=0
    wait "$monitor" || status=$?
    monitor=
    [ "$status" -eq 0 ] || die "the monitor's exit status is $status: $(cat "$work/errors")"
    # What is audited without a daemon goes to the kernel's log.
    rules -d >/dev/null 2>&1 || true
    auditctl -e 0 >/dev/null
    kill -TERM "$auditd"
    wait "$auditd" || true
    auditd=
}

# Device numbers as audit writes them.
device_of() {
    stat -c '%Hd %Ld' "$1" | { read -r major minor && printf '%02x:%02x\n' "$major" "$minor"; }
}

workload() {
    sh "$here/workloads.sh" "$@" 9>&- >"$work/said" 2>&1 || die "workload $*: $(tail -n 3 "$work/said")"
}

list() {
    find "$2" -printf '%i %y %p\0' >"$work/lists/$1-$3"
}

# all_workloads VERB
all_workloads() {
    for fs in tmpfs ext4; do
        for name in $names; do
            "$1" "$name" "$work/$fs/$name" "$fs"
        done
    done
}

prepare() {
    mkdir "$2"
    workload prepare "$1" "$2"
    list "$1" "$2" "$3-before"
}

act() {
    workload act "$1" "$2"
    list "$1" "$2" "$3-after"
}

mount -t tmpfs -o mode=0755,nr_inodes=0 audit "$work"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
umask 022

names=$(sh "$here/workloads.sh" names)
mkdir "$work/lists"
make_filesystems
all_workloads prepare
start_auditd
start_auditing
start_monitor
all_workloads act
stop_both

[ -z "${WHODUNLINK_AUDIT_KEEP-}" ] || cp -r "$work/audit/audit.log" "$work/records" "$work/lists" "$WHODUNLINK_AUDIT_KEEP"
status=0
# shellcheck disable=SC2086 # a list of words
python3 -B "$here/compare.py" --log="$work/audit/audit.log" --records="$work/records" --lists="$work/lists" \
    --lost="$lost" --sanitizer="$sanitizer" \
    --filesystem="tmpfs,$work/tmpfs,$(device_of "$work/tmpfs")" \
    --filesystem="ext4,$work/ext4,$(device_of "$work/ext4")" $names || status=$?
exit "$status"
