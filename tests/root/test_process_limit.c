/* SPDX-License-Identifier: MIT */

/*
 * More processes end than are kept: what was forgotten is counted in a loss record, its deletions
 * are told all the same, and no other process is named for them, also when pids come round.
 * What nobody can ask for any more is let go of before, and is no loss.
 */

#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

#define N_PARENTS 4
/* Small enough to wrap several times, big enough for whatever else this machine starts. */
#define SMALL_PID_MAX 1800
/* Less than one round. */
#define LIMIT 1000

/* One that starts deleters one after another. */
typedef struct Parent {
        const Filesystem *fs;
        const char *name;
        size_t n;
        pid_t pid;
        pid_t *deleters;   /* shared */
        atomic_int *is_on; /* shared */
} Parent;

static char *file_of(const Parent *p, size_t i) {
        return harness_format("%s/%s-%05zu", p->fs->path, p->name, i);
}

static void prepare(Parent *p, const Filesystem *fs, const char *name, size_t n) {
        *p = (Parent){.fs = fs, .name = name, .n = n};
        p->deleters = process_shared_alloc(n * sizeof(*p->deleters));
        p->is_on = process_shared_alloc(sizeof(*p->is_on));
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *file = file_of(p, i);

                harness_touch(file);
        }
}

static void run_rm(void *userdata) {
        Parent *p = userdata;

        for (size_t i = 0; i < p->n; i++) {
                _cleanup_free_ char *file = file_of(p, i);
                char *args[] = {(char[]){"/bin/rm"}, file, NULL};
                int status;

                if (posix_spawn(&p->deleters[i], args[0], NULL, NULL, args, environ) != 0 ||
                    waitpid(p->deleters[i], &status, 0) < 0 || status != 0)
                        _exit(1);
        }
}

/* Children that execute nothing: they are what their parent is, and need not be read from /proc. */
static void run_forks(void *userdata) {
        Parent *p = userdata;

        prctl(PR_SET_NAME, p->name);
        while (!atomic_load(p->is_on))
                harness_sleep(0.001);
        for (size_t i = 0; i < p->n; i++) {
                _cleanup_free_ char *file = file_of(p, i);
                pid_t pid = fork();
                int status;

                if (pid == 0)
                        _exit(unlink(file) < 0);
                p->deleters[i] = pid;
                if (waitpid(pid, &status, 0) < 0 || status != 0)
                        _exit(1);
        }
}

/* The truth about all deleters of one parent. */
static void tell(const Parent *p, Truth *t, const char *name) {
        Process *truths = calloc(p->n, sizeof(*truths));

        harness_assert(truths, "out of memory");
        for (size_t i = 0; i < p->n; i++) {
                _cleanup_free_ char *file = file_of(p, i);

                truths[i] = (Process){
                        .pid = p->deleters[i], .ppid = p->pid, .name = name, .user_id = "0"};
                truth_add(t, "unlink", file, &truths[i]);
        }
}

/* Return: processes that the loss records say were forgotten. */
static uint64_t count_forgotten(const Monitor *m, const char *option) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        struct json_object *record;
        uint64_t n = 0;

        while ((record = record_next(&r))) {
                const char *where = record_string(record, "whodunlink.loss.where");

                if (!where || strcmp(where, "processes") != 0)
                        continue;
                ck_assert_str_eq(record_string(record, "event.action"), "loss");
                harness_assert(strstr(record_string(record, "message"), option), "%s",
                               record_string(record, "message"));
                ck_assert_int_gt(record_number(record, "whodunlink.loss.count"), 0);
                n += (uint64_t)record_number(record, "whodunlink.loss.count");
        }
        return n;
}

/* Return: deletions by a pid that has no name. */
static uint64_t count_pid_only(const Monitor *m) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        struct json_object *record;
        uint64_t n = 0;

        while ((record = record_next_deletion(&r))) {
                if (strcmp(record_string(record, "whodunlink.attribution"), "pid-only") != 0)
                        continue;
                n++;
                ck_assert_int_gt(record_number(record, "process.pid"), 0);
                ck_assert_ptr_null(record_get(record, "process.name"));
        }
        return n;
}

