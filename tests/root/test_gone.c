/* SPDX-License-Identifier: MIT */

/*
 * Is it really gone: other names, those who have it open, and what the file was like.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "monitor.h"
#include "process.h"
#include "record.h"

/* Longer than the pause between two looks through all processes. */
#define SEARCH_PAUSE_SEC 1.0

typedef struct Stage {
        Filesystem fs;
        char *watched, *outside;
        Monitor m;
} Stage;

static Stage make_stage(FsKind kind) {
        Stage s = {.fs = fs_new(kind, "fs")};

        s.watched = harness_format("%s/watched", s.fs.path);
        s.outside = harness_format("%s/outside", s.fs.path);
        harness_mkdir(s.watched);
        harness_mkdir(s.outside);
        s.m = monitor_start(MONITOR_ARGS(s.watched));
        return s;
}

static char *in(const Stage *s, const char *name) {
        return harness_format("%s/%s", s->watched, name);
}

/* By another process: else it is one event with the loss of the first name, if that is read late.
 */
static void link_it(const char *from, const char *to) {
        process_run(PROCESS_ARGS("ln", from, to));
}

/* The record of the only deletion of a path; the caller keeps what it needs. */
static struct json_object *record_of(const Stage *s, const char *path) {
        static RecordReader r;
        struct json_object *record;

        r = record_reader_new(s->m.output_path);
        while ((record = record_next_deletion(&r))) {
                const char *p = record_string(record, "file.path");

                if (p && strcmp(p, path) == 0)
                        return record;
        }
        harness_abort("no record of %s", path);
}

static void expect_nothing(struct json_object *record) {
        static const char *const fields[] = {
                "whodunlink.links_left",
                "whodunlink.also_at",
                "whodunlink.held_open",
                "whodunlink.held_by",
                "file.size",
                "file.mode",
                "file.uid",
                "file.mtime",
                "whodunlink.overwrite_unknown",
        };

        for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
                harness_assert(!record_get(record, fields[i]), "%s is there", fields[i]);
}

static void expect_string(struct json_object *record, const char *field, const char *expected) {
        const char *value = record_string(record, field);

        harness_assert(value && strcmp(value, expected) == 0, "%s is %s, not %s", field,
                       value ? value : "absent", expected);
}

static void expect_names(struct json_object *record, int64_t n, const char *also_at) {
        ck_assert_int_eq(record_number(record, "whodunlink.links_left"), n);
        expect_string(record, "whodunlink.also_at", also_at);
        ck_assert(!record_get(record, "whodunlink.held_open"));
}

/* Somebody else has it open, as this descriptor. */
static void expect_holder(struct json_object *record, pid_t pid, int fd) {
        struct json_object *held = record_get(record, "whodunlink.held_open");
        struct json_object *by = record_get(record, "whodunlink.held_by"), *holder, *v;

        harness_assert(held && json_object_get_boolean(held), "not held: %s",
                       json_object_to_json_string(record));
        ck_assert(!record_get(record, "whodunlink.links_left"));
        harness_assert(by && json_object_array_length(by) == 1, "held by %s",
                       by ? json_object_to_json_string(by) : "nobody");
        holder = json_object_array_get_idx(by, 0);
        ck_assert(json_object_object_get_ex(holder, "pid", &v));
        ck_assert_int_eq(json_object_get_int64(v), pid);
        ck_assert(json_object_object_get_ex(holder, "fd", &v) == (fd >= 0));
        if (fd >= 0)
                ck_assert_int_eq(json_object_get_int64(v), fd);
        ck_assert(json_object_object_get_ex(holder, "name", &v));
}

START_TEST(really_gone) {
        Stage s = make_stage((FsKind)_i);
        char *a = in(&s, "a"), *b = in(&s, "b"), *c = in(&s, "c"), *d = in(&s, "d");

        harness_touch(a);
        harness_unlink(a);
        harness_touch(b);
        harness_touch(c);
        ck_assert_int_eq(rename(b, c), 0);
        harness_mkdir(d);
        ck_assert_int_eq(rmdir(d), 0);
        monitor_stop(&s.m);
        expect_nothing(record_of(&s, a));
        expect_nothing(record_of(&s, c));
        expect_nothing(record_of(&s, d));
}
END_TEST

START_TEST(other_names) {
        Stage s = make_stage((FsKind)_i);
        char *a = in(&s, "a"), *b = in(&s, "b"), *c = harness_format("%s/c", s.outside);
        char *d = in(&s, "d"), *e = in(&s, "e"), *new = in(&s, "new");

        harness_touch(a);
        link_it(a, b);
        harness_unlink(a); /* beside it */
        harness_sleep(0.05);
        link_it(b, c);
        harness_unlink(b); /* elsewhere, not even watched */
        harness_sleep(0.05);
        harness_touch(d);
        link_it(d, e);
        harness_touch(new);
        ck_assert_int_eq(rename(new, d), 0);
        monitor_stop(&s.m);
        expect_names(record_of(&s, a), 1, b);
        expect_names(record_of(&s, b), 1, c);
        expect_names(record_of(&s, d), 1, e);
}
END_TEST

