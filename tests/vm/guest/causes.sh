# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# guest/causes.sh - what asked for a deletion, where systemd is pid 1 and can be asked: a timer, a path unit, the daily cleaner, the
# real cron, a login at a console. Each deletes one file below /srv/causes, whose record names it.
#
# All in the first boot, by a watch of its own. An emulated guest takes longer to answer than a record waits: so each deletes a
# file before, by whose record the answer is asked for, and the one that counts some seconds later.

# shellcheck disable=SC2154 # guest and boot come from guest/run
. "$guest/tap.sh"
[ "$boot" = 1 ] || exit 0

place=/srv/causes
records=/var/tmp/causes.json
units=/etc/systemd/system

# make_unit NAME LINE...: in the unit directory of the administrator.
make_unit() {
    make_unit_name=$1
    shift
    printf '%s\n' "$@" >"$units/$make_unit_name"
}

record() { grep -F "\"path\":\"$place/$1\"" "$records"; }

# holds FILE FILTER: of the record of a file, which comes soon.
holds() {
    wait_until "${3-60}" record "$1"
    record "$1" | head -n 1 | jq -e "$2" && return
    record "$1"
    return 1
}

prepare() {
    mkdir -p "$place/old"
    for each in timer path cron login; do
        echo x >"$place/$each"
        echo x >"$place/$each-before"
    done
    echo x >"$place/none"
    for each in cleaned cleaned-before; do
        echo x >"$place/old/$each"
        touch -d '2019-03-04 05:06:07' "$place/old/$each"
    done
    touch "$place/old/cleaned"
    printf '# Aged.\nd %s/old 0755 root root m:10d\n' "$place" >/etc/tmpfiles.d/causes.conf

    make_unit vm-rm@.service '[Unit]' 'Description=Removes a file' '[Service]' 'Type=oneshot' \
        "ExecStart=/bin/rm $place/%i-before" 'ExecStart=/bin/sleep 5' "ExecStart=/bin/sh -c 'rm $place/%i; sleep 1'"
    make_unit vm-timer.timer '[Timer]' 'OnActiveSec=1s' 'AccuracySec=100ms' 'Unit=vm-rm@timer.service'
    make_unit vm-path.path '[Path]' "PathExists=/run/vm-go" 'Unit=vm-rm@path.service'
    # What cron would start at the hour starts at the next minute.
    printf '# Once.\n* * * * * root rm -f %s/cron-before; sleep 5; rm -f %s/cron; :\n' "$place" "$place" >/etc/cron.d/causes
    mkdir -p "$units/getty@tty2.service.d"
    printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --noclear %%I linux\n' \
        >"$units/getty@tty2.service.d/vm.conf"
    printf '[ "$(tty)" != /dev/tty2 ] || { rm -f %s/login-before; sleep 5; rm -f %s/login; }\n' "$place" "$place" >>/root/.profile
    systemctl daemon-reload
}

run_all() {
    whodunlink watch --output=json "$place" >"$records" 2>/var/tmp/causes.err &
    watch=$!
    wait_until 60 grep -q '"action":"start"' "$records"
    rm "$place/none"
    systemctl start vm-timer.timer vm-path.path
    : >/run/vm-go
    wait_until 60 record path
    systemctl stop vm-path.path
    systemctl start systemd-tmpfiles-clean.service
    wait_until 60 record old/cleaned-before
    sleep 5
    touch -d '2019-03-04 05:06:07' "$place/old/cleaned"
    systemctl start systemd-tmpfiles-clean.service
    systemctl start getty@tty2.service
    systemctl start cron.service
}

ask() {
    check 'a timer is named, and when it ran last' holds timer '.whodunlink.cause | .type == "timer" and
        .triggered_by == "vm-timer.timer" and .unit == "vm-rm@timer.service" and .source == "'"$units"'/vm-rm@.service" and
        (.explanation | test("^vm-rm@timer.service \\(Removes a file\\) did it, started by vm-timer.timer, which ran last at 2.* UTC"))'
    check 'a path unit is named' holds path '.whodunlink.cause | .type == "timer" and .triggered_by == "vm-path.path"'
    check 'the cleaner names its line, its unit and its timer' holds old/cleaned '.whodunlink.cause | .type == "tmpfiles" and
        .rule == "d '"$place"'/old 0755 root root m:10d" and .source == "/etc/tmpfiles.d/causes.conf:2" and
        .unit == "systemd-tmpfiles-clean.service" and .triggered_by == "systemd-tmpfiles-clean.timer" and
        (.explanation | test("; started by systemd-tmpfiles-clean.timer"))'
    check 'a login at a console is named' holds login '.whodunlink.cause | .type == "login" and
        (.explanation | test("^it was done in a login of root at the console.*, terminal tty2"))'
    check 'cron names the line of its table' holds cron '.whodunlink.cause | .type == "cron" and
        .rule == "rm -f '"$place"'/cron-before; sleep 5; rm -f '"$place"'/cron; :" and .source == "/etc/cron.d/causes:2" and .unit == "cron.service"' 100
    kill "$watch"
    wait "$watch"
    check 'the watch ended well' test $? = 0
    check 'who was asked by nobody has no cause' holds none '.whodunlink | has("cause") | not'
    grep -h -o '"cause":{[^}]*}' "$records"
    cat /var/tmp/causes.err
}

prepare
run_all
ask
systemctl stop vm-timer.timer getty@tty2.service
rm -f /etc/cron.d/causes /etc/tmpfiles.d/causes.conf
