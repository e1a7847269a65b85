/* SPDX-License-Identifier: MIT */

/* What people see: groups, who it was, fitting, colours. */

#include "record/record_text.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "fixtures_record_text.h"

/* Compares what came out since the last time. */
static void expect(const char *expected) {
        ck_assert_str_eq(buffer_terminate(&out), expected);
        buffer_clear(&out);
}

static const char *const cron_chain[] = {"find", "sh", "cron", "systemd", NULL};

START_TEST(test_group) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, cron_chain);
        Record r = unlink_of(d, "/tmp", "tools");

        append(unlink_of(d, "/tmp/tools", "x"));
        append(unlink_of(d, "/tmp/tools", "y"));
        r.action = RECORD_RMDIR;
        r.is_directory = true;
        append(r);
        expect(TIME "unlink  /tmp/tools/x\n" INDENT "rm[4711] as root, login alice\n" INDENT
                    "$ rm -rf /tmp/tools\n" INDENT "in cron.service\n" INDENT
                    "started by cron, as sh[101]\n" INDENT "rm ← find ← sh ← cron ← systemd\n" TIME
                    "unlink  /tmp/tools/y\n" TIME "rmdir   /tmp/tools/\n");
        deleter_unref(d);
}
END_TEST

/* Other facts of one process are told again only when they read differently. */
START_TEST(test_group_ends) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *first, *same, *other, *later;

        fixture_set_cgroup(&parts, NULL);
        first = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, NULL);
        same = fixture_deleter(2, ATTRIBUTION_EXEC, 1, &parts, NULL);
        later = fixture_deleter(4, ATTRIBUTION_LIVE, 2, &parts, NULL);
        fixture_set_args(&parts, "sh\0-c", sizeof("sh\0-c"));
        other = fixture_deleter(3, ATTRIBUTION_LIVE, 1, &parts, NULL);

        append(unlink_of(first, "/", "a"));
        buffer_clear(&out);
        append(unlink_of(same, "/", "b"));
        expect(TIME "unlink  /b\n");
        append(unlink_of(other, "/", "c"));
        expect("\n" TIME "unlink  /c\n" INDENT "rm[4711] as root, login alice\n" INDENT
               "$ sh -c\n");
        append(unlink_of(first, "/", "d"));
        expect("\n" TIME "unlink  /d\n" INDENT "rm[4711] as root, login alice\n" INDENT
               "$ rm -rf /tmp/tools\n");
        /* Another process that happens to look the same. */
        append(unlink_of(later, "/", "e"));
        expect("\n" TIME "unlink  /e\n" INDENT "rm[4711] as root, login alice\n" INDENT
               "$ rm -rf /tmp/tools\n");
        deleter_unref(first);
        deleter_unref(same);
        deleter_unref(other);
        deleter_unref(later);
}
END_TEST

START_TEST(test_news) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, cron_chain);
        Record loss = {.action = RECORD_LOSS,
                       .realtime_nsec = NSEC_14_02_11,
                       .message = "file events were lost on /mnt/\033[31m\n"};
        Record start = {.action = RECORD_START, .message = "x"};

        append(start);
        expect("");
        append(loss);
        loss.action = RECORD_COVERAGE;
        loss.message = "/mnt is watched now";
        append(loss);
        expect(TIME "loss    file events were lost on /mnt/\\e[31m\\n\n" TIME
                    "coverage  /mnt is watched now\n");
        append(unlink_of(d, "/", "a"));
        buffer_clear(&out);
        append(loss);
        expect("\n" TIME "coverage  /mnt is watched now\n");
        append(unlink_of(d, "/", "b"));
        ck_assert_ptr_eq(strstr(buffer_terminate(&out), "\n" TIME "unlink  /b\n" INDENT "rm["),
                         out.bytes);
        buffer_clear(&out);
        start.action = RECORD_STOP;
        append(start);
        expect("");
        deleter_unref(d);
}
END_TEST

