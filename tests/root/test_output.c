/* SPDX-License-Identifier: MIT */

/*
 * JSON lines: fields and their types, and the stream's manners with readers that leave, stall
 * or are quick, and at its own end. Text for people is test_text.c's.
 */

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
#include "harness.h"
#include "record.h"
#include "schema.h"
#include "truth.h"

static char *join(const char *dir, const char *name) {
        return harness_format("%s/%s", dir, name);
}

/* What every deletion by a living process on this machine must have; others may be unknown. */
static const char *const always[] = {
        "@timestamp",
        "message",
        "ecs.version",
        "event.kind",
        "event.category",
        "event.type",
        "event.action",
        "event.provider",
        "event.outcome",
        "event.sequence",
        "event.id",
        "file.path",
        "file.name",
        "file.directory",
        "file.type",
        "process.pid",
        "process.entity_id",
        "process.name",
        "process.executable",
        "process.command_line",
        "process.args",
        "process.args_count",
        "process.working_directory",
        "process.start",
        "process.user.id",
        "process.user.name",
        "process.real_user.id",
        "process.group.id",
        "process.parent.pid",
        "process.parent.entity_id",
        "process.parent.name",
        "process.parent.executable",
        "process.parent.command_line",
        "process.parent.start",
        "user.id",
        "user.name",
        "host.boot.id",
        "whodunlink.ancestry",
        "whodunlink.attribution",
        "whodunlink.path_source",
        "whodunlink.mount.path",
        "whodunlink.mount.fstype",
};

static void check_values(struct json_object *record, size_t i_deletion) {
        static const char *const actions[] = {"unlink", "rmdir", "move"};
        static const char *const event_types[] = {"deletion", "deletion", "change"};
        static const char *const file_types[] = {"file", "dir", "file"};
        struct json_object *types = record_get(record, "event.type");
        struct json_object *categories = record_get(record, "event.category");

        ck_assert_str_eq(record_string(record, "event.kind"), "event");
        ck_assert_str_eq(record_string(record, "event.provider"), "fanotify");
        ck_assert_str_eq(record_string(record, "event.outcome"), "success");
        ck_assert_str_eq(json_object_get_string(json_object_array_get_idx(categories, 0)), "file");
        ck_assert_str_eq(record_string(record, "event.action"), actions[i_deletion]);
        ck_assert_str_eq(json_object_get_string(json_object_array_get_idx(types, 0)),
                         event_types[i_deletion]);
        ck_assert_str_eq(record_string(record, "file.type"), file_types[i_deletion]);
        ck_assert(strstr(record_string(record, "message"), record_string(record, "file.path")));
}

START_TEST(fields_have_the_names_and_types_of_the_schema) {
        Filesystem fs = fs_new(FS_EXT4, "fs");
        char *file = join(fs.path, "a.txt"), *dir = join(fs.path, "dir"), *b = join(fs.path, "b");
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        _cleanup_reader_ RecordReader r = {0};
        struct json_object *record;
        size_t n = 0;

        harness_touch(file);
        harness_touch(b);
        harness_mkdir(dir);
        process_run(PROCESS_ARGS("rm", file));
        process_run(PROCESS_ARGS("rmdir", dir));
        process_run(PROCESS_ARGS("mv", b, file));
        monitor_stop(&m);
        r = record_reader_new(m.output_path);
        while ((record = record_next(&r))) {
                schema_assert(record);
                if (strcmp(record_string(record, "event.dataset"), "whodunlink.deletion") != 0)
                        continue;
                for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
                        harness_assert(record_get(record, always[i]), "no %s in: %s", always[i],
                                       json_object_to_json_string(record));
                ck_assert_uint_lt(n, 3);
                check_values(record, n++);
        }
        ck_assert_uint_eq(n, 3);
}
END_TEST

/* Whatever is said behind the lines of the start. */
static const char *after_start(const char *errors) {
        while (strncmp(errors, "watching ", 9) == 0 || strncmp(errors, "whodunlink: no ", 15) == 0)
                errors += strcspn(errors, "\n") + 1;
        return errors;
}

/* `whodunlink … | head -1`: no message, no summary, no ruin, no running on. */
START_TEST(a_reader_that_leaves) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start_piped(MONITOR_ARGS(fs.path));
        char *file = join(fs.path, "file"), *below = join(fs.path, "below");
        _cleanup_free_ char *errors = NULL;
        int status;

        close(m.pipe_fd);
        m.pipe_fd = -1;
        if (_i == 0) {
                harness_touch(file);
                harness_unlink(file);
        } else {
                harness_mkdir(below);
                ck_assert_int_eq(mount("tmpfs", below, "tmpfs", 0, NULL), 0);
        }
        status = monitor_wait(&m, 10);
        errors = monitor_errors(&m);
        harness_assert(status == 0, "exit status %d", status);
        harness_assert(strstr(errors, "watching "), "says: %s", errors);
        harness_assert(!*after_start(errors), "says: %s", errors);
}
END_TEST

