/* SPDX-License-Identifier: MIT */

/* Records in a real journal, read back field by field. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "journal.h"
#include "process.h"
#include "schema.h"

static void stop(Monitor *m, Journald *j) {
        monitor_stop(m);
        process_run(PROCESS_ARGS("journalctl", "--verify", "-q", "-D", JOURNAL_DIRECTORY));
        journald_stop(j, SIGTERM);
}

/* A field must say what the JSON says in this place; both may be absent. */
static void same(sd_journal *j, struct json_object *message, const char *field, const char *key) {
        struct json_object *value = record_get(message, key);

        journal_assert_field(j, field, value ? json_object_get_string(value) : NULL);
}

static void check_entry(sd_journal *j) {
        static const char *const pairs[][2] = {
                {"DELETION_ACTION", "event.action"},
                {"DELETION_PATH", "file.path"},
                {"DELETION_DIRECTORY", "file.directory"},
                {"DELETION_NAME", "file.name"},
                {"DELETION_INODE", "file.inode"},
                {"DELETION_PID", "process.pid"},
                {"DELETION_COMM", "process.name"},
                {"DELETION_EXE", "process.executable"},
                {"DELETION_CMDLINE", "process.command_line"},
                {"DELETION_UID", "process.user.id"},
                {"DELETION_USER", "process.user.name"},
                {"DELETION_LOGINUID", "user.audit.id"},
                {"DELETION_PPID", "process.parent.pid"},
                {"DELETION_PARENT_COMM", "process.parent.name"},
                {"DELETION_PARENT_EXE", "process.parent.executable"},
                {"DELETION_CONTAINER_ID", "container.id"},
                {"DELETION_RULE", "whodunlink.cause.rule"},
                {"DELETION_RULE_SOURCE", "whodunlink.cause.source"},
                {"DELETION_TRIGGERED_BY", "whodunlink.cause.triggered_by"},
                {"DELETION_ATTRIBUTION", "whodunlink.attribution"},
                {"DELETION_SEQUENCE", "event.sequence"},
                {"OBJECT_SYSTEMD_UNIT", "systemd.unit"},
                {"OBJECT_SYSTEMD_USER_UNIT", "systemd.user_unit"},
        };
        struct json_object *message = journal_message(j);

        schema_assert(message);
        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
                same(j, message, pairs[i][0], pairs[i][1]);
        journal_assert_field(j, "PRIORITY", "6");
        journal_assert_field(j, "SYSLOG_IDENTIFIER", "whodunlink");
        journal_assert_field(j, "OBJECT_PID", NULL);
        json_object_put(message);
}

/* One entry of an action, and its MESSAGE_ID. */
static void check_action(const char *action, const char *message_id) {
        _cleanup_free_ char *match = harness_format("DELETION_ACTION=%s", action);
        _cleanup_journal_ sd_journal *j = journal_open(match);

        harness_assert(sd_journal_next(j) == 1, "no %s", action);
        check_entry(j);
        journal_assert_field(j, "MESSAGE_ID", message_id);
        harness_assert(sd_journal_next(j) == 0, "more than one %s", action);
}

START_TEST(each_field_comes_back) {
        Journald d = journald_start("64m", "");
        Filesystem fs = fs_new(FS_EXT4, "fs");
        char *a = harness_format("%s/a", fs.path), *b = harness_format("%s/b", fs.path);
        char *dir = harness_format("%s/dir", fs.path);
        Monitor m = journal_monitor_start(MONITOR_ARGS(fs.path));

        harness_touch(a);
        process_run(PROCESS_ARGS("rm", a));
        harness_mkdir(dir);
        process_run(PROCESS_ARGS("rmdir", dir));
        harness_touch(a);
        process_run(PROCESS_ARGS("mv", a, b));
        harness_touch(a);
        process_run(PROCESS_ARGS("mv", "-f", b, a));
        stop(&m, &d);
        check_action("unlink", "f8ecd313ae7640dfba9997ba28c786dd");
        check_action("rmdir", "b5674ce1d4974a73bcae704d88956be8");
        check_action("move", "84689c43c9f14fc6aa2701e633c887d6");
        check_action("overwrite", "9f0cde56740c436c811221eb60616ce3");
        ck_assert_uint_eq(journal_count("MESSAGE_ID=e867e1029b4442c79ae71bdd7da432ae"), 1);
        ck_assert_uint_eq(journal_count("MESSAGE_ID=64bd81e9feb544cb95aaa65883b27ae4"), 1);
        /* start, coverage, four, stop: all in order, none twice, and nothing of its stderr. */
        ck_assert_uint_eq(journal_count(NULL), 7);
}
END_TEST