START_TEST(test_paths) {
        Record r = unlink_of(NULL, "/tmp", "z");

        append(r);
        expect(TIME "unlink  /tmp/z\n" INDENT "(not known who it was)\n");
        r.path = path_of("/tmp", "a → b");
        append(r);
        expect(TIME "unlink  /tmp/a → b\n");
        r.path = path_of(NULL, "a b");
        append(r);
        expect(TIME "unlink  …/'a b' (directory not known)\n");
        r.path = path_of(NULL, NULL);
        append(r);
        expect(TIME "unlink  (path not known)\n");

        r.action = RECORD_MOVE;
        r.path = path_of("/tmp", "z");
        r.new_path = path_of("/", "w");
        append(r);
        expect(TIME "move    /tmp/z → /w\n");
        r.is_directory = true;
        append(r);
        expect(TIME "move    /tmp/z/ → /w/\n");
        r.path = path_of("/tmp", "a → b");
        r.new_path = path_of(NULL, NULL);
        append(r);
        expect(TIME "move    '/tmp/a → b/' → (not known where)\n");
        r.new_path = path_of(NULL, "n");
        append(r);
        expect(TIME "move    '/tmp/a → b/' → …/n/ (directory not known)\n");
}
END_TEST

START_TEST(test_subvolume) {
        Record r = unlink_of(NULL, "/home", "snap");

        r.action = RECORD_RMDIR;
        r.is_directory = r.is_subvolume = true;
        append(r);
        expect(TIME "rmdir   /home/snap/ (subvolume, with all it held)\n" INDENT
                    "(not known who it was)\n");
        r.path = path_of("/home", "snap (1)");
        append(r);
        expect(TIME "rmdir   '/home/snap (1)/' (subvolume, with all it held)\n");
        r.path = path_of("/", "");
        append(r);
        expect(TIME "rmdir   / (subvolume, with all it held)\n");
        /* Nothing is lost by a move. */
        r.action = RECORD_MOVE;
        r.path = path_of("/home", "snap");
        r.new_path = path_of("/home", "snap2");
        append(r);
        expect(TIME "move    /home/snap/ → /home/snap2/\n");
}
END_TEST

START_TEST(test_overwrites_and_remains) {
        const Holder holders[] = {{.pid = 12, .fd = 3, .name = "tail -f"}, {.pid = 13, .fd = -1}};
        Remains left = {.status = {.st_nlink = 1}};
        Record r = unlink_of(NULL, "/tmp", "a b");

        append(r);
        buffer_clear(&out);
        r.action = RECORD_OVERWRITE;
        r.new_path = path_of("/tmp", "new");
        append(r);
        expect(TIME "overwrite  '/tmp/a b' ← /tmp/new\n");
        r.new_path = path_of(NULL, NULL);
        append(r);
        expect(TIME "overwrite  '/tmp/a b' ← (not known where)\n");
        r = unlink_of(NULL, "/", "a");
        r.remains = &left;
        append(r);
        expect(TIME "unlink  /a\n" INDENT "1 other name left, not known where\n");
        left = (Remains){.status = {.st_nlink = 3}, .also_at = "/srv/x\033"};
        append(r);
        expect(TIME "unlink  /a\n" INDENT "also at $'/srv/x\\e' (3 other names left)\n");
        left = (Remains){.is_held = true};
        append(r);
        expect(TIME "unlink  /a\n" INDENT "still open, not known by whom\n");
        left = (Remains){.is_held = true, .holders = holders, .n_holders = 2};
        append(r);
        expect(TIME "unlink  /a\n" INDENT
                    "still open by 'tail -f'[12], pid 13, can be saved: cp /proc/12/fd/3 FILE\n");
        left.holders++;
        left.n_holders = 1;
        append(r);
        expect(TIME "unlink  /a\n" INDENT
                    "still open by pid 13, can be saved: cp /proc/13/exe FILE\n");
        left = (Remains){0};
        append(r);
        expect(TIME "unlink  /a\n");
}
END_TEST

