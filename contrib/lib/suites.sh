# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # top comes from contrib/test
#
# contrib/lib/suites.sh - run one suite of contrib/test and count what it did. Sourced after setup.sh.
#
# Every function suite_x() returns 0 if all went well; the counts are kept here, so that one failing suite does not
# keep the next from running. The three counts are of TAP subtests where a test prints them, of whole tests elsewhere.

n_passed=0
n_failed=0
n_skipped=0
built=
broken=

count() {
    n_passed=$((n_passed + $1))
    n_failed=$((n_failed + $2))
    n_skipped=$((n_skipped + $3))
}

# count_check NAME COMMAND...: a check that is one test.
count_check() {
    check_name=$1
    shift
    if "$@"; then
        count 1 0 0
        echo "ok - $check_name"
    else
        count 0 1 0
        echo "not ok - $check_name"
        return 1
    fi
}

# tally LOG: prints "passed failed skipped" of one meson testlog.txt. meson's own totals count a program with forty
# subtests as one test, and its JUnit file counts one that crashed after its last "ok" as passed.
tally() {
    awk '
        function close_test() {
            if (!open)
                return
            if (ok + bad + skip == 0) {
                if (result == "exit status 77" || no_plan)
                    skip++
                else if (result == "exit status 0")
                    ok++
                else
                    bad++
            } else if (bad == 0 && result != "exit status 0")
                bad++
            passed += ok; failed += bad; skipped += skip
            open = 0
        }
        /^=+ [0-9]+\/[0-9]+ =+$/ { close_test(); open = 1; out = 0; ok = bad = skip = no_plan = 0; result = "" }
        /^=+$/                   { close_test() }
        /^-+ stdout -+$/         { out = 1; next }
        /^-+ stderr -+$/         { out = 0; next }
        open && !out && sub(/^result: +/, "")      { result = $0 }
        open && out && /^ok.*# *[Ss][Kk][Ii][Pp]/  { skip++; next }
        open && out && /^ok( |$)/                  { ok++ }
        open && out && /^not ok( |$)/              { bad++ }
        open && out && /^1\.\.0/                   { no_plan = 1 }
        END { close_test(); print passed + 0, failed + 0, skipped + 0 }
    ' "$1"
}

# prepare DIR WHAT OPTION...: configure and compile once in a run.
prepare() {
    prepared=$1
    what=$2
    shift 2
    case " $built " in
    *" $prepared "*) return 0 ;;
    esac
    case " $broken " in
    *" $prepared "*) return 1 ;;
    esac
    step "building in $prepared/ ($what)"
    if ! configure "$prepared" --buildtype=debugoptimized "$@" || ! compile "$prepared"; then
        step "error: the build in $prepared/ failed (above)"
        broken="$broken $prepared"
        return 1
    fi
    built="$built $prepared"
}

# Most tests wait more than they work, so two run on a CPU; those that nothing may run beside say so to meson.
two_a_cpu() {
    echo $(($(getconf _NPROCESSORS_ONLN) * 2))
}