/* Names of any bytes: as they are in the fields, to be rebuilt from the message. */
START_TEST(names_of_any_bytes) {
        static const char *const names[] = {
                "new\nline",    "\xff\xfe",       "a=b", "=", "\n", "\nMESSAGE=x\nPRIORITY=0",
                "\x01\x1b[31m", "tab\t\"quote\\", " "};
        const size_t n = sizeof(names) / sizeof(names[0]);
        Journald d = journald_start("64m", "");
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = journal_monitor_start(MONITOR_ARGS(fs.path));

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path = harness_format("%s/%s", fs.path, names[i]);

                harness_touch(path);
                process_run(PROCESS_ARGS("rm", path));
        }
        stop(&m, &d);
        ck_assert_uint_eq(journal_count("DELETION_ACTION=unlink"), n);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *match = harness_format("DELETION_NAME=%s", names[i]);
                _cleanup_free_ char *path = harness_format("%s/%s", fs.path, names[i]);
                _cleanup_free_ char *command = harness_format("rm %s", path);
                _cleanup_journal_ sd_journal *j = journal_open(match);
                struct json_object *message;

                harness_assert(sd_journal_next(j) == 1, "no name %zu", i);
                journal_assert_field(j, "DELETION_PATH", path);
                journal_assert_field(j, "DELETION_CMDLINE", command);
                journal_assert_field(j, "PRIORITY", "6");
                message = journal_message(j);
                ck_assert_str_eq(record_bytes(message, "file.path", "whodunlink.path_raw").data,
                                 path);
                json_object_put(message);
        }
}
END_TEST

/* What is told one by one and what folds count is what was there; nobody else is folded. */
START_TEST(storms_are_folded) {
        const size_t n = harness_scale(20 * 1000, 2000);
        Journald d = journald_start("64m", "");
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *dir = harness_format("%s/d", fs.path), *other = harness_format("%s/o", fs.path);
        Monitor m = journal_monitor_start(MONITOR_ARGS(fs.path));
        _cleanup_journal_ sd_journal *j = NULL;
        size_t n_told, n_files = 0, n_directories = 0;

        harness_mkdir(dir);
        harness_touch(other);
        for (size_t i = 0; i < n; i++)
                harness_touch(harness_format("%s/f%zu", dir, i));
        process_run(PROCESS_ARGS("rm", "-r", dir));
        process_run(PROCESS_ARGS("rm", other));
        /* Quiet is enough, it need not end. */
        journal_wait_for("DELETION_ACTION=fold", 1, 30);
        stop(&m, &d);
        ck_assert_uint_eq(journal_count("DELETION_NAME=o"), 1);
        n_told = journal_count("DELETION_ACTION=unlink") - 1 +
                 journal_count("DELETION_ACTION=rmdir");
        j = journal_open("DELETION_ACTION=fold");
        while (sd_journal_next(j) > 0) {
                struct json_object *message = journal_message(j);

                schema_assert(message);
                ck_assert_str_eq(record_string(message, "process.name"), "rm");
                same(j, message, "DELETION_DIRECTORY", "whodunlink.fold.common_directory");
                same(j, message, "DELETION_PID", "process.pid");
                journal_assert_field(j, "MESSAGE_ID", "a44a21450a65441695091f7512856ec7");
                n_files += (size_t)record_number(message, "whodunlink.fold.files");
                n_directories += (size_t)record_number(message, "whodunlink.fold.directories");
                json_object_put(message);
        }
        harness_note("%zu told, %zu in folds", n_told, n_files + n_directories);
        ck_assert_uint_eq(n_told + n_files + n_directories, n + 1);
        ck_assert_uint_gt(n_files, 0);
        ck_assert_uint_lt(n_told, n / 2);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, each_field_comes_back);
        tcase_add_test(tcase, names_of_any_bytes);
        tcase_add_test(tcase, storms_are_folded);
}

int main(void) {
        return harness_main("journal", add);
}
