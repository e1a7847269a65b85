/* SPDX-License-Identifier: MIT */

/*
 * --hold-exec: the shortest programs there are, by the thousand, with many arguments, and from what
 * is mounted later.
 */

#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "held.h"
#include "record.h"
#include "truth.h"

#define N_LOOPS 4

typedef struct Loop {
        const char *program;
        size_t n;
        char **files;
        pid_t pid;
        pid_t *deleters; /* shared */
} Loop;

static void run_loop(void *userdata) {
        Loop *loop = userdata;

        for (size_t i = 0; i < loop->n; i++) {
                char *argv[] = {(char[]){"vanish"}, loop->files[i], NULL};
                int status = -1;

                if (posix_spawn(&loop->deleters[i], loop->program, NULL, NULL, argv, environ) ||
                    waitpid(loop->deleters[i], &status, 0) < 0 || status != 0)
                        _exit(EXIT_FAILURE);
        }
}

static void prepare_loop(Loop *loop, const char *directory, size_t k) {
        loop->program = held_vanish();
        loop->n = harness_scale(500, 50);
        loop->files = calloc(loop->n, sizeof(*loop->files));
        loop->deleters = process_shared_alloc(loop->n * sizeof(pid_t));
        for (size_t i = 0; i < loop->n; i++) {
                loop->files[i] = harness_format("%s/%zu-%zu", directory, k, i);
                harness_touch(loop->files[i]);
        }
}

static void tell_loop(const Loop *loop, Truth *t, const pid_t *lineage, size_t n_lineage) {
        Process *p = calloc(loop->n, sizeof(*p));
        const char **args = calloc(loop->n * 3, sizeof(*args));

        for (size_t i = 0; i < loop->n; i++) {
                args[i * 3] = "vanish";
                args[i * 3 + 1] = loop->files[i];
                p[i] = (Process){
                        .pid = loop->deleters[i],
                        .ppid = loop->pid,
                        .name = "vanish",
                        .executable = loop->program,
                        .args = args + i * 3,
                        .user_id = "0",
                        .ancestors = lineage,
                        .n_ancestors = n_lineage,
                };
                truth_add(t, "unlink", loop->files[i], &p[i]);
        }
}

static TruthDiff storm(bool is_held) {
        const char *name = is_held ? "held" : "not held";
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        pid_t lineage[N_LOOPS][PROCESS_ANCESTORS_MAX];
        size_t n_lineage[N_LOOPS];
        _cleanup_truth_ Truth t = {0};
        Loop loops[N_LOOPS] = {0};
        TruthDiff diff;
        Monitor m;

        for (size_t k = 0; k < N_LOOPS; k++)
                prepare_loop(&loops[k], fs.path, k);
        m = monitor_start(is_held ? MONITOR_ARGS(HELD_OPTION, fs.path) : MONITOR_ARGS(fs.path));
        for (size_t k = 0; k < N_LOOPS; k++) {
                loops[k].pid = process_fork(run_loop, &loops[k]);
                lineage[k][0] = loops[k].pid;
                n_lineage[k] = 1 + process_ancestors(loops[k].pid, lineage[k] + 1);
        }
        for (size_t k = 0; k < N_LOOPS; k++)
                ck_assert_int_eq(process_wait(loops[k].pid, 120), 0);
        for (size_t k = 0; k < N_LOOPS; k++)
                tell_loop(&loops[k], &t, lineage[k], n_lineage[k]);
        if (is_held)
                held_stop(&m);
        else
                monitor_stop(&m);
        diff = truth_compare(&t, &m);
        harness_note("%s: %zu of %zu with all facts", name, diff.n_records - diff.n_unknown,
                     diff.n_records);
        return diff;
}

START_TEST(storm_held) {
        TruthDiff diff = storm(true);

        truth_assert(&diff, 0);
}
END_TEST

