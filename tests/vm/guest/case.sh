# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# guest/case.sh - what whodunlink is for. Tools are unpacked below /tmp and keep the old modification times that they were packed
# with; nobody reads them for two weeks; then the daily systemd-tmpfiles removes those that nobody used. Who was it?
#
# The first boot lays them down, the second is two weeks later by the clock. The timer is the stock one, but for its first run,
# which comes as soon as all has been asked that is to be asked before.

. "$guest/tap.sh"
. "$guest/why.sh"

tools=/tmp/pkg_tools_v2
victim=$tools/bin/scan_ports

# Debian 12 gives /tmp no age, later ones ten days. `q` and not the stock `D`, which would empty it at boot.
rule=/usr/lib/tmpfiles.d/tmp.conf
grep -q '^q */tmp .* 10d' "$rule" || rule=/etc/tmpfiles.d/tmp.conf

# What `why` says of the victim, by jq.
why() { whodunlink why --json "$victim" | jq -r ".paths[0] | $1"; }

lay_down() {
    [ "$rule" = /usr/lib/tmpfiles.d/tmp.conf ] || printf '# Kept for ten days.\nq /tmp 1777 root root 10d\n' >"$rule"
    mkdir -p "$tools/bin" "$tools/share/doc" "$tools/empty"
    for each in bin/scan_ports bin/list_hosts share/doc/README "share/doc/read me, too"; do
        echo tool >"$tools/$each"
        touch -d '2019-03-04 05:06:07' "$tools/$each"
    done
    touch -d '2019-03-04 05:06:07' "$tools/bin" "$tools/share/doc" "$tools/empty"
    systemctl enable whodunlink.service
    line=$(grep -n '^q */tmp .* 10d' "$rule" | cut -d : -f 1)
    check 'two weeks before: whodunlink why names the line' test "$(why '.tmpfiles[0].clean.source')" = "$rule:$line"
    due=$(why '.tmpfiles[0].clean.due')
    last=$(stat -c '%X %Y %Z' "$victim" | tr ' ' '\n' | sort -n | tail -n 1)
    check "two weeks before: whodunlink why foretells $due" test "$(($(date -d "$due" +%s) - last))" -eq $((10 * 24 * 3600))
}

# All records of one path.
record() { journalctl -b -t whodunlink -o cat "DELETION_PATH=$1"; }
is_told() { [ -n "$(record "$1")" ]; }
# holds PATH FILTER: of the only record of a path.
holds() {
    [ "$(record "$1" | wc -l)" = 1 ] && record "$1" | jq -e "$2" && return
    record "$1"
    return 1
}
field() { [ "$(journalctl -b "DELETION_PATH=$victim" -o json | jq -r ".$1")" = "$2" ]; }

bring_forward() {
    at=$(awk '{ print int($1) + 60 }' /proc/uptime)
    mkdir -p /etc/systemd/system/systemd-tmpfiles-clean.timer.d
    # The empty assignment takes away all of the stock unit's times.
    printf '[Timer]\nOnBootSec=\nOnBootSec=%s\nOnUnitActiveSec=1d\nAccuracySec=1s\n' "$at" \
        >/etc/systemd/system/systemd-tmpfiles-clean.timer.d/vm.conf
    systemctl daemon-reload
    systemctl restart systemd-tmpfiles-clean.timer
}

ask_before() {
    check 'the tools are still there' test -e "$victim"
    check 'two weeks have passed' test "$(($(date +%s) - $(stat -c %Z "$victim")))" -gt $((13 * 24 * 3600))
    check 'the service is active' systemctl is-active whodunlink.service
    echo used >/tmp/used
    # The stock timer's first run is far enough away for all questions.
    why_before
    bring_forward
    why_note
}

ask_after() {
    # The way to the journal.
    wait_until 90 is_told "$tools"
    journalctl --sync
    for each in "$victim" "$tools/bin/list_hosts" "$tools/share/doc/README" "$tools/share/doc/read me, too"; do
        check "told once: $each" holds "$each" '.event.action == "unlink"'
    done
    for each in "$tools/bin" "$tools/share/doc" "$tools/share" "$tools/empty" "$tools"; do
        check "told once: $each" holds "$each" '.event.action == "rmdir"'
    done
    check 'what is in use stays' test -e /tmp/used

    check 'journalctl DELETION_PATH= names the program' field DELETION_COMM systemd-tmpfiles
    check 'journalctl DELETION_PATH= names the unit' field OBJECT_SYSTEMD_UNIT systemd-tmpfiles-clean.service
    check 'journalctl DELETION_PATH= names the user' field DELETION_USER root
    check_line 'journalctl -u systemd-tmpfiles-clean.service shows it' \
        'journalctl -b -u systemd-tmpfiles-clean.service -o cat | grep -F "\"path\":\"$victim\""'
    check 'journalctl -t names the command' holds "$victim" '.process.command_line == "systemd-tmpfiles --clean"'
    check 'journalctl -t names the executable' holds "$victim" '.process.executable | endswith("/systemd-tmpfiles")'
    check 'journalctl -t names the unit' holds "$victim" '.systemd.unit == "systemd-tmpfiles-clean.service"'
    check 'journalctl -t names the parent' holds "$victim" '.process.parent.pid == 1'
    check 'the process was there to be read' holds "$victim" '.whodunlink.attribution | IN("live", "exec")'
    why_after
    # Journald goes on writing to it, which can look like damage for a moment.
    check 'the journal is whole' comes_to 60 journalctl --verify
}

if [ "$boot" = 1 ]; then
    lay_down
    exit
fi
ask_before
if wait_until 300 test ! -e "$tools"; then
    ok 'systemd-tmpfiles removed the tools'
else
    not_ok 'systemd-tmpfiles removed the tools'
    systemctl list-timers --all | sed 's/^/  /'
fi
ask_after
