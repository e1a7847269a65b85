/* SPDX-License-Identifier: MIT */

/*
 * Must hold 6: pids that come round again within seconds. Every deleter has its own argument, so
 * a fact of another life of the pid shows; a fact that is not told is allowed within a limit, one
 * that is not true is never.
 */

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "truth.h"

/* Small enough to wrap several times, big enough for whatever else this machine starts. */
#define SMALL_PID_MAX 1800

static char *file_of(const Filesystem *fs, size_t i) {
        return harness_format("%s/file-%05zu", fs->path, i);
}

static void prepare(const Filesystem *fs, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *file = file_of(fs, i);

                harness_touch(file);
        }
}

/* One /bin/rm or worker after another; every third deletes in a fork that executes nothing. */
static void delete_with_many(const Filesystem *fs, size_t n, Truth *t) {
        Process model = process_child_truth(PROCESS_ARGS("/bin/rm"));
        Process *p = calloc(n, sizeof(*p));
        const char **args = calloc(n * 3, sizeof(*args));

        harness_assert(p && args, "out of memory");
        for (size_t i = 0; i < n; i++) {
                const char **argv = args + i * 3;
                char *file = file_of(fs, i);

                p[i] = model;
                p[i].args = argv;
                argv[0] = "/bin/rm";
                argv[1] = file;
                if (i % 3 == 0) {
                        p[i].pid = fork();
                        if (p[i].pid == 0)
                                _exit(unlink(file) < 0);
                        p[i].args = NULL; /* the test's own */
                        p[i].name = p[i].executable = NULL;
                        p[i].working_directory = NULL; /* not told of a fork */
                } else {
                        ck_assert_int_eq(posix_spawn(&p[i].pid, argv[0], NULL, NULL,
                                                     (char *const *)argv, environ),
                                         0);
                }
                ck_assert_int_eq(waitpid(p[i].pid, NULL, 0), p[i].pid);
                truth_add(t, "unlink", file, &p[i]);
        }
}

/* Return: how often the numbers went round. */
static size_t count_wraps(const Truth *t) {
        size_t n = 0;

        for (size_t i = 1; i < t->n_items; i++)
                n += t->items[i].process->pid < t->items[i - 1].process->pid;
        return n;
}

static void make_pids_few(void) {
        harness_sysctl_set("kernel/pid_max", SMALL_PID_MAX);
}

START_TEST(pids_wrap) {
        size_t n = harness_scale(6000, 300);
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        long pid_max = harness_sysctl_get("kernel/pid_max");
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        prepare(&fs, n);
        make_pids_few();
        delete_with_many(&fs, n, &t);
        harness_sysctl_set("kernel/pid_max", pid_max);
        harness_note("pids went round %zu times", count_wraps(&t));
        truth_check(&t, &m, harness_unknown_allowed(n));
}
END_TEST

/* The same while nobody reads the monitor's output: it must know who it was all the same. */
START_TEST(pids_wrap_while_the_reader_stalls) {
        size_t n = harness_scale(6000, 300);
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        long pid_max = harness_sysctl_get("kernel/pid_max");
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start_piped(MONITOR_ARGS(fs.path));

        prepare(&fs, n);
        make_pids_few();
        delete_with_many(&fs, n, &t);
        harness_sysctl_set("kernel/pid_max", pid_max);
        harness_note("pids went round %zu times", count_wraps(&t));
        truth_check(&t, &m, harness_unknown_allowed(n));
}
END_TEST

/*
 * The whole monitor stands still while pids go round: what it finds then in /proc is mostly
 * another life. Facts may be missing; none may be another's.
 */
START_TEST(pids_wrap_while_the_monitor_stands_still) {
        size_t n = harness_scale(6000, 300);
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        long pid_max = harness_sysctl_get("kernel/pid_max");
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        prepare(&fs, n);
        make_pids_few();
        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        delete_with_many(&fs, n, &t);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        harness_sysctl_set("kernel/pid_max", pid_max);
        truth_check(&t, &m, n);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, pids_wrap);
        tcase_add_test(tcase, pids_wrap_while_the_reader_stalls);
        tcase_add_test(tcase, pids_wrap_while_the_monitor_stands_still);
}

int main(void) {
        return harness_main_alone("pid_reuse", add_tests);
}
