/* SPDX-License-Identifier: MIT */

/* Every option, every mistake in one, and what is said about it. */

#include "command/watch_options.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "capture/fan_group.h"
#include "unit.h"

#define WORDS_MAX 16
#define USAGE_LINE "usage: whodunlink watch [OPTION…] PATH…|--all\n"

static WatchOptions o;
static char said[8192]; /* on stderr, or on stdout with --help */
static char *words[WORDS_MAX + 2];
static char storage[WORDS_MAX + 2][64];

static void teardown(void) {
        watch_options_done(&o);
}

/* Parses words[] and keeps what it says. */
static int parse_words(int argc) {
        FILE *file = tmpfile();
        int r, saved[2] = {dup(1), dup(2)};

        watch_options_done(&o);
        words[argc] = NULL;
        ck_assert_ptr_nonnull(file);
        fflush(stdout);
        dup2(fileno(file), 1);
        dup2(fileno(file), 2);
        r = watch_options_parse(argc, words, &o);
        fflush(stdout);
        for (int i = 0; i < 2; i++) {
                dup2(saved[i], i + 1);
                close(saved[i]);
        }
        rewind(file);
        said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
        fclose(file);
        return r;
}

static int add_word(int argc, const char *word, size_t n) {
        ck_assert_int_le(argc, WORDS_MAX);
        ck_assert_uint_lt(n, sizeof(storage[0]));
        memcpy(storage[argc], word, n);
        storage[argc][n] = '\0';
        words[argc] = storage[argc];
        return argc + 1;
}

/* Parses a command line of words between blanks. */
static int parse(const char *line) {
        int argc = add_word(0, "watch", strlen("watch"));

        for (const char *at = line; *at; at += strspn(at, " ")) {
                size_t n = strcspn(at, " ");

                argc = add_word(argc, at, n);
                at += n;
        }
        return parse_words(argc);
}

START_TEST(test_defaults) {
        ck_assert_int_eq(parse("/tmp b"), 1);
        ck_assert_str_eq(said, "");
        ck_assert_int_eq(o.output, WATCH_OUTPUT_AUTO);
        ck_assert_int_eq(o.color, WATCH_COLOR_AUTO);
        ck_assert(!o.is_queue_bounded && !o.is_quiet && !o.is_all);
        ck_assert_uint_eq(o.count, 0);
        ck_assert_int_eq(o.marking, MARKING_AUTO);
        ck_assert(!o.has_upper_paths);
        ck_assert_uint_eq(o.timeout_nsec, 0);
        ck_assert_uint_eq(o.hold_exec_nsec, 0);
        ck_assert_uint_eq(o.fan_features, FAN_FEATURE_ALL);
        ck_assert_uint_eq(o.process_limit, PROCESS_TABLE_DEAD_MAX_DEFAULT);
        ck_assert_uint_eq(o.n_paths, 2);
        ck_assert_str_eq(o.paths[0], "/tmp");
        ck_assert_str_eq(o.paths[1], "b");
        ck_assert_uint_eq(o.filter.actions, 0);
        ck_assert_uint_eq(o.filter.n_includes + o.filter.n_excludes + o.filter.n_comms +
                                  o.filter.n_executables + o.filter.n_uids + o.filter.n_pids +
                                  o.filter.n_units + o.filter.n_containers + o.filter.n_ancestors +
                                  o.filter.n_login_uids,
                          0);
}
END_TEST

START_TEST(test_every_option) {
        ck_assert_int_eq(
                parse("--output=json /a --color never --queue=bounded --quiet "
                      "--count=18446744073709551615 --timeout=1h30m --fan-features=5 "
                      "--process-limit=10000000 --hold-exec=1ms --marks=directories --upper-paths"),
                1);
        ck_assert_int_eq(o.output, WATCH_OUTPUT_JSON);
        ck_assert_int_eq(o.color, WATCH_COLOR_NEVER);
        ck_assert(o.is_queue_bounded && o.is_quiet);
        ck_assert_uint_eq(o.count, UINT64_MAX);
        ck_assert_uint_eq(o.timeout_nsec, UINT64_C(5400) * 1000000000);
        ck_assert_uint_eq(o.hold_exec_nsec, 1000000);
        ck_assert_uint_eq(o.fan_features, 5);
        ck_assert_int_eq(o.marking, MARKING_DIRECTORIES);
        ck_assert(o.has_upper_paths);
        ck_assert_uint_eq(o.process_limit, 10000000);
        ck_assert_uint_eq(o.n_paths, 1);
        ck_assert_str_eq(o.paths[0], "/a");

        ck_assert_int_eq(parse("--output=text --color=always --queue=unlimited --once -- --x"), 1);
        ck_assert_int_eq(o.output, WATCH_OUTPUT_TEXT);
        ck_assert_int_eq(o.color, WATCH_COLOR_ALWAYS);
        ck_assert(!o.is_queue_bounded);
        ck_assert_uint_eq(o.count, 1);
        ck_assert_uint_eq(o.n_paths, 1);
        ck_assert_str_eq(o.paths[0], "--x");

        ck_assert_int_eq(parse("--once --all --count=1"), 1);
        ck_assert_uint_eq(o.count, 1);
        ck_assert(o.is_all);
        ck_assert_uint_eq(o.n_paths, 0);
}
END_TEST

