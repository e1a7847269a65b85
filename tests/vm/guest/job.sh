# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# guest/job.sh - the service as it is installed, under its hardening, does the whole job: from the boot's own removals on, on
# each kind of filesystem, through restarts, kills, a hang, and a journal in trouble.

. "$guest/tap.sh"

unit=whodunlink.service
n_storm=$((${WHODUNLINK_TEST_SCALE:-5} * 40)) # 200 in CI
n_rounds=$((1 + ${WHODUNLINK_TEST_SCALE:-5} / 20))

prepare() {
    printf 'D /var/lib/at-boot 0755 root root -\n' >/etc/tmpfiles.d/at-boot.conf
    mkdir -p /var/lib/at-boot
    echo boot >/var/lib/at-boot/file
    # As long as the watchdog waits in earnest, CI cannot wait.
    mkdir -p "/etc/systemd/system/$unit.d"
    printf '[Service]\nWatchdogSec=5s\n' >"/etc/systemd/system/$unit.d/vm.conf"
    systemctl enable "$unit"
}

# By the journal's index, since reading all of it takes an emulated guest seconds.
records() { journalctl -b -t whodunlink -o cat "$@"; }
record() { records "DELETION_PATH=$1"; }
is_told() { [ -n "$(record "$1")" ]; }
# holds PATH FILTER: of the first record of a path, which comes soon.
holds() {
    wait_until 90 is_told "$1"
    record "$1" | head -n 1 | jq -e "$2" && return
    record "$1"
    return 1
}
covered() { records DELETION_ACTION=coverage | jq -r .message; }
# On an overlay before Linux 6.6 no directory can be marked, which is told; then its upper layer's mark sees what goes.
is_seen() { covered | grep -E "^(watching|cannot watch) $1 "; }
comes_to_be_seen() { wait_until 90 is_seen "$1" || { covered && false; }; }
main_pid() { systemctl show -P MainPID "$unit"; }
is_active() { systemctl is-active --quiet "$unit"; }
# Another process than PID is the service's.
is_other() { is_active && [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ]; }