# test_suite DIR SUITE [WRAPPER...]: run one meson suite that is built already. If nothing of it ran, it has failed.
test_suite() {
    dir=$1
    suite=$2
    shift 2
    test_log=$top/$dir/meson-logs/testlog-$suite.txt
    rm -f "$test_log"

    step "testing $suite in $dir/"
    test_exit=0
    "$@" meson test -C "$top/$dir" --no-rebuild --print-errorlogs --logbase "testlog-$suite" \
        --num-processes "$(two_a_cpu)" --timeout-multiplier 3 --suite "whodunlink:$suite" </dev/null || test_exit=$?
    [ -f "$test_log" ] || : >"$test_log"

    # shellcheck disable=SC2046 # three numbers
    set -- $(tally "$test_log")
    if [ "$*" = "0 0 0" ]; then
        step "error: no test of $suite ran in $dir/: see $dir/meson-logs/meson-log.txt"
        test_exit=1
    fi
    [ "$test_exit" -eq 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1 "$3"
    count "$1" "$2" "$3"
    [ "$2" -eq 0 ] || show "failed in $suite, $dir/" '^not ok|^result: *(killed|timeout)' "$test_log"
    [ "$3" -eq 0 ] || show "skipped in $suite, $dir/" '^(ok|1\.\.0).*# *SKIP|^result: *exit status 77' "$test_log"
    [ "$2" -eq 0 ]
}

# meson prints no TAP lines, so the reasons are shown from its log.
show() {
    step "$1 (log: ${3#"$top"/}):"
    grep -iE "$2" "$3" | sed 's/^/    /' >&2 || true
}

# gcc's and clang's older sanitizers cannot place their shadow memory with more than 28 random bits.
fixed_addresses() {
    random_bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
    if [ "$random_bits" -gt 28 ] && setarch "$(uname -m)" -R true 2>/dev/null; then
        setarch "$(uname -m)" -R "$@"
    else
        "$@"
    fi
}

# test_sanitized DIR SUITE...: with less to do, as everything is slower, and ended by the first report.
test_sanitized() {
    sanitized=$1
    status=0
    shift
    for each in "$@"; do
        test_suite "$sanitized" "$each" fixed_addresses env \
            WHODUNLINK_TEST_SCALE="${WHODUNLINK_TEST_SCALE:-20}" \
            ASAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_summary=1 \
            UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1 \
            TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 || status=1
    done
    return "$status"
}

# b_lundef: a sanitizer's symbols come with the program, not with the libraries.
prepare_sanitized() {
    prepare "$1" "-fsanitize=$2" -Db_sanitize="$2" -Db_lundef=false
}

# -Werror where nobody reads the warnings.
prepare_plain() {
    werror=false
    [ "${CI-}" != true ] || werror=true
    prepare build "$(cc -dumpfullversion 2>/dev/null | sed 's/^/cc /')" -Dwerror="$werror"
}

build_with_clang() {
    CC=clang prepare build-clang "$(clang --version | head -n 1), warnings are errors" -Dwerror=true
}

check_format() {
    formatter=clang-format
    ! has clang-format-14 || formatter=clang-format-14
    step "checking the format with $($formatter --version)"
    quietly find "$top/include" "$top/src" "$top/tests" -name '*.[ch]' -exec "$formatter" --dry-run -Werror {} +
}

# Only src/ and include/: cppcheck does not know check's macros. A missing system header costs it nothing.
check_cppcheck() {
    step "checking with $(cppcheck --version)"
    quietly cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c11 \
        --inline-suppr --suppress=missingIncludeSystem --template=gcc -j "$(getconf _NPROCESSORS_ONLN)" \
        -D_GNU_SOURCE -D__linux__ -I "$top/include" "$top/src"
}

# clang-tidy has a say only where the checkout says which checks it wants.
wants_tidy() {
    [ -f "$top/.clang-tidy" ]
}

check_tidy() {
    prepare_plain || return
    step "checking with clang-tidy"
    quietly find "$top/src" -name '*.c' -exec clang-tidy --quiet --warnings-as-errors='*' -p "$top/build" {} +
}

# scdoc leaves empty paragraphs, of which mandoc warns; what it cannot make out is an error.
check_manual() {
    step "checking the manual page with scdoc and mandoc"
    quietly sh -c 'scdoc <"$1" >"$2" && mandoc -T lint -W error "$2"' - \
        "$top/contrib/man/whodunlink.1.scd" "$scratch/whodunlink.1"
}

suite_lint() {
    status=0
    count_check cppcheck check_cppcheck || status=1
    count_check manual check_manual || status=1
    ! wants_tidy || count_check clang-tidy check_tidy || status=1
    return "$status"
}

suite_unit() { prepare_plain && test_suite build unit; }
suite_fuzz() { prepare_plain && test_suite build fuzz; }
suite_root() { prepare_plain && test_suite build root; }
suite_vm() { prepare_plain && test_suite build vm; }
suite_clang() { count_check clang build_with_clang; }
suite_asan() { prepare_sanitized build-asan address,undefined && test_sanitized build-asan unit fuzz sanitized; }
suite_tsan() { prepare_sanitized build-tsan thread && test_sanitized build-tsan unit threads; }
suite_format() { count_check format check_format; }

root_needs='mkfs.ext4 mkfs.xfs mkfs.btrfs bindfs losetup mount setpriv busybox runc ps python3 valgrind
    auditd git make gcc rsync stress-ng systemd-tmpfiles cron atd logrotate sshd ssh dbus-daemon'

# needs_of SUITE: what it needs beside what every build does.
needs_of() {
    case $1 in
    unit | fuzz) echo check ;;
    root) echo "check $root_needs" ;;
    vm) echo check mkfs.ext4 mmdebstrap qemu-system-x86_64 qemu-img flock ;;
    clang) echo check clang ;;
    asan | tsan) echo "check $1 $root_needs" ;;
    format) echo clang-format ;;
    lint)
        echo cppcheck scdoc mandoc
        ! wants_tidy || echo clang-tidy check
        ;;
    esac
}
