/* SPDX-License-Identifier: MIT */

/*
 * Must hold 2: thousands of processes that each live for a millisecond and delete one file, from
 * four loops side by side, alone or beside others that want the CPUs. Which pid removed which file
 * is written down by the loops themselves.
 *
 * Whoever deletes has a name, a user and a parent in its record, however short it lives: the kernel
 * tells these at its end, too. Arguments must be read while it lives.
 *
 * WHODUNLINK_STORM_ROUNDS=N runs N rounds beside each number of hogs, and tells the sums.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

#define N_ROUNDS 3
#define N_LOOPS 4
#define N_HOGS_MAX 4

typedef struct Loop {
        const char *directory;
        size_t n;
        pid_t pid;
        pid_t *deleters; /* shared: the pid that removed file i */
        /* Of the deleters: the loop and its parents. */
        pid_t lineage[1 + PROCESS_ANCESTORS_MAX];
        size_t n_lineage;
} Loop;

static char *file_of(const Loop *loop, size_t i) {
        return harness_format("%s/file-%04zu", loop->directory, i);
}

/* Where a shell writes its pids down. */
static char *log_of(const Loop *loop) {
        return harness_format("%s.pids", loop->directory);
}

/* The loop as a C program would have it: vfork and exec. */
static void loop_of_spawns(void *userdata) {
        Loop *loop = userdata;

        for (size_t i = 0; i < loop->n; i++) {
                _cleanup_free_ char *file = file_of(loop, i);
                char *argv[] = {(char[]){"/bin/rm"}, file, NULL};
                int status = -1;

                if (posix_spawn(&loop->deleters[i], argv[0], NULL, NULL, argv, environ) != 0 ||
                    waitpid(loop->deleters[i], &status, 0) < 0 || status != 0)
                        _exit(EXIT_FAILURE);
        }
}

/* The same as a shell has it: fork and exec, and the shell tells the pid. */
static pid_t start_shell_loop(const Loop *loop) {
        static const char script[] = "i=0\n"
                                     "while [ $i -lt $1 ]; do\n"
                                     "  f=$(printf '%s/file-%04d' \"$2\" $i)\n"
                                     "  /bin/rm \"$f\" & echo $! >&3; wait $! || exit 1\n"
                                     "  i=$((i + 1))\n"
                                     "done 3>\"$3\"\n";
        _cleanup_free_ char *n = harness_format("%zu", loop->n);
        _cleanup_free_ char *log = log_of(loop);

        return process_spawn(PROCESS_ARGS("/bin/sh", "-c", script, "sh", n, loop->directory, log));
}

static void read_shell_pids(Loop *loop) {
        _cleanup_free_ char *log = log_of(loop);
        _cleanup_fclose_ FILE *f = fopen(log, "re");

        for (size_t i = 0; i < loop->n; i++)
                harness_assert(f && fscanf(f, "%d", &loop->deleters[i]) == 1, "%s: too short", log);
}

static void prepare(Loop *loop, const char *fs_path, size_t k, size_t n) {
        loop->directory = harness_format("%s/loop-%zu", fs_path, k);
        loop->n = n;
        loop->deleters = process_shared_alloc(n * sizeof(pid_t));
        harness_mkdir(loop->directory);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *file = file_of(loop, i);

                harness_touch(file);
        }
}

/* Writes down what a loop did, with one Process for each file, in the order it did it. */
static void tell(Loop *loop, Truth *t, const Process *model) {
        Process *p = calloc(loop->n, sizeof(*p));
        const char **args = calloc(loop->n * 3, sizeof(*args));

        harness_assert(p && args, "out of memory");
        for (size_t i = 0; i < loop->n; i++) {
                p[i] = *model;
                p[i].args = args + i * 3;
                args[i * 3] = "/bin/rm";
                args[i * 3 + 1] = file_of(loop, i);
                p[i].pid = loop->deleters[i];
                p[i].ppid = loop->pid;
                p[i].ancestors = loop->lineage;
                p[i].n_ancestors = loop->n_lineage;
                truth_add(t, "unlink", args[i * 3 + 1], &p[i])->type = "file";
        }
}

typedef struct Storm {
        FsKind kind;
        bool is_shell;
        size_t n_hogs; /* processes that do nothing but run */
} Storm;

/* What was told of one or several storms. */
typedef struct Score {
        TruthDiff diff;
        size_t n_named;  /* records with name, user and parent */
        size_t n_argued; /* … with arguments and executable */
} Score;

static void count_told(const Monitor *m, Score *score) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);

        for (struct json_object *record = record_next_deletion(&r); record;
             record = record_next_deletion(&r)) {
                const char *name = record_string(record, "process.name");
                const char *user = record_string(record, "process.user.id");

                if (!user) /* of an exit record */
                        user = record_string(record, "process.real_user.id");
                score->n_named += name && strcmp(name, "rm") == 0 && user &&
                                  strcmp(user, "0") == 0 &&
                                  record_number(record, "process.parent.pid") > 0;
                score->n_argued += record_get(record, "process.args") &&
                                   record_get(record, "process.executable");
        }
}

static void add_up(Score *total, const Score *score) {
        total->diff.n_records += score->diff.n_records;
        total->diff.n_missing += score->diff.n_missing;
        total->diff.n_doubled += score->diff.n_doubled;
        total->diff.n_unexpected += score->diff.n_unexpected;
        total->diff.n_wrong += score->diff.n_wrong;
        total->diff.n_unknown += score->diff.n_unknown;
        total->diff.n_unresolved += score->diff.n_unresolved;
        total->n_named += score->n_named;
        total->n_argued += score->n_argued;
}