START_TEST(test_filters) {
        const RecordFilter *f = &o.filter;

        ck_assert_int_eq(parse("--include=*.o --include=/a/** --exclude=b --comm=r* --exe=/bin/rm "
                               "--user=root --user=65534 --pid=7 --pid=1 --descendants x"),
                         1);
        ck_assert_uint_eq(f->n_includes, 2);
        ck_assert_str_eq(f->includes[0], "*.o");
        ck_assert_str_eq(f->includes[1], "/a/**");
        ck_assert_uint_eq(f->n_excludes, 1);
        ck_assert_str_eq(f->excludes[0], "b");
        ck_assert_uint_eq(f->n_comms, 1);
        ck_assert_str_eq(f->comms[0], "r*");
        ck_assert_uint_eq(f->n_executables, 1);
        ck_assert_str_eq(f->executables[0], "/bin/rm");
        ck_assert_uint_eq(f->n_uids, 2);
        ck_assert_uint_eq(f->uids[0], 0);
        ck_assert_uint_eq(f->uids[1], 65534);
        ck_assert_uint_eq(f->n_pids, 2);
        ck_assert_int_eq(f->pids[0], 7);
        ck_assert_int_eq(f->pids[1], 1);
        ck_assert(f->has_descendants);
}
END_TEST

START_TEST(test_filters_on_whose_behalf) {
        const RecordFilter *f = &o.filter;

        ck_assert_int_eq(parse("--container=3f2a9c51e0d7 --container=web-* --ancestor=sshd "
                               "--ancestor=/usr/sbin/* --loginuid=root --loginuid=1000 "
                               "--loginuid=unset x"),
                         1);
        ck_assert_uint_eq(f->n_containers, 2);
        ck_assert_str_eq(f->containers[0], "3f2a9c51e0d7");
        ck_assert_str_eq(f->containers[1], "web-*");
        ck_assert_uint_eq(f->n_ancestors, 2);
        ck_assert_str_eq(f->ancestors[0], "sshd");
        ck_assert_str_eq(f->ancestors[1], "/usr/sbin/*");
        ck_assert_uint_eq(f->n_login_uids, 3);
        ck_assert_uint_eq(f->login_uids[0], 0);
        ck_assert_uint_eq(f->login_uids[1], 1000);
        ck_assert_uint_eq(f->login_uids[2], PROCESS_ID_UNSET);
        ck_assert_uint_eq(f->n_uids, 0);
}
END_TEST

/* As systemctl takes them; the last column is the glob. */
static const struct {
        const char *option;
        const char *glob;
} units[] = {
        {"--unit=cron", "cron.service"},
        {"--unit=cron.service", "cron.service"},
        {"--unit=session-3.scope", "session-3.scope"},
        {"--unit=getty@tty1", "getty@tty1.service"},
        {"--unit=a.b", "a.b.service"},
        {"--unit=a.", "a..service"},
        {"--unit=service", "service.service"},
        {"--unit=cron*", "cron*"},
        {"--unit=c?on", "c?on"},
        {"--unit=c[r]on", "c[r]on"},
        {"--unit=a\\x2db", "a\\\\x2db.service"},
        {"--unit=a\\x2d*", "a\\\\x2d*"},
        {"--unit=a\\xg0", "a\\xg0.service"},
        {"--unit=a\\[b*", "a\\[b*"},
        {"--unit=dev-sda1.swap", "dev-sda1.swap"},
};

START_TEST(test_unit) {
        _cleanup_free_ char *line = NULL;

        ck_assert_int_ge(asprintf(&line, "%s x", units[_i].option), 0);
        ck_assert_int_eq(parse(line), 1);
        ck_assert_uint_eq(o.filter.n_units, 1);
        ck_assert_str_eq(o.filter.units[0], units[_i].glob);
}
END_TEST