/* Nobody reads for a while, far more than a pipe holds: then all of it comes, and who it was. */
START_TEST(a_reader_that_stalls) {
        size_t n = harness_scale(1500, 100);
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process model = process_child_truth(PROCESS_ARGS("rm"));
        Process *p = calloc(n, sizeof(*p));
        const char *(*args)[3] = calloc(n, sizeof(*args));
        _cleanup_truth_ Truth t = {.is_ordered = true};
        Monitor m = monitor_start_piped(MONITOR_ARGS(fs.path));

        for (size_t i = 0; i < n; i++) {
                char *file = harness_format("%s/file-%zu", fs.path, i);

                harness_touch(file);
                args[i][0] = "rm";
                args[i][1] = file;
                p[i] = model;
                p[i].args = args[i];
                p[i].pid = process_run(args[i]);
                truth_add(&t, "unlink", file, &p[i]);
        }
        harness_sleep(1);
        truth_check(&t, &m, harness_unknown_allowed(n));
}
END_TEST

/* Deleted, and told to end at once: what the kernel had queued is still said. */
START_TEST(the_end_drains_the_queue) {
        int signal_number = _i == 0 ? SIGTERM : SIGINT;
        size_t n = harness_scale(50 * 1000, 1000);
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        _cleanup_free_ char *errors = NULL;
        TruthDiff diff;

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *file = harness_format("%s/file-%zu", fs.path, i);

                harness_touch(file);
                truth_add(&t, "unlink", file, &own);
        }
        for (size_t i = 0; i < n; i++)
                harness_unlink(t.items[i].path);
        ck_assert_int_eq(kill(m.pid, signal_number), 0);
        ck_assert_int_eq(monitor_wait(&m, MONITOR_TIMEOUT_SEC), 0);
        diff = truth_compare(&t, &m);
        truth_assert(&diff, 0);
        errors = monitor_errors(&m);
        harness_assert(strstr(errors, harness_format("%zu", n)), "no summary of %zu: %s", n,
                       errors);
}
END_TEST

/* Moves are not deletions, and two processes that take turns are two. */
START_TEST(the_summary_counts_truly) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *a = join(fs.path, "a"), *b = join(fs.path, "b");
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        _cleanup_free_ char *errors = NULL;

        for (int i = 0; i < 3; i++) {
                harness_touch(a);
                process_run(PROCESS_ARGS("rm", a));
                harness_touch(a);
                ck_assert_int_eq(rename(a, b), 0);
                harness_unlink(b);
        }
        monitor_stop(&m);
        errors = monitor_errors(&m);
        harness_assert(strstr(errors, "6 deletions and 3 moves by 4 processes in "), "says: %s",
                       errors);
}
END_TEST

/* What is covered is said at the start on stderr, and as records; --quiet leaves those alone. */
START_TEST(coverage_at_the_start) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        const bool is_quiet = _i == 1;
        _cleanup_free_ char *watching = harness_format("watching %s (tmpfs)", fs.path);
        _cleanup_free_ char *errors = NULL;
        Monitor m = monitor_start(MONITOR_ARGS(fs.path, is_quiet ? "--quiet" : NULL));

        monitor_stop(&m);
        errors = monitor_errors(&m);
        if (is_quiet)
                ck_assert_str_eq(errors, "");
        else
                harness_assert(strstr(errors, watching), "says: %s", errors);
        ck_assert(monitor_has_output(&m, watching));
        ck_assert_uint_eq(record_count_status(m.output_path, "coverage"), 1);
}
END_TEST

/* A quiet stream: a record is there when it happens, not when a buffer is full. */
START_TEST(a_record_comes_at_once) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *file = join(fs.path, "file-seen-at-once");
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        double start;

        harness_sleep(0.3);
        harness_touch(file);
        start = harness_now();
        harness_unlink(file);
        monitor_wait_for_output(&m, "file-seen-at-once", 5);
        harness_note("seen after %.0f ms", (harness_now() - start) * 1000);
        harness_assert(harness_now() - start < 0.5, "took %.2f s", harness_now() - start);
        monitor_stop(&m);
}
END_TEST

/* A full device behind stdout is an error that is said, not an endless loop. */
START_TEST(a_full_disk) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *said = harness_path("said");
        char *command = harness_format("exec '%s' watch --output=json '%s' >/dev/full 2>'%s'",
                                       harness_program(), fs.path, said);
        char *file = join(fs.path, "file");
        pid_t pid = process_spawn(PROCESS_ARGS("sh", "-c", command));
        _cleanup_free_ char *errors = NULL;
        int status;

        harness_sleep(0.5);
        harness_touch(file);
        harness_unlink(file);
        status = process_wait(pid, 20);
        errors = harness_read_file(said, NULL);
        ck_assert_int_eq(status, 1);
        harness_assert(strstr(errors, "cannot write to stdout: No space left on device"), "%s",
                       errors);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, fields_have_the_names_and_types_of_the_schema);
        tcase_add_loop_test(tcase, a_reader_that_leaves, 0, 2);
        tcase_add_test(tcase, a_reader_that_stalls);
        tcase_add_loop_test(tcase, the_end_drains_the_queue, 0, 2);
        tcase_add_test(tcase, the_summary_counts_truly);
        tcase_add_loop_test(tcase, coverage_at_the_start, 0, 2);
        tcase_add_test(tcase, a_record_comes_at_once);
        tcase_add_test(tcase, a_full_disk);
}

int main(void) {
        return harness_main("output", add_tests);
}
