/* SPDX-License-Identifier: MIT */

/*
 * Must hold 4: a directory renamed while files in it are deleted. Each record has the path of its
 * moment, whatever the directory was called before or is called by the time the event is read.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

static void do_rename(Truth *t, const char *from, const char *to, const Process *own) {
        harness_assert(rename(from, to) == 0, "rename %s %s: %m", from, to);
        truth_add_move(t, from, to, own)->type = "dir";
}

static void do_unlink(Truth *t, const char *dir, const char *name, const Process *own) {
        _cleanup_free_ char *path = harness_format("%s/%s", dir, name);

        harness_unlink(path);
        truth_add(t, "unlink", path, own)->type = "file";
}

static void do_rmdir(Truth *t, const char *path, const Process *own) {
        harness_assert(rmdir(path) == 0, "rmdir %s: %m", path);
        truth_add(t, "rmdir", path, own)->type = "dir";
}

static void touch_in(const char *dir, const char *name) {
        _cleanup_free_ char *path = harness_format("%s/%s", dir, name);

        harness_touch(path);
}

/* The directory itself: to another name, and in the end gone, so that nothing can be looked up. */
static void rename_directory(Truth *t, const char *top, size_t round, const Process *own) {
        _cleanup_free_ char *a = harness_format("%s/a-%zu", top, round);
        _cleanup_free_ char *b = harness_format("%s/b-%zu", top, round);

        harness_mkdir(a);
        touch_in(a, "1");
        touch_in(a, "2");
        touch_in(a, "3");
        do_unlink(t, a, "1", own);
        do_rename(t, a, b, own);
        do_unlink(t, b, "2", own);
        do_rename(t, b, a, own);
        do_unlink(t, a, "3", own);
        do_rmdir(t, a, own);
}

/* An ancestor: the directory's own handle and name stay as they are. */
static void rename_ancestor(Truth *t, const char *top, size_t round, const Process *own) {
        _cleanup_free_ char *a = harness_format("%s/above-%zu", top, round);
        _cleanup_free_ char *b = harness_format("%s/later-%zu", top, round);
        _cleanup_free_ char *a_mid = harness_format("%s/mid", a);
        _cleanup_free_ char *a_low = harness_format("%s/low", a_mid);
        _cleanup_free_ char *b_mid = harness_format("%s/mid", b);
        _cleanup_free_ char *b_low = harness_format("%s/low", b_mid);

        harness_mkdir(a);
        harness_mkdir(a_mid);
        harness_mkdir(a_low);
        touch_in(a_low, "1");
        touch_in(a_low, "2");
        do_unlink(t, a_low, "1", own);
        do_rename(t, a, b, own);
        do_unlink(t, b_low, "2", own);
        do_rmdir(t, b_low, own);
        do_rmdir(t, b_mid, own);
        do_rmdir(t, b, own);
}

/* Across parents, and another directory of the old name in its place. */
static void rename_across(Truth *t, const char *top, size_t round, const Process *own) {
        _cleanup_free_ char *p = harness_format("%s/p-%zu", top, round);
        _cleanup_free_ char *q = harness_format("%s/q-%zu", top, round);
        _cleanup_free_ char *p_d = harness_format("%s/d", p);
        _cleanup_free_ char *q_e = harness_format("%s/e", q);

        harness_mkdir(p);
        harness_mkdir(q);
        harness_mkdir(p_d);
        touch_in(p_d, "1");
        touch_in(p_d, "2");
        do_unlink(t, p_d, "1", own);
        do_rename(t, p_d, q_e, own);
        harness_mkdir(p_d);
        touch_in(p_d, "2");
        do_unlink(t, p_d, "2", own);
        do_unlink(t, q_e, "2", own);
        do_rmdir(t, q_e, own);
        do_rmdir(t, p_d, own);
        do_rmdir(t, q, own);
        do_rmdir(t, p, own);
}