__attribute__((noreturn)) static void hog(void *userdata) {
        volatile uint64_t *n = userdata;

        for (;;)
                ++*n;
}

static void start_hogs(size_t n, pid_t hogs[static N_HOGS_MAX]) {
        static volatile uint64_t n_turns;

        for (size_t i = 0; i < n; i++)
                hogs[i] = process_fork(hog, (void *)&n_turns);
}

static void stop_hogs(size_t n, const pid_t hogs[static N_HOGS_MAX]) {
        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(kill(hogs[i], SIGKILL), 0);
                process_wait(hogs[i], 20);
        }
}

/* Runs the loops to their end, and writes down what they did. */
static void run_loops(const Storm *storm, Loop loops[static N_LOOPS], Truth *t) {
        Process model = process_child_truth(PROCESS_ARGS("/bin/rm"));
        pid_t hogs[N_HOGS_MAX];

        start_hogs(storm->n_hogs, hogs);
        for (size_t k = 0; k < N_LOOPS; k++) {
                Loop *l = &loops[k];

                l->pid = storm->is_shell ? start_shell_loop(l) : process_fork(loop_of_spawns, l);
                l->lineage[0] = l->pid;
                l->n_lineage = 1 + process_ancestors(l->pid, l->lineage + 1);
        }
        for (size_t k = 0; k < N_LOOPS; k++)
                ck_assert_int_eq(process_wait(loops[k].pid, 120), 0);
        stop_hogs(storm->n_hogs, hogs);
        for (size_t k = 0; k < N_LOOPS; k++) {
                if (storm->is_shell)
                        read_shell_pids(&loops[k]);
                tell(&loops[k], t, &model);
        }
}

static void run_storm(int round, Storm storm, Score *total) {
        const char *how = storm.is_shell ? "shell" : "spawn";
        _cleanup_free_ char *name =
                harness_format("%s-%s-%zu-%d", fs_kind_name(storm.kind), how, storm.n_hogs, round);
        size_t n = harness_scale(500, 25);
        Filesystem fs = fs_new(storm.kind, name);
        _cleanup_truth_ Truth t = {0};
        Loop loops[N_LOOPS] = {0};
        Score score = {0};
        Monitor m;

        for (size_t k = 0; k < N_LOOPS; k++)
                prepare(&loops[k], fs.path, k, n);
        m = monitor_start(MONITOR_ARGS(fs.path));
        run_loops(&storm, loops, &t);
        monitor_stop(&m);
        score.diff = truth_compare(&t, &m);
        count_told(&m, &score);
        harness_note("%s: %zu of %zu named, %zu with arguments, %zu with unknown facts", name,
                     score.n_named, score.diff.n_records, score.n_argued, score.diff.n_unknown);
        /* What is said is true; how much, over all of them. */
        truth_assert(&score.diff, score.diff.n_records);
        add_up(total, &score);
}

/* What must hold: 99.9% with executable, arguments and parent. */
static size_t allowed(size_t n) {
        return harness_is_sanitized() ? harness_unknown_allowed(n) : n / 1000;
}

/* Sanitizers make the monitor later than it waits for itself. */
static size_t allowed_unnamed(size_t n) {
        return harness_is_sanitized() ? harness_unknown_allowed(n) : 0;
}

/*
 * A thousandth is two of 2,000, too few to tell chance from a fault: it counts over four storms.
 * A host that takes the CPUs away for longer than an rm lives makes a round worthless, not the
 * program: it may be one of three.
 */
START_TEST(loops_of_rm) {
        Score total;

        for (int round = 0; round < N_ROUNDS; round++) {
                total = (Score){0};
                for (int kind = FS_TMPFS; kind <= FS_EXT4; kind++) {
                        run_storm(round, (Storm){(FsKind)kind, false, 0}, &total);
                        run_storm(round, (Storm){(FsKind)kind, true, 0}, &total);
                }
                if (total.diff.n_unknown <= allowed(total.diff.n_records))
                        break;
        }
        truth_assert(&total.diff, allowed(total.diff.n_records));
}
END_TEST

static const size_t numbers_of_hogs[] = {0, 2, N_HOGS_MAX};

static int rounds_wanted(void) {
        const char *n = getenv("WHODUNLINK_STORM_ROUNDS");

        return n ? (int)strtol(n, NULL, 10) : 0;
}

/* Others that want the CPUs may cost a few arguments, but no name. */
START_TEST(loops_of_rm_beside_hogs) {
        int n_rounds = rounds_wanted();
        Score total = {0};

        for (int round = 0; round < (n_rounds ? n_rounds : N_ROUNDS); round++) {
                if (!n_rounds)
                        total = (Score){0};
                run_storm(round, (Storm){FS_TMPFS, false, numbers_of_hogs[_i]}, &total);
                if (!n_rounds && total.diff.n_unknown <= allowed(total.diff.n_records))
                        break;
        }
        harness_note("%zu hogs: %zu of %zu named, %zu with arguments (%.3f%%)", numbers_of_hogs[_i],
                     total.n_named, total.diff.n_records, total.n_argued,
                     100.0 * (double)total.n_argued / (double)total.diff.n_records);
        harness_assert(total.n_named >=
                               total.diff.n_records - allowed_unnamed(total.diff.n_records),
                       "%zu of %zu named", total.n_named, total.diff.n_records);
        truth_assert(&total.diff, n_rounds ? total.diff.n_records : allowed(total.diff.n_records));
}
END_TEST

static void add_tests(TCase *tcase) {
        if (!rounds_wanted())
                tcase_add_test(tcase, loops_of_rm);
        tcase_add_loop_test(tcase, loops_of_rm_beside_hogs, 0, 3);
}

int main(void) {
        return harness_main("storm", add_tests);
}