at_boot() {
    check 'the service is active' is_active
    check 'the boot removes what it is told to' test ! -e /var/lib/at-boot/file
    check 'the boot'"'"'s own removals are told' holds /var/lib/at-boot/file \
        '.systemd.unit == "systemd-tmpfiles-setup.service" and .process.name == "systemd-tmpfiles"'
    check_line 'it breaks no cycle of orderings' '! journalctl -b _PID=1 -o cat | grep -i "ordering cycle"'
    said=$(systemd-analyze verify --man=no "$unit" 2>&1)
    check_line 'systemd-analyze verify is silent' '[ -z "$said" ] || { echo "$said"; false; }'
    exposure=$(systemd-analyze security --no-pager "$unit" | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
    check "its exposure is $exposure, 3.0 at most" awk -v e="$exposure" 'BEGIN { exit !(e != "" && e <= 3.0) }'
}

# What each filesystem is: the place, then the path that is told.
make_filesystems() {
    mkdir -p /srv/job /mnt/btrfs /mnt/over /mnt/layers
    mount -t tmpfs -o mode=0755 tmpfs /mnt/layers
    mkdir /mnt/layers/lower /mnt/layers/upper /mnt/layers/work
    echo lower >/mnt/layers/lower/lower-file
    mount -t overlay -o lowerdir=/mnt/layers/lower,upperdir=/mnt/layers/upper,workdir=/mnt/layers/work overlay /mnt/over
    truncate -s 200M /var/tmp/btrfs
    mkfs.btrfs -q /var/tmp/btrfs >/dev/null 2>&1
    mount -o loop /var/tmp/btrfs /mnt/btrfs
    btrfs -q subvolume create /mnt/btrfs/sub || btrfs subvolume create /mnt/btrfs/sub >/dev/null
    for each in /mnt/layers /mnt/btrfs /mnt/over; do
        check "what is mounted is told of: $each" comes_to_be_seen "$each"
    done
}

on_filesystems() {
    make_filesystems
    for each in /srv/job /dev/shm /mnt/btrfs /mnt/btrfs/sub /mnt/over; do
        file=$each/job-file
        echo x >"$file"
        rm "$file"
        check "told: $file" holds "$file" \
            '.event.action == "unlink" and .process.name == "rm" and .process.args == ["rm", .file.path]
                and .user.name == "root" and .systemd.unit == "vm.service"'
    done
    rm /mnt/over/lower-file
    check 'told: a file of an overlay'"'"'s lower layer' holds /mnt/over/lower-file '.process.name == "rm"'
    # The first deletion of a user may be told before his name is known; the number is there.
    chmod 0777 /srv/job
    for each in first second; do
        echo x >"/srv/job/$each"
        systemd-run --quiet --wait --unit=job-of-nobody --uid=nobody sh -c "rm -f /srv/job/$each; :"
        wait_until 90 is_told "/srv/job/$each"
    done
    check 'told: user, unit and parent' holds /srv/job/second \
        '.user.id == "65534" and .user.name == "nobody" and .systemd.unit == "job-of-nobody.service" and .process.parent.name == "sh"'
    umount /mnt/over
    umount /mnt/btrfs
}

# storm DIRECTORY N: N deletions by a process for each ten.
storm() {
    mkdir -p "$1"
    (cd "$1" && seq -f 'f%.0f' "$2" | xargs touch && seq -f 'f%.0f' "$2" | xargs -n 10 rm)
}

told_in() { records "DELETION_DIRECTORY=$1" DELETION_ACTION=unlink; }
n_told() { told_in "$1" | jq -r .file.path | sort -u | wc -l; }
all_are_told() { [ "$(n_told "$1")" -ge "$2" ]; }
# Two records of one deletion have one event.id: as many of those as paths.
n_ids() { told_in "$1" | jq -r .event.id | sort -u | wc -l; }
n_unattributed() { told_in "$1" | jq -r 'select(.process.name != "rm") | .file.path' | sort -u | wc -l; }
n_losses() { records DELETION_ACTION=loss | wc -l; }

# through WHAT DIRECTORY COMMAND...: deletes while the command does its worst, and holds the journal to all of it.
through() {
    what=$1
    dir=/srv/job/$2
    shift 2
    before=$(n_losses)
    storm "$dir" "$n_storm" &
    storm_pid=$!
    "$@"
    wait "$storm_pid"
    wait_until 300 all_are_told "$dir" "$n_storm"
    n=$(n_told "$dir")
    check "$what: $n of $n_storm deletions are told" test "$n" -eq "$n_storm"
    n=$(n_ids "$dir")
    check "$what: what is told twice is known by its event.id ($n)" test "$n" -eq "$n_storm"
    n=$(n_unattributed "$dir")
    check "$what: $n do not name rm" test "$n" -le $((n_storm / 100))
    n=$(($(n_losses) - before))
    check "$what: $n losses" test "$n" -eq 0
}

restart_and_kill() {
    for each in $(seq "$n_rounds"); do
        sleep 2
        systemctl restart "$unit"
        sleep 2
        killed=$(main_pid)
        kill -9 "$killed"
        wait_until 300 is_other "$killed"
    done
}

hang() {
    sleep 1
    hung=$(main_pid)
    kill -STOP "$hung"
    wait_until 300 is_other "$hung" || not_ok 'the watchdog starts a hanging service again'
}

stop_journal() {
    systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket \
        systemd-journald.service 2>/dev/null
    sleep 10
    systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service
    sleep 2
    systemctl restart systemd-journald.service
}

if [ "$boot" = 1 ]; then
    prepare
    exit
fi
at_boot
on_filesystems
through 'restarted and killed' restarts restart_and_kill
through 'hanging' hang hang
through 'journald stopped for 10 s and restarted' journald stop_journal
check 'the service is active at the end' is_active
check_line 'journalctl -x explains' 'journalctl -b -t whodunlink -x -n 50 | grep -i "^-- "'
journalctl --sync
# Journald goes on writing to it, which can look like damage for a moment.
check 'the journal is whole' comes_to 60 journalctl --verify