START_TEST(one_process_renames_and_deletes) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        for (size_t round = 0; round < harness_scale(300, 10); round++) {
                rename_directory(&t, fs.path, round, &own);
                rename_ancestor(&t, fs.path, round, &own);
                rename_across(&t, fs.path, round, &own);
        }
        truth_check(&t, &m, 0);
}
END_TEST

/* The same with the reader asleep: all is over by the time it reads the first event. */
START_TEST(all_is_over_before_it_is_read) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        kill(m.pid, SIGSTOP);
        for (size_t round = 0; round < harness_scale(100, 10); round++) {
                rename_directory(&t, fs.path, round, &own);
                rename_ancestor(&t, fs.path, round, &own);
                rename_across(&t, fs.path, round, &own);
        }
        kill(m.pid, SIGCONT);
        truth_check(&t, &m, 0);
}
END_TEST

typedef struct Race {
        const char *top;
        atomic_size_t n_renames; /* done by now */
        atomic_bool is_over;
} Race;

/* Gives the directory one new name after another: dir-0, dir-1, … */
static void renamer(void *userdata) {
        Race *race = userdata;

        for (size_t i = 0; !atomic_load(&race->is_over); i++) {
                _cleanup_free_ char *from = harness_format("%s/dir-%zu", race->top, i);
                _cleanup_free_ char *to = harness_format("%s/dir-%zu", race->top, i + 1);

                if (rename(from, to) < 0)
                        _exit(EXIT_FAILURE);
                atomic_store(&race->n_renames, i + 1);
                if (i % 8 == 0)
                        harness_sleep(0.0001);
        }
}

/* Each file's path must be a name the directory had between before[i] and after[i] renames. */
static void check_race(const Monitor *m, const char *top, const size_t *before, const size_t *after,
                       size_t n) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        struct json_object *record;
        size_t n_seen = 0;

        while ((record = record_next_deletion(&r))) {
                const char *path = record_string(record, "file.path");
                size_t i, k, n_top = strlen(top);

                if (strcmp(record_string(record, "event.action"), "unlink") != 0)
                        continue;
                harness_assert(path && strncmp(path, top, n_top) == 0 &&
                                       sscanf(path + n_top, "/dir-%zu/file-%zu", &k, &i) == 2 &&
                                       i < n,
                               "unexpected path %s", path ? path : "(none)");
                ck_assert_uint_eq(i, n_seen);
                harness_assert(k >= before[i] && k <= after[i] + 1,
                               "%s: the directory was dir-%zu to dir-%zu", path, before[i],
                               after[i] + 1);
                n_seen++;
        }
        ck_assert_uint_eq(n_seen, n);
}

START_TEST(another_process_renames) {
        size_t n = harness_scale(5000, 200), *before = calloc(n, sizeof(*before));
        size_t *after = calloc(n, sizeof(*after));
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Race *race = process_shared_alloc(sizeof(*race));
        _cleanup_free_ char *dir = harness_format("%s/dir-0", fs.path);
        pid_t pid;
        Monitor m;
        int fd;

        race->top = fs.path;
        harness_mkdir(dir);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *name = harness_format("file-%zu", i);

                touch_in(dir, name);
        }
        fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        m = monitor_start(MONITOR_ARGS(fs.path));
        pid = process_fork(renamer, race);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *name = harness_format("file-%zu", i);

                before[i] = atomic_load(&race->n_renames);
                harness_assert(unlinkat(fd, name, 0) == 0, "unlinkat %s: %m", name);
                after[i] = atomic_load(&race->n_renames);
        }
        atomic_store(&race->is_over, true);
        ck_assert_int_eq(process_wait(pid, 20), 0);
        harness_note("%zu renames during %zu deletions", atomic_load(&race->n_renames), n);
        monitor_stop(&m);
        check_race(&m, fs.path, before, after, n);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, one_process_renames_and_deletes, 0, FS_KINDS);
        tcase_add_loop_test(tcase, all_is_over_before_it_is_read, 0, FS_KINDS);
        tcase_add_loop_test(tcase, another_process_renames, 0, FS_KINDS);
}

int main(void) {
        return harness_main("rename", add_tests);
}