static void expect_who(Attribution a, const ProcessFactsParts *parts, const char *const *chain,
                       const char *expected) {
        Deleter *d = fixture_deleter(1, a, 1, parts, chain);
        static const char head[] = TIME "unlink  /a\n";

        set_options((RecordTextOptions){0});
        append(unlink_of(d, "/", "a"));
        ck_assert_str_eq(buffer_terminate(&out) + strlen(head), expected);
        deleter_unref(d);
}

START_TEST(test_attribution) {
        static const char rest[] = "$ rm -rf /tmp/tools\n" INDENT "in cron.service\n";
        ProcessFactsParts parts = fixture_parts();
        char expected[1024];

        expect_who(ATTRIBUTION_PID_ONLY, NULL, NULL,
                   INDENT "pid 4711\n" INDENT
                          "(known only by its pid: it ended before it could be seen)\n");
        snprintf(expected, sizeof(expected),
                 INDENT "rm[4711] as root, login alice\n" INDENT "%s" INDENT "%s",
                 "(it ran no program of its own and ended before it could be seen: this is what "
                 "its parent was when it forked)\n",
                 rest);
        expect_who(ATTRIBUTION_FORK, &parts, NULL, expected);
        parts = (ProcessFactsParts){.facts = {.comm = "rm", .login_uid = PROCESS_ID_UNSET}};
        expect_who(ATTRIBUTION_EXIT, &parts, NULL,
                   INDENT "rm[4711]\n" INDENT
                          "(known only by what the kernel said at its end)\n" INDENT
                          "(arguments not known: it ended before they could be read)\n");
}
END_TEST

START_TEST(test_users) {
        ProcessFactsParts parts = {.facts = {.comm = "a b", .has_ids = true}};

        parts.facts.ids = (ProcIds){.real_uid = 1000, .effective_uid = 0};
        parts.facts.login_uid = 77;
        expect_who(ATTRIBUTION_LIVE, &parts, NULL,
                   INDENT "'a b'[4711] as root, real user alice, login uid 77\n" INDENT
                          "(no arguments: a thread of the kernel, or it emptied them)\n");
        parts.facts.comm[0] = '\0';
        parts.facts.login_uid = PROCESS_ID_UNSET;
        parts.facts.ids.real_uid = 0;
        fixture_set_executable(&parts, "/a b");
        expect_who(ATTRIBUTION_EXEC, &parts, NULL,
                   INDENT "pid 4711 as root\n" INDENT "program '/a b' (arguments not known)\n");
}
END_TEST

/* In a container 0 and 1000 are others than here: there are no names, and it says why. */
START_TEST(test_users_of_containers) {
        ProcessFactsParts parts = {.facts = {.comm = "x", .has_ids = true}};

        parts.facts.ids = (ProcIds){.real_uid = 1000, .effective_uid = 0};
        parts.facts.login_uid = 1000;
        parts.facts.is_in_pid_namespace = true;
        fixture_set_args(&parts, "x", 2);
        expect_who(ATTRIBUTION_LIVE, &parts, NULL,
                   INDENT
                   "x[4711] as uid 0, real user uid 1000, login uid 1000 (in a container)\n" INDENT
                   "$ x\n" INDENT "in a pid namespace of its own\n");
}
END_TEST

START_TEST(test_program) {
        ProcessFactsParts parts = {.facts = {.comm = "x", .login_uid = PROCESS_ID_UNSET}};

        fixture_set_args(&parts, "x", 2);
        parts.facts.is_executable_deleted = true;
        parts.title = "x: a\033";
        parts.n_title = strlen(parts.title);
        expect_who(ATTRIBUTION_LIVE, &parts, NULL,
                   INDENT "x[4711]\n" INDENT "$ x\n" INDENT
                          "(program deleted or replaced since it started)\n" INDENT
                          "now calls itself $'x: a\\e'\n");
        parts.title = "x";
        parts.n_title = 1;
        parts.facts.is_executable_deleted = false;
        expect_who(ATTRIBUTION_LIVE, &parts, NULL, INDENT "x[4711]\n" INDENT "$ x\n");
}
END_TEST

