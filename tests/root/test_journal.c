/* SPDX-License-Identifier: MIT */

/* Records in a real journal, read back field by field. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "group.h"
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

typedef struct InUnit {
        char *group, *file;
} InUnit;

static void delete_in_unit(void *userdata) {
        const InUnit *u = userdata;

        group_enter(u->group);
        execlp("rm", "rm", u->file, NULL);
        _exit(127);
}

/* Runs journalctl on the test's journal. Return: what it says. */
static char *journalctl(const char *a, const char *b) {
        char *path = harness_path("journalctl.out");
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const char *const args[] = {"journalctl", "-q", "--no-pager", "-D", JOURNAL_DIRECTORY, a, b,
                                    NULL};
        size_t n;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(process_wait(process_spawn_io(args, -1, fd), 30), 0);
        close(fd);
        return harness_read_file(path, &n);
}

static size_t count_lines(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

/* journalctl -u UNIT shows what the unit deleted, and nothing else. */
START_TEST(what_a_unit_deleted) {
        InUnit u = {.group = group_make("whodunlink-journal-test.service")};
        Journald d = journald_start("64m", "");
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *other = harness_format("%s/other", fs.path), *said;
        Monitor m = journal_monitor_start(MONITOR_ARGS(fs.path));

        u.file = harness_format("%s/of-the-unit", fs.path);
        harness_touch(u.file);
        harness_touch(other);
        ck_assert_int_eq(process_wait(process_fork(delete_in_unit, &u), 30), 0);
        process_run(PROCESS_ARGS("rm", other));
        stop(&m, &d);
        said = journalctl("-ocat", "--unit=whodunlink-journal-test.service");
        harness_assert(count_lines(said) == 1 && strstr(said, "of-the-unit"), "says: %s", said);
}
END_TEST

/* Each kind of record is explained by the catalog as it is installed. */
START_TEST(catalog) {
        const char *file = getenv("WHODUNLINK_CATALOG");
        Journald d = journald_start("64m", "");
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *path = harness_format("%s/f", fs.path), *said;
        Monitor m = journal_monitor_start(MONITOR_ARGS(fs.path));

        ck_assert(file);
        harness_touch(path);
        process_run(PROCESS_ARGS("rm", path));
        stop(&m, &d);
        if (mount("catalog", "/usr/lib/systemd/catalog", "tmpfs", 0, NULL) < 0 ||
            mount("catalog", "/var/lib/systemd/catalog", "tmpfs", 0, NULL) < 0)
                harness_skip("no catalog here: %m");
        process_run(PROCESS_ARGS("cp", file, "/usr/lib/systemd/catalog/"));
        process_run(PROCESS_ARGS("journalctl", "--update-catalog"));
        said = journalctl("-x", "DELETION_ACTION=unlink");
        harness_assert(strstr(said, "Subject: rm deleted ") && strstr(said, path), "says: %s",
                       said);
        said = journalctl("-x", "SYSLOG_IDENTIFIER=whodunlink");
        ck_assert(strstr(said, "Subject: The watch for deletions begins"));
        ck_assert(strstr(said, "Subject: The watch for deletions ends"));
        ck_assert(strstr(said, "Subject: What is watched for deletions has changed"));
}
END_TEST

/* As a service of systemd has it: stdout is a stream into the journal, and $JOURNAL_STREAM says so;
 * or speaks of another one. */
START_TEST(chosen_by_itself) {
        const bool is_told = _i == 0;
        Journald d = journald_start("64m", "");
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *file = harness_format("%s/f", fs.path);
        int fd = sd_journal_stream_fd("a-service", 6, 0);
        struct stat st;
        pid_t pid;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_int_eq(setenv("JOURNAL_STREAM",
                                harness_format("%llu:%llu", (unsigned long long)st.st_dev,
                                               (unsigned long long)st.st_ino + !is_told),
                                1),
                         0);
        pid = process_spawn_io(PROCESS_ARGS(harness_program(), "watch", fs.path), -1, fd);
        journal_wait_for(is_told ? "MESSAGE_ID=e867e1029b4442c79ae71bdd7da432ae"
                                 : "SYSLOG_IDENTIFIER=a-service",
                         1, 30);
        harness_touch(file);
        process_run(PROCESS_ARGS("rm", file));
        /* Else start, coverage and this one are plain lines. */
        journal_wait_for(is_told ? "DELETION_NAME=f" : "SYSLOG_IDENTIFIER=a-service",
                         is_told ? 1 : 3, 30);
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(process_wait(pid, 30), 0);
        ck_assert_uint_eq(journal_count(is_told ? "SYSLOG_IDENTIFIER=a-service" : NULL), 0);
        ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
        close(fd);
        journald_stop(&d, SIGTERM);
}
END_TEST

/* A loss is a record like others, and a warning. */
START_TEST(losses) {
        Journald d = journald_start("64m", "");
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = journal_monitor_start(MONITOR_ARGS(fs.path, "--process-limit=1"));
        _cleanup_journal_ sd_journal *j = NULL;
        struct json_object *message;

        /* While it cannot be sure that all deletions of their time were read. */
        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        for (int i = 0; i < 50; i++)
                process_run(PROCESS_ARGS("true"));
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        journal_wait_for("DELETION_ACTION=loss", 1, 30);
        stop(&m, &d);
        j = journal_open("DELETION_ACTION=loss");
        ck_assert_int_eq(sd_journal_next(j), 1);
        journal_assert_field(j, "PRIORITY", "4");
        journal_assert_field(j, "MESSAGE_ID", "f654db4ea1c54d499462ffb5c80341e5");
        journal_assert_field(j, "DELETION_PATH", NULL);
        message = journal_message(j);
        schema_assert(message);
        ck_assert_str_eq(record_string(message, "whodunlink.loss.where"), "processes");
        json_object_put(message);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, each_field_comes_back);
        tcase_add_test(tcase, names_of_any_bytes);
        tcase_add_test(tcase, storms_are_folded);
        tcase_add_test(tcase, what_a_unit_deleted);
        tcase_add_test(tcase, catalog);
        tcase_add_loop_test(tcase, chosen_by_itself, 0, 2);
        tcase_add_test(tcase, losses);
}

int main(void) {
        int r;

        group_remove_all();
        r = harness_main("journal", add);
        group_remove_all();
        return r;
}