/* What it was like is what it still is. */
START_TEST(what_it_was_like) {
        Stage s = make_stage((FsKind)_i);
        const struct timespec times[2] = {{.tv_sec = 1000000000, .tv_nsec = 500000000},
                                          {.tv_sec = 1500000000}};
        char *a = in(&s, "a"), *b = in(&s, "b");
        struct json_object *record;
        int fd = open(a, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        harness_assert(fd >= 0, "%s: %m", a);
        ck_assert_int_eq(pwrite(fd, "x", 1, 12344), 1);
        ck_assert_int_eq(fchown(fd, 65534, 12345), 0);
        ck_assert_int_eq(fchmod(fd, 04750), 0);
        ck_assert_int_eq(futimens(fd, times), 0);
        close(fd);
        link_it(a, b);
        harness_unlink(a);
        monitor_stop(&s.m);
        record = record_of(&s, a);
        ck_assert_int_eq(record_number(record, "file.size"), 12345);
        expect_string(record, "file.uid", "65534");
        expect_string(record, "file.gid", "12345");
        expect_string(record, "file.owner", "nobody");
        ck_assert(!record_get(record, "file.group"));
        expect_string(record, "file.mode", "4750");
        expect_string(record, "file.accessed", "2001-09-09T01:46:40.500000000Z");
        expect_string(record, "file.mtime", "2017-07-14T02:40:00.000000000Z");
        ck_assert(record_get(record, "file.ctime"));
}
END_TEST

typedef struct HolderArgs {
        const char *path;
        int ready_fd, end_fd;
} HolderArgs;

#define HELD_FD 77

static void hold(void *userdata) {
        const HolderArgs *a = userdata;
        int fd = open(a->path, O_RDONLY | O_CLOEXEC);
        char c;

        harness_assert(fd >= 0 && dup2(fd, HELD_FD) == HELD_FD, "%s: %m", a->path);
        close(fd);
        harness_assert(write(a->ready_fd, "", 1) == 1, "write: %m");
        (void)!read(a->end_fd, &c, 1);
}

/* Another process opens a file, and is let go by closing *ret_end_fd. */
static pid_t start_holder(const char *path, int *ret_end_fd) {
        int ready[2], end[2];
        HolderArgs args;
        pid_t pid;
        char c;

        ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(end, O_CLOEXEC), 0);
        args = (HolderArgs){.path = path, .ready_fd = ready[1], .end_fd = end[0]};
        pid = process_fork(hold, &args);
        ck_assert_int_eq(read(ready[0], &c, 1), 1);
        close(ready[0]);
        close(ready[1]);
        close(end[0]);
        *ret_end_fd = end[1];
        return pid;
}

START_TEST(still_open) {
        Stage s = make_stage((FsKind)_i);
        char *a = in(&s, "a"), *b = in(&s, "b"), *c = in(&s, "c");
        pid_t pids[2];
        int ends[2];

        harness_touch(a);
        harness_touch(b);
        pids[0] = start_holder(a, &ends[0]);
        harness_unlink(a);
        harness_sleep(SEARCH_PAUSE_SEC);
        pids[1] = start_holder(b, &ends[1]);
        harness_touch(c);
        ck_assert_int_eq(rename(c, b), 0);
        harness_sleep(SEARCH_PAUSE_SEC);
        ck_assert_int_eq(write(ends[0], "", 1), 1);
        ck_assert_int_eq(write(ends[1], "", 1), 1);
        ck_assert_int_eq(process_wait(pids[0], 10), 0);
        ck_assert_int_eq(process_wait(pids[1], 10), 0);
        monitor_stop(&s.m);
        expect_holder(record_of(&s, a), pids[0], HELD_FD);
        expect_holder(record_of(&s, b), pids[1], HELD_FD);
        ck_assert_uint_eq(record_count_deletions(s.m.output_path), 2);
}
END_TEST

/* A program that runs is open, too, without a descriptor. */
START_TEST(still_running) {
        Stage s = make_stage(FS_TMPFS);
        char *program = in(&s, "sleeper"), *sleep = process_find_program("sleep");
        pid_t pid;

        process_run(PROCESS_ARGS("cp", sleep, program));
        pid = process_spawn(PROCESS_ARGS(program, "60"));
        harness_sleep(0.2);
        harness_unlink(program);
        harness_sleep(0.5);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(process_wait(pid, 10), 128 + SIGKILL);
        monitor_stop(&s.m);
        expect_holder(record_of(&s, program), pid, -1);
}
END_TEST

