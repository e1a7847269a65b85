# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# guest/tap.sh - for the parts: to say what is so. Sourced. Lines that say neither ok nor not ok are comments; see boot.sh.

ok() { echo "ok $*"; }
not_ok() { echo "not ok $*"; }

# check NAME COMMAND...: what it prints is shown only if it fails.
check() {
    check_name=$1
    shift
    if said=$("$@" 2>&1); then
        ok "$check_name"
    else
        not_ok "$check_name"
        printf '%s\n' "$said" | tail -n 40 | sed 's/^/  /'
    fi
}

# check_line NAME LINE: the same for a line of shell.
check_line() { check "$1" eval "$2"; }

# wait_until SECONDS COMMAND...: whether it succeeds in time.
wait_until() {
    wait_end=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$wait_end" ] || return 1
        sleep 0.2
    done
}

# comes_to SECONDS COMMAND...: the same, and if not, what it says at last.
comes_to() { wait_until "$@" || { shift && "$@"; }; }

# Each process that is started costs an emulated guest a tenth of a second: nothing but shell around the programs.
run_every() {
    n_workers=$1
    turn=$2
    shift 2
    for program in "$@"; do
        turn=$((turn - 1))
        [ "$turn" -eq 0 ] || continue
        turn=$n_workers
        out=/var/tmp/out/${program##*/}
        read -r began _ </proc/uptime
        "$program" >"$out" 2>"$out.err" </dev/null
        echo "$?" >"$out.status"
        read -r ended _ </proc/uptime
        echo "vm: ${program##*/} ended at ${ended%.*} s" >/dev/console
        echo "$((${ended%.*} - ${began%.*}))" >"$out.seconds"
    done
}

# run_programs N PROGRAM...: test programs that print TAP, N at a time, told in their order. check bounds their time.
run_programs() {
    n_at_once=$1
    shift
    mkdir -p /var/tmp/out
    each=1
    while [ "$each" -le "$n_at_once" ]; do
        run_every "$n_at_once" "$each" "$@" &
        each=$((each + 1))
    done
    wait
    for each in "$@"; do
        out=/var/tmp/out/${each##*/}
        name=${each##*/test_}
        sed -nE "s/^(not )?ok [0-9]+ (- )?/\1ok $name: /p" "$out"
        status=$(cat "$out.status")
        if [ "$status" -ne 0 ]; then
            grep -q '^not ok' "$out" || not_ok "$name: exit status $status"
            tail -n 30 "$out.err" | cut -c 1-400 | sed 's/^/  /'
        elif ! grep -qE '^ok|^1\.\.0' "$out"; then
            not_ok "$name: nothing ran"
        fi
        echo "$name took $(cat "$out.seconds") s"
    done
}