START_TEST(test_units) {
        static const struct {
                const char *cgroup, *line;
        } cases[] = {
                {"/user.slice/user-1000.slice/session-3.scope",
                 INDENT "in session 3, session-3.scope\n"},
                {"/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service",
                 INDENT "in app-x.service of user@1000.service\n"},
                {"/machine.slice", INDENT "in machine.slice\n"},
                {"/", ""},
        };
        ProcessFactsParts parts = {.facts = {.comm = "x", .login_uid = PROCESS_ID_UNSET}};
        char expected[256];

        fixture_set_args(&parts, "x", 2);
        fixture_set_cgroup(&parts, cases[_i].cgroup);
        snprintf(expected, sizeof(expected), INDENT "x[4711]\n" INDENT "$ x\n%s", cases[_i].line);
        expect_who(ATTRIBUTION_LIVE, &parts, NULL, expected);
}
END_TEST

START_TEST(test_args) {
        static const char odd[] = "rm\0\0a b\0it's\0x\ny\0--";
        ProcessFactsParts parts = {.facts = {.comm = "x", .login_uid = PROCESS_ID_UNSET}};

        fixture_set_args(&parts, odd, sizeof(odd) - 1);
        parts.facts.is_args_cut = true;
        expect_who(ATTRIBUTION_LIVE, &parts, NULL,
                   INDENT "x[4711]\n" INDENT "$ rm '' 'a b' 'it'\\''s' $'x\\ny' -- …\n");
}
END_TEST

START_TEST(test_open_chain) {
        ProcessFactsParts parts = {.facts = {.comm = "x", .login_uid = PROCESS_ID_UNSET}};
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, cron_chain);

        d->ancestors[0].facts = process_facts_unref(d->ancestors[0].facts);
        d->ancestors[3].facts = process_facts_unref(d->ancestors[3].facts);
        d->n_ancestors = 3;
        append(unlink_of(d, "/", "a"));
        ck_assert_ptr_nonnull(
                strstr(buffer_terminate(&out), INDENT "x ← pid 100 ← sh ← cron ← ?\n"));
        deleter_unref(d);
}
END_TEST

/* Takes the next line; NULL at the end. */
static const char *next_line(const char **at, size_t *ret_n) {
        const char *line = *at, *newline = strchr(line, '\n');

        if (!*line)
                return NULL;
        ck_assert_ptr_nonnull(newline);
        *ret_n = (size_t)(newline - line);
        *at = newline + 1;
        return line;
}

START_TEST(test_fit) {
        static const char args[] = "rm\0\xc3\xa9\xc3\xa9\xe2\x82\xac\0\xe6\xbc\xa2\xe5\xad\x97\0"
                                   "a\x1b[31m\xe2\x80\xae\xf3\xa0\x80\x81\xff\0end";
        static const char *const chain[] = {"find", "a b", "c\xff", "sh\033", "systemd", NULL};
        const char *at, *line;
        ProcessFactsParts parts = fixture_parts();
        size_t n_columns = (size_t)_i, n, n_line = 0;
        Deleter *d;

        fixture_set_args(&parts, args, sizeof(args));
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, chain);
        set_options((RecordTextOptions){.n_columns = n_columns});
        append(unlink_of(d, "/a/very/long/path/that/is/never/cut/not/even/in/a/small/window",
                         "file"));
        at = buffer_terminate(&out);
        ck_assert(utf8_is_valid(out.bytes, out.n_bytes));
        ck_assert_ptr_nonnull(strstr(at, "cut/not/even/in/a/small/window/file\n"));
        while ((line = next_line(&at, &n))) {
                n_line++;
                if (n_line == 3 || n_line == 5) {
                        size_t limit = n_columns > 40 ? n_columns : 40;
                        size_t cut = n - strlen("…");

                        ck_assert_uint_le(escape_width(line, n), limit);
                        if (memcmp(line + cut, "…", strlen("…")) != 0)
                                continue;
                        /* Whatever was left out would not have fitted: an escape of ten. */
                        ck_assert_uint_ge(escape_width(line, n) + 10, limit);
                        for (size_t i = 1; i < 10; i++) {
                                static const char *const escapes = "xuU";
                                const char *e = line + cut - i;

                                if (e[0] != '\\' || !strchr(escapes, e[1]) || i == 1)
                                        continue;
                                ck_assert_uint_ge(i, e[1] == 'x' ? 4 : e[1] == 'u' ? 6 : 10);
                                break;
                        }
                        ck_assert_int_ne(line[cut - 1], '\\');
                }
        }
        ck_assert_uint_eq(n_line, 5);
        deleter_unref(d);
}
END_TEST