START_TEST(test_actions) {
        ck_assert_int_eq(parse("--action=unlink --action=move x"), 1);
        ck_assert_uint_eq(o.filter.actions, 1U << RECORD_UNLINK | 1U << RECORD_MOVE);
        ck_assert_int_eq(parse("--action=rmdir,unlink,rmdir x"), 1);
        ck_assert_uint_eq(o.filter.actions, 1U << RECORD_UNLINK | 1U << RECORD_RMDIR);
        ck_assert_int_eq(parse("--action=overwrite x"), 1);
        ck_assert_uint_eq(o.filter.actions, 1U << RECORD_OVERWRITE);
        ck_assert(!o.filter.has_no_overwrites);
        ck_assert_int_eq(parse("--no-overwrites --action=move x"), 1);
        ck_assert(o.filter.has_no_overwrites);
        ck_assert_int_eq(parse("--no-overwrites --action=move,overwrite x"), -EINVAL);
}
END_TEST

static const struct {
        const char *line;
        const char *says; /* first line, from its start */
} mistakes[] = {
        {"", "no PATH; "},
        {"--quiet", "no PATH; "},
        {"--all x", "--all: is every local filesystem; leave it or the PATH out\n"},
        {"--once --count=3 x", "--once: is --count=1, and another --count is given; "},
        {"--count=3 --once x", "--once: is --count=1"},
        {"--hold-exec=abc x", "--hold-exec=abc: not a duration from 1ms to 1s"},
        {"--hold-exec= x", "--hold-exec=: not a duration"},
        {"--hold-exec=0 x", "--hold-exec=0: not a duration"},
        {"--hold-exec=999us x", "--hold-exec=999us: not a duration"},
        {"--hold-exec=1001ms x", "--hold-exec=1001ms: not a duration"},
        {"--timeout=abc x",
         "--timeout=abc: not a duration; write for example 90s, 10min or 1h30m\n"},
        {"--timeout= x", "--timeout=: not a duration"},
        {"--timeout=0 x", "--timeout=0: no time at all"},
        {"--timeout=99999999999w x", "--timeout=99999999999w: too long"},
        {"--output=xml x", "--output=xml: not one of auto, text, json, journal\n"},
        {"--output=tex x", "--output=tex: not one of"},
        {"--color=yes x", "--color=yes: not one of auto, always, never\n"},
        {"--marks=mounts x", "--marks=mounts: not one of auto, filesystem, directories\n"},
        {"--queue=0 x", "--queue=0: not one of unlimited, bounded\n"},
        {"--action=create x", "--action=create: not a list of unlink, rmdir, move"},
        {"--action= x", "--action=: not a list"},
        {"--action=unlink, x", "--action=unlink,: not a list"},
        {"--action=loss x", "--action=loss: not a list"},
        {"--count=0 x", "--count=0: not a number from 1\n"},
        {"--count=-1 x", "--count=-1: not a number from 1\n"},
        {"--count=1x x", "--count=1x: not a number"},
        {"--count=18446744073709551616 x", "--count=18446744073709551616: not a number"},
        {"--process-limit=0 x", "--process-limit=0: not a number of processes from 1 to 10000000; "
                                "left out it is 32768\n"},
        {"--process-limit=10000001 x", "--process-limit=10000001: not a number of processes"},
        {"--process-limit=1k x", "--process-limit=1k: not a number of processes"},
        {"--pid=0 x", "--pid=0: not a process id; write a number from 1\n"},
        {"--pid=2147483648 x", "--pid=2147483648: not a process id"},
        {"--pid=self x", "--pid=self: not a process id"},
        {"--user=no.such.user! x", "--user=no.such.user!: unknown user; "},
        {"--user=4294967295 x", "--user=4294967295: unknown user"},
        {"--user= x", "--user=: unknown user"},
        {"--loginuid=no.such.user! x", "--loginuid=no.such.user!: unknown user; give a name that "
                                       "`getent passwd` knows, a uid, or unset "},
        {"--loginuid=4294967295 x", "--loginuid=4294967295: unknown user"},
        {"--loginuid= x", "--loginuid=: unknown user"},
        {"--unit= x", "--unit=: not a pattern that could match; write for example cron, "},
        {"--unit=[a x", "--unit=[a: not a pattern"},
        {"--unit=a\\ x", "--unit=a\\\\: not a pattern"},
        {"--unit=/home x", "--unit=/home: a path, not the name of a unit; "},
        {"--container= x", "--container=: not a pattern that could match; write for example 3f2a"},
        {"--container=[a x", "--container=[a: not a pattern"},
        {"--ancestor= x", "--ancestor=: not a pattern that could match; write for example sshd, "},
        {"--ancestor=/a/../b x", "--ancestor=/a/../b: not a pattern"},
        {"--include=[a x", "--include=[a: not a pattern that could match; "},
        {"--exclude=a/../b x", "--exclude=a/../b: not a pattern"},
        {"--comm= x", "--comm=: not a pattern"},
        {"--exe=a\\ x", "--exe=a\\\\: not a pattern"},
        {"--fan-features=16 x", "--fan-features=16: not a set of FanFeatures\n"},
        {"--descendants x", "--descendants: of which process? give it with --pid=PID\n"},
        {"--frobnicate x", "--frobnicate: unknown option; see --help\n"},
        {"x --frob\x1b[31m=1", "--frob\\e[31m=1: unknown option"},
        {"--ex=1 x", "--ex=1: ambiguous option; it could be --exclude or --exe\n"},
        {"--quiet=1 x", "--quiet=1: takes no value\n"},
        {"--help=1 x", "--help=1: takes no value\n"},
        {"-x y", "-x: unknown option; see --help\n"},
        {"-xh y", "-x: unknown option; see --help\n"},
        {"x --timeout", "--timeout: needs a value; see --help\n"},
        {"x --pid", "--pid: needs a value; see --help\n"},
        {"--timeout=\x1b[31m\n x", "--timeout=\\e[31m\\n: not a duration"},
};