/* How many of them luck has all facts of is noted; none of them may be wrong. */
START_TEST(storm_not_held) {
        TruthDiff diff = storm(false);

        truth_assert(&diff, diff.n_records);
}
END_TEST

/* More than is kept: the beginning is told, and that there was more. */
START_TEST(many_arguments) {
        static char rest[100000];
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start(MONITOR_ARGS(HELD_OPTION, fs.path));
        char *program = held_vanish();
        _cleanup_reader_ RecordReader reader = {0};

        memset(rest, 'r', sizeof(rest) - 1);
        held_blindfold(&m);
        for (int i = 0; i < 20; i++) {
                char *file = harness_format("%s/%d", fs.path, i);

                harness_touch(file);
                process_run(PROCESS_ARGS(program, "first", rest, file));
        }
        held_unblindfold(&m);
        held_stop(&m);
        reader = record_reader_new(m.output_path);
        for (int i = 0; i < 20; i++) {
                struct json_object *record = record_next_deletion(&reader);

                ck_assert_str_eq(record_arg(record, 0).data, program);
                ck_assert_str_eq(record_arg(record, 1).data, "first");
                ck_assert_uint_eq(record_arg(record, 2).n, 4096 - strlen(program) - 1 - 6);
                ck_assert(json_object_get_boolean(record_get(record, "whodunlink.args_cut")));
        }
}
END_TEST

static char *copy_to(const char *program, const char *directory) {
        char *path = harness_format("%s/vanish", directory);

        process_run(PROCESS_ARGS("cp", program, path));
        return path;
}

/* Programs on what is mounted during the watch are held like all others. */
START_TEST(mounted_later) {
        static const char *const overlay = "lowerdir=%1$s/l,upperdir=%1$s/u,workdir=%1$s/w";
        bool is_overlay = _i > 0;
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start(MONITOR_ARGS(HELD_OPTION, fs.path));
        char *point = harness_path("later"), *program;
        _cleanup_truth_ Truth t = {0};

        harness_mkdir(point);
        for (const char *const *d = PROCESS_ARGS("l", "u", "w"); *d; d++)
                harness_mkdir(harness_path("%s", *d));
        program = copy_to(held_vanish(), harness_path("l"));
        ck_assert_int_eq(mount(is_overlay ? "overlay" : "later", point,
                               is_overlay ? "overlay" : "tmpfs", 0,
                               is_overlay ? harness_format(overlay, harness_work()) : NULL),
                         0);
        program = is_overlay ? harness_format("%s/vanish", point) : copy_to(held_vanish(), point);
        harness_sleep(0.5); /* the mount table's change is told to nobody who could tell us */
        held_blindfold(&m);
        for (size_t i = 0; i < 20; i++) {
                char *file = harness_format("%s/%zu", fs.path, i);
                const char **args = calloc(3, sizeof(*args));
                Process *p = malloc(sizeof(*p));

                harness_touch(file);
                args[0] = program;
                args[1] = file;
                *p = process_child_truth(args);
                p->pid = process_run(args);
                truth_add(&t, "unlink", file, p);
        }
        held_unblindfold(&m);
        held_check(&t, &m);
}
END_TEST

/* Without process events nobody says which of the held programs started. */
START_TEST(no_process_events) {
        Monitor m;
        char *errors;

        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        m = monitor_spawn(MONITOR_ARGS("watch", "--hold-exec", harness_work()));
        ck_assert_int_eq(monitor_wait(&m, MONITOR_TIMEOUT_SEC), 1);
        errors = monitor_errors(&m);
        harness_assert(strstr(errors, "cannot hold programs (--hold-exec): without process events"),
                       "%s", errors);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, storm_held);
        tcase_add_test(tcase, storm_not_held);
        tcase_add_test(tcase, many_arguments);
        tcase_add_loop_test(tcase, mounted_later, 0, 2);
        tcase_add_test(tcase, no_process_events);
}

int main(void) {
        return harness_main("hold", add_tests);
}