static void check(Truth *t, Monitor *m, const char *option, uint64_t n_forgotten_min) {
        uint64_t n_pid_only, n_forgotten;

        truth_check(t, m, t->n_items);
        n_pid_only = count_pid_only(m);
        n_forgotten = count_forgotten(m, option);
        harness_note("%zu deletions, %llu by pid only, %llu processes forgotten", t->n_items,
                     (unsigned long long)n_pid_only, (unsigned long long)n_forgotten);
        ck_assert_uint_gt(n_pid_only, 0);
        ck_assert_uint_ge(n_forgotten, n_forgotten_min);
}

/* One is kept: of several that ended between two looks at the deletions. */
START_TEST(forgotten_in_a_storm) {
        size_t n = harness_scale(500, 50);
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        static const char *const names[N_PARENTS] = {"a", "b", "c", "d"};
        Parent parents[N_PARENTS];
        _cleanup_truth_ Truth t = {0};
        Monitor m;

        for (int i = 0; i < N_PARENTS; i++)
                prepare(&parents[i], &fs, names[i], n);
        m = monitor_start(MONITOR_ARGS("--process-limit=1", fs.path));
        for (int i = 0; i < N_PARENTS; i++)
                parents[i].pid = process_fork(run_rm, &parents[i]);
        for (int i = 0; i < N_PARENTS; i++)
                ck_assert_int_eq(process_wait(parents[i].pid, 120), 0);
        for (int i = 0; i < N_PARENTS; i++)
                tell(&parents[i], &t, "rm");
        check(&t, &m, "--process-limit=1,", N_PARENTS * n - 1);
}
END_TEST

/*
 * All of alpha's children are forgotten when beta's get their pids, and those are still known: the
 * monitor, which stood still, is then asked for both.
 */
START_TEST(forgotten_while_pids_come_round) {
        size_t n = harness_scale(4000, 4000);
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        long pid_max = harness_sysctl_get("kernel/pid_max");
        _cleanup_truth_ Truth t = {0};
        Parent alpha, beta;
        Monitor m;

        prepare(&alpha, &fs, "alpha", n);
        prepare(&beta, &fs, "beta", n);
        m = monitor_start(MONITOR_ARGS("--process-limit=1000", fs.path));
        alpha.pid = process_fork(run_forks, &alpha);
        beta.pid = process_fork(run_forks, &beta);
        harness_sleep(0.5);
        harness_sysctl_set("kernel/pid_max", SMALL_PID_MAX);
        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        atomic_store(alpha.is_on, 1);
        ck_assert_int_eq(process_wait(alpha.pid, 120), 0);
        atomic_store(beta.is_on, 1);
        ck_assert_int_eq(process_wait(beta.pid, 120), 0);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        harness_sysctl_set("kernel/pid_max", pid_max);
        tell(&alpha, &t, "alpha");
        tell(&beta, &t, "beta");
        check(&t, &m, "--process-limit=1000,", 2 * n - LIMIT);
}
END_TEST

/* Return: how many processes there were. */
static size_t end_processes(double seconds, double pause) {
        double end = harness_now() + seconds;
        size_t n = 0;

        for (; harness_now() < end; n++) {
                pid_t pid = fork();

                if (pid == 0)
                        _exit(0);
                ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
                if (pause > 0)
                        harness_sleep(pause);
        }
        return n;
}

/*
 * Nobody deletes anything: none of them has to be remembered, and nothing is lost.  They come
 * slowly until it is seen that they are many, then as fast as they can.
 */
START_TEST(not_forgotten_while_it_is_quiet) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start(MONITOR_ARGS("--process-limit=3000", fs.path));
        size_t n_slow = end_processes(3, 0.003), n_fast = end_processes(4, 0);

        monitor_stop(&m);
        harness_note("%zu processes, then %zu", n_slow, n_fast);
        ck_assert_uint_eq(count_forgotten(&m, "--process-limit=3000,"), 0);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, forgotten_in_a_storm);
        tcase_add_test(tcase, forgotten_while_pids_come_round);
        tcase_add_test(tcase, not_forgotten_while_it_is_quiet);
}

int main(void) {
        return harness_main_alone("process_limit", add_tests);
}