START_TEST(test_mistake) {
        static const char start[] = "whodunlink watch: ";
        const char *newline;

        ck_assert_int_eq(parse(mistakes[_i].line), -EINVAL);
        ck_assert_msg(strncmp(said, start, strlen(start)) == 0, "%s", said);
        ck_assert_msg(strncmp(said + strlen(start), mistakes[_i].says, strlen(mistakes[_i].says)) ==
                              0,
                      "%s: %s", mistakes[_i].line, said);
        newline = strchr(said, '\n');
        ck_assert_ptr_nonnull(newline);
        ck_assert_str_eq(newline + 1, USAGE_LINE);
}
END_TEST

START_TEST(test_empty_path) {
        int argc = add_word(0, "watch", strlen("watch"));

        ck_assert_int_eq(parse_words(add_word(argc, "", 0)), -EINVAL);
        ck_assert_str_eq(said, "whodunlink watch: '': an empty PATH\n" USAGE_LINE);
}
END_TEST

/* A command line that fails in the middle does not disturb the next one. */
START_TEST(test_again) {
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(parse("-xh --quiet y"), -EINVAL);
                ck_assert_int_eq(parse("--quiet y"), 1);
                ck_assert(o.is_quiet);
        }
}
END_TEST

/* Of a window that somebody has made a bit higher; the man page says the rest. */
START_TEST(test_help_fits_a_screen) {
        int n_lines = 0;

        ck_assert_int_eq(parse(_i == 0 ? "-h" : "x --help --timeout=abc"), 0);
        ck_assert_int_eq(strncmp(said, USAGE_LINE, strlen(USAGE_LINE)), 0);
        for (const char *at = said; *at; at = strchr(at, '\n') + 1) {
                size_t n = strcspn(at, "\n");

                ck_assert_msg(at[n] == '\n', "no newline at the end");
                ck_assert_msg(escape_width(at, n) <= 80, "%.*s", (int)n, at);
                n_lines++;
        }
        ck_assert_int_le(n_lines, 36);
        ck_assert_ptr_null(strstr(said, "fan-features"));
}
END_TEST

int main(void) {
        TCase *t = tcase_create("watch_options");

        setlocale(LC_CTYPE, "C.UTF-8");
        tcase_add_checked_fixture(t, NULL, teardown);
        tcase_add_test(t, test_defaults);
        tcase_add_test(t, test_every_option);
        tcase_add_test(t, test_filters);
        tcase_add_test(t, test_filters_on_whose_behalf);
        tcase_add_loop_test(t, test_unit, 0, sizeof(units) / sizeof(units[0]));
        tcase_add_test(t, test_actions);
        tcase_add_loop_test(t, test_mistake, 0, sizeof(mistakes) / sizeof(mistakes[0]));
        tcase_add_test(t, test_empty_path);
        tcase_add_test(t, test_again);
        tcase_add_loop_test(t, test_help_fits_a_screen, 0, 2);
        return unit_run("watch_options", t);
}
