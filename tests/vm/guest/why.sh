# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2016,SC2154 # what is in single quotes is for jq or eval; case.sh sets the rest
#
# guest/why.sh - what `whodunlink why` says of the case: before, that it will go and when; afterwards, who it was and why.
# Sourced by case.sh, which has the victim and the file with the rule.

# The next run as systemd tells it, in seconds since the epoch.
why_planned() { systemctl list-timers --all -o json systemd-tmpfiles-clean.timer | jq -r '.[0].next / 1000000 | floor'; }

# why_holds FILTER: of the answer about the victim.
why_holds() {
    answer=$(whodunlink why --json "$victim")
    printf '%s\n' "$answer" | jq -e --arg rule "$rule" --arg victim "$victim" ".paths[0] | $1" && return
    printf '%s\n' "$answer"
    return 1
}

# What is asked of systemd may not be answered in time by an emulated one: then `why` says so, and is asked again.
why_comes_to_hold() { comes_to 90 why_holds "$1"; }

# why_caused FILTER: of the record's cause, which a record does not wait for any longer than it may; if it has one.
why_caused() { why_holds ".records[-1].record.whodunlink.cause | . == null or ($1)"; }

why_stamp='sub("[.][0-9]+"; "") | fromdateiso8601'

# why_is_planned: the run that it foretells is systemd's.
why_is_planned() {
    planned=$(why_planned)
    foretold=$(whodunlink why --json "$victim" | jq -r ".paths[0].tmpfiles[0].clean.run | $why_stamp")
    echo "planned for $planned, foretold for $foretold"
    [ "$((foretold - planned))" -ge -2 ] && [ "$((foretold - planned))" -le 2 ]
}

why_before() {
    check 'why: it is old enough' why_holds '.tmpfiles[0].clean.verdict == "goes"'
    check 'why: by which line' why_holds '.tmpfiles[0].clean.source | test("^" + $rule + ":[0-9]+$")'
    check 'why: by which age' why_holds '.tmpfiles[0].clean.age_usec == 864000000000'
    check 'why: by which timer' why_comes_to_hold '.tmpfiles[0].clean.triggered_by == "systemd-tmpfiles-clean.timer"'
    check 'why: the run is planned' why_comes_to_hold '.tmpfiles[0].clean.run_is == "planned"'
    check 'why: its time is that of systemctl' comes_to 90 why_is_planned
    check_line 'why --all: it is listed' \
        'whodunlink why --all --json "${victim%/*}" | jq -e --arg victim "$victim" ".paths[0].entries | any(.path == \$victim)"'
    check_line 'why: what was used is not old enough' \
        '[ "$(whodunlink why --json /tmp/used | jq -r ".paths[0].tmpfiles[0].clean.verdict")" = waits ]'
    whodunlink why "$victim" | sed 's/^/  /'
}

why_foretells() {
    why_foretold=$(whodunlink why --json "$victim" |
        jq -r ".paths[0].tmpfiles[0].clean | select(.run_is == \"planned\") | .run | $why_stamp")
    [ -n "$why_foretold" ]
}

# As close to the run as can be: why_foretold is what is held against what happens. An emulated systemd that has just read its
# units anew may not answer in time.
why_note() { wait_until 30 why_foretells || not_ok 'why: foretells the run that was brought forward'; }

# Within the timer's accuracy and what an emulated guest takes.
why_was_right() {
    went=$(whodunlink why --json "$victim" | jq -r ".paths[0].records[-1].record.\"@timestamp\" | $why_stamp")
    echo "foretold for $why_foretold, went at $went"
    [ "$((went - why_foretold))" -ge -2 ] && [ "$((went - why_foretold))" -le 60 ]
}

why_after() {
    check 'why: it went when that was foretold' why_was_right
    check 'why: it is gone, and recorded' why_holds '(.exists | not) and .records[-1].record.file.path == $victim'
    check 'why: the cause, if known in time, is a line of tmpfiles.d' why_caused '.type == "tmpfiles"'
    check 'why: the cause, if known in time, has file and line' why_caused '.source | test("^" + $rule + ":[0-9]+$")'
    check 'why: the cause, if known in time, has the age' why_caused '.explanation | contains("10 days")'
    check 'why: the cause, if known in time, has the timer' why_caused \
        '.triggered_by == null or .triggered_by == "systemd-tmpfiles-clean.timer"'
    why_says_the_run() { whodunlink why "$victim" | grep -E "systemd-tmpfiles-clean.timer: next run [A-Z]"; }
    check 'why: for people: the timer and its next run' wait_until 90 why_says_the_run
    said=$(whodunlink why "$victim")
    check_line 'why: for people: the line' 'printf "%s\n" "$said" | grep -F "$rule:" || { echo "$said"; false; }'
    check_line 'why: for people: the age' 'printf "%s\n" "$said" | grep -E "10d|10 days" || { echo "$said"; false; }'
    printf '%s\n' "$said" | sed 's/^/  /'
}