START_TEST(test_set_columns) {
        static char args[300];
        ProcessFactsParts parts = fixture_parts();
        Deleter *d, *again;

        memset(args, 'x', sizeof(args));
        fixture_set_args(&parts, args, sizeof(args));
        d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, NULL);
        again = fixture_deleter(2, ATTRIBUTION_LIVE, 2, &parts, NULL);
        append(unlink_of(d, "/", "a"));
        ck_assert_ptr_null(strstr(buffer_terminate(&out), "…"));
        record_text_set_columns(text, 80);
        append(unlink_of(again, "/", "a"));
        ck_assert_ptr_nonnull(strstr(buffer_terminate(&out), "xxxx…\n"));
        deleter_unref(d);
        deleter_unref(again);
}
END_TEST

START_TEST(test_colors) {
        ProcessFactsParts parts = fixture_parts();
        Deleter *d = fixture_deleter(1, ATTRIBUTION_LIVE, 1, &parts, cron_chain);
        Record r = unlink_of(d, "/tmp", "a"), loss = {.action = RECORD_LOSS, .message = "m"};
        _cleanup_buffer_ Buffer plain = {0};

        for (int is_colored = 0; is_colored < 2; is_colored++) {
                set_options((RecordTextOptions){.is_colored = is_colored, .n_columns = 40});
                for (r.action = RECORD_UNLINK; r.action <= RECORD_OVERWRITE; r.action++)
                        append(r);
                append(loss);
                if (!is_colored)
                        buffer_append_string(&plain, buffer_terminate(&out));
        }
        buffer_terminate(&out);
        ck_assert_uint_gt(without_colors(out.bytes), 16);
        ck_assert_str_eq(out.bytes, buffer_terminate(&plain));
        deleter_unref(d);
}
END_TEST

/* Names of processes cannot pretend to be what stands around them. */
START_TEST(test_no_imitation) {
        static const char *const chain[] = {"a ← init", "systemd", NULL};
        ProcessFactsParts parts = {.facts = {.comm = "rm[1] as root", .has_ids = true}};
        char expected[512];

        user_name = "bob, login root";
        parts.facts.ids = (ProcIds){.real_uid = 1000, .effective_uid = 1000};
        parts.facts.login_uid = PROCESS_ID_UNSET;
        fixture_set_args(&parts, "x", 2);
        snprintf(expected, sizeof(expected), "%s%s%s",
                 INDENT "'rm[1] as root'[4711] as 'bob, login root'\n", INDENT "$ x\n",
                 INDENT "'rm[1] as root' ← 'a ← init' ← systemd\n");
        expect_who(ATTRIBUTION_LIVE, &parts, chain, expected);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("record_text");

        setlocale(LC_CTYPE, "C.UTF-8");
        setenv("TZ", "UTC", 1);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_group);
        tcase_add_test(t, test_overwrites_and_remains);
        tcase_add_test(t, test_group_ends);
        tcase_add_test(t, test_news);
        tcase_add_test(t, test_paths);
        tcase_add_test(t, test_subvolume);
        tcase_add_test(t, test_attribution);
        tcase_add_test(t, test_users);
        tcase_add_test(t, test_users_of_containers);
        tcase_add_test(t, test_program);
        tcase_add_loop_test(t, test_units, 0, 4);
        tcase_add_test(t, test_args);
        tcase_add_test(t, test_open_chain);
        tcase_add_loop_test(t, test_fit, 1, 130);
        tcase_add_test(t, test_set_columns);
        tcase_add_test(t, test_colors);
        tcase_add_test(t, test_no_imitation);
        return unit_run("record_text", t);
}