/* A storm of files that are open costs no search for each; all are told, and that they are open. */
START_TEST(a_storm_of_open_files) {
        Stage s = make_stage(FS_TMPFS);
        const size_t n = 500;
        _cleanup_reader_ RecordReader r = {0};
        struct json_object *record;
        size_t n_held = 0, n_by = 0;
        double start = harness_now();

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path = harness_format("%s/%zu", s.watched, i);

                harness_assert(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) >= 0, "%s: %m", path);
                harness_unlink(path);
        }
        monitor_stop(&s.m);
        harness_note("%.2f s", harness_now() - start);
        ck_assert(harness_now() - start < 10);
        r = record_reader_new(s.m.output_path);
        while ((record = record_next_deletion(&r))) {
                n_held += record_get(record, "whodunlink.held_open") != NULL;
                n_by += record_get(record, "whodunlink.held_by") != NULL;
        }
        harness_note("%zu of %zu held, by whom for %zu", n_held, n, n_by);
        ck_assert_uint_eq(record_count_deletions(s.m.output_path), n);
        ck_assert_uint_ge(n_by, 1);
        ck_assert_uint_lt(n_by, n);
}
END_TEST

/* The same in words. */
START_TEST(in_text) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start_text(MONITOR_ARGS(fs.path));
        char *a = harness_format("%s/a", fs.path), *b = harness_format("%s/b c", fs.path);
        char *d = harness_format("%s/d", fs.path), *words;
        pid_t pid;
        int end;

        harness_sleep(0.3);
        harness_touch(a);
        link_it(a, b);
        harness_unlink(a);
        words = harness_format("also at '%s' (1 other name left)", b);
        monitor_wait_for_output(&m, words, 10);
        harness_touch(d);
        pid = start_holder(d, &end);
        harness_unlink(d);
        words = harness_format("[%d], can be saved: cp /proc/%d/fd/%d FILE", (int)pid, (int)pid,
                               HELD_FD);
        monitor_wait_for_output(&m, words, 10);
        close(end);
        monitor_stop(&m);
}
END_TEST

/* Of the deleter and the parent that left it the descriptor, the parent is there for longer. */
START_TEST(inherited) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start_text(MONITOR_ARGS(fs.path));
        char *a = harness_format("%s/a", fs.path), *words;
        int fd;
        pid_t pid;

        harness_sleep(0.3);
        harness_touch(a);
        fd = open(a, O_RDONLY | O_CLOEXEC);
        harness_assert(fd >= 0, "cannot open %s: %m", a);
        pid = fork();
        harness_assert(pid >= 0, "fork: %m");
        if (pid == 0) {
                if (unlink(a) < 0)
                        _exit(1);
                pause();
                _exit(0);
        }
        words = harness_format("[%d], can be saved: cp /proc/%d/fd/%d FILE", (int)pid,
                               (int)getpid(), fd);
        monitor_wait_for_output(&m, words, 10);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        close(fd);
        monitor_stop(&m);
}
END_TEST

#define GOING_BYTES (256 * 1024)

/* Files of some size, which take a while to go, one after the other. */
static void delete_files(void *directory) {
        static char bytes[GOING_BYTES];
        char a[256], b[256];
        const size_t n = harness_scale(200, 50);

        snprintf(a, sizeof(a), "%s/%d-a", (const char *)directory, (int)getpid());
        snprintf(b, sizeof(b), "%s/%d-b", (const char *)directory, (int)getpid());
        for (size_t i = 0; i < n; i++) {
                _cleanup_close_ int fd = open(a, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

                if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
                        _exit(EXIT_FAILURE);
                cleanup_close(&fd);
                fd = -1;
                if ((i % 3 == 0 ? unlink(a) : rename(a, b)) < 0)
                        _exit(EXIT_FAILURE);
                /* For the monitor to have nothing else to do. */
                harness_sleep(0.002 + 0.001 * (double)(i % 4));
        }
}

/*
 * Of a file that nobody has open nothing is told, also while it is just going: then its size is
 * perhaps no longer what it was, and nobody can save it.
 */
START_TEST(what_is_going) {
        Stage s = make_stage((FsKind)_i);
        _cleanup_reader_ RecordReader r = {0};
        struct json_object *record;
        pid_t pids[4];

        for (size_t i = 0; i < 4; i++)
                pids[i] = process_fork(delete_files, s.watched);
        for (size_t i = 0; i < 4; i++)
                ck_assert_int_eq(process_wait(pids[i], 60), 0);
        monitor_stop(&s.m);
        r = record_reader_new(s.m.output_path);
        while ((record = record_next_deletion(&r)))
                harness_assert(!record_get(record, "file.size") &&
                                       !record_get(record, "file.mode") &&
                                       !record_get(record, "whodunlink.held_open"),
                               "%s", json_object_to_json_string(record));
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, what_is_going, 0, FS_KINDS);
        tcase_add_loop_test(tcase, really_gone, 0, FS_KINDS);
        tcase_add_loop_test(tcase, other_names, 0, FS_KINDS);
        tcase_add_loop_test(tcase, what_it_was_like, 0, FS_KINDS);
        tcase_add_loop_test(tcase, still_open, 0, FS_KINDS);
        tcase_add_test(tcase, still_running);
        tcase_add_test(tcase, a_storm_of_open_files);
        tcase_add_test(tcase, in_text);
        tcase_add_test(tcase, inherited);
}

int main(void) {
        return harness_main("gone", add_tests);
}
