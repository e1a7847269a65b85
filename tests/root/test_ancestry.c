/* SPDX-License-Identifier: MIT */

/*
 * The parents of a deleter as they were when each was forked: also those that are gone by the time
 * of the deletion, in order and by name, however many.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"
#include "scene.h"

/* include/identify/process_table.h: what is kept of a longer chain. */
#define ANCESTORS_KEPT 64

static struct json_object *ancestor(const Scene *s, size_t file, size_t i) {
        struct json_object *ancestry = record_get(s->records[file], "whodunlink.ancestry");

        harness_assert(ancestry && i < json_object_array_length(ancestry), "no ancestor %zu", i);
        return json_object_array_get_idx(ancestry, i);
}

static size_t count_ancestors(const Scene *s, size_t file) {
        struct json_object *ancestry = record_get(s->records[file], "whodunlink.ancestry");

        return ancestry ? json_object_array_length(ancestry) : 0;
}

static void assert_ancestor(const Scene *s, size_t i, const char *field, const char *value) {
        const char *said = record_string(ancestor(s, 0, i), field);

        harness_assert(said && strcmp(said, value) == 0, "ancestor %zu: %s is %s, said %s", i,
                       field, value, said ? said : "nothing");
}

#define N_SHELLS 3

static const char *const shells[N_SHELLS] = {"alpha", "beta", "gamma"};

static char *copy_shell(const char *name) {
        _cleanup_free_ char *shell = process_find_program("sh");
        char *path = harness_path("%s", name);

        process_run(PROCESS_ARGS("cp", shell, path));
        return path;
}

/*
 * Each shell starts the next in the background and ends; the last one's child waits until all of
 * them are gone.
 */
static const char shell_script[] = "echo $$ >>\"$LOG\"\n"
                                   "case $1 in\n"
                                   "1) \"$GAMMA\" -c \"$SCRIPT\" gamma 2 & ;;\n"
                                   "2) (for pid in $(cat \"$LOG\"); do\n"
                                   "     while [ -d /proc/$pid ]; do sleep 0.01; done\n"
                                   "   done; exec rm \"$FILE\") & ;;\n"
                                   "*) \"$BETA\" -c \"$SCRIPT\" beta 1 & ;;\n"
                                   "esac\n";

static void read_log(const char *path, pid_t pids[static N_SHELLS]) {
        _cleanup_free_ char *text = harness_read_file(path, NULL);

        harness_assert(sscanf(text, "%d %d %d", &pids[2], &pids[1], &pids[0]) == N_SHELLS, "%s: %s",
                       path, text);
}

/* rm's parents are three shells that were all gone before it began. */
START_TEST(parents_that_are_gone) {
        bool is_older = _i == 1; /* than the monitor: the first of them */
        Scene s = scene_prepare(1);
        _cleanup_free_ char *log = harness_path("log");
        char *paths[N_SHELLS];
        pid_t pids[PROCESS_ANCESTORS_MAX + N_SHELLS];
        Process p = process_child_truth(PROCESS_ARGS("rm", s.files[0]));
        pid_t first;

        for (size_t i = 0; i < N_SHELLS; i++)
                paths[i] = copy_shell(shells[i]);
        setenv("LOG", log, 1);
        setenv("FILE", s.files[0], 1);
        setenv("SCRIPT", shell_script, 1);
        setenv("BETA", paths[1], 1);
        setenv("GAMMA", paths[2], 1);
        harness_touch(log);
        if (!is_older)
                scene_start(&s);
        first = process_spawn(PROCESS_ARGS(
                paths[0], "-c", is_older ? "kill -STOP $$; eval \"$SCRIPT\"" : shell_script,
                "alpha", "0"));
        if (is_older) {
                ck_assert_int_eq(waitpid(first, NULL, WUNTRACED), first);
                scene_start(&s);
                ck_assert_int_eq(kill(first, SIGCONT), 0);
        }
        ck_assert_int_eq(process_wait(first, 20), 0);
        scene_await(&s, 0);
        scene_stop(&s);

        read_log(log, pids);
        ck_assert_int_eq(pids[2], first);
        memcpy(pids + N_SHELLS, p.ancestors, p.n_ancestors * sizeof(*pids));
        p.ppid = pids[0];
        p.ancestors = pids;
        p.n_ancestors += N_SHELLS;
        scene_assert_process(&s, 0, &p);
        scene_assert_string(&s, 0, "process.parent.name", shells[2]);
        scene_assert_string(&s, 0, "process.parent.executable", paths[2]);
        for (size_t i = 0; i < N_SHELLS; i++) {
                assert_ancestor(&s, i, "name", shells[N_SHELLS - 1 - i]);
                assert_ancestor(&s, i, "executable", paths[N_SHELLS - 1 - i]);
                ck_assert(record_string(ancestor(&s, 0, i), "start"));
        }
}
END_TEST

/* A chain of forks: each is the child of the one before. */
typedef struct Chain {
        const Scene *scene;
        bool is_alive; /* each waits for its child, else each ends once it has one */
        size_t n;
        pid_t *pids; /* shared; [i] is the i-th, the last one deletes */
} Chain;

static void extend(Chain *c, size_t i) {
        pid_t pid;
        int status;

        c->pids[i] = getpid();
        if (i + 1 == c->n) {
                for (size_t k = 0; k < i && !c->is_alive; k++)
                        while (kill(c->pids[k], 0) == 0)
                                harness_sleep(0.001);
                harness_unlink(c->scene->files[0]);
                return;
        }
        prctl(PR_SET_NAME, harness_format("link %zu", i));
        pid = fork();
        if (pid == 0)
                extend(c, i + 1);
        else if (c->is_alive && (waitpid(pid, &status, 0) != pid || status != 0))
                _exit(EXIT_FAILURE);
        _exit(pid < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void begin_chain(void *chain) {
        extend(chain, 0);
}

static Chain run_chain(Scene *s, size_t n, bool is_alive) {
        Chain c = {.scene = s,
                   .is_alive = is_alive,
                   .n = n,
                   .pids = process_shared_alloc(n * sizeof(pid_t))};

        ck_assert_int_eq(process_wait(process_fork(begin_chain, &c), 60), 0);
        scene_await(s, 0);
        scene_stop(s);
        return c;
}

/* Fails the test unless ancestor i is that link, with the name it had when it forked. */
static void assert_link(const Scene *s, size_t i, const Chain *c, size_t link) {
        _cleanup_free_ char *name = harness_format("link %zu", link);

        ck_assert_int_eq(record_number(ancestor(s, 0, i), "pid"), c->pids[link]);
        assert_ancestor(s, i, "name", name);
}

/* Few enough that nothing has to be left out. */
START_TEST(a_chain_of_forks) {
        Scene s = scene_new(1);
        Process p = process_fork_truth();
        size_t n_above = p.n_ancestors, n = ANCESTORS_KEPT - n_above;
        Chain c = run_chain(&s, n, _i == 1);

        ck_assert_int_eq(record_number(s.records[0], "process.pid"), c.pids[n - 1]);
        ck_assert_int_eq(record_number(s.records[0], "process.parent.pid"), c.pids[n - 2]);
        ck_assert_uint_eq(count_ancestors(&s, 0), n - 1 + n_above);
        for (size_t i = 0; i < n - 1; i++)
                assert_link(&s, i, &c, n - 2 - i);
        for (size_t i = 0; i < n_above; i++)
                ck_assert_int_eq(record_number(ancestor(&s, 0, n - 1 + i), "pid"), p.ancestors[i]);
}
END_TEST

/*
 * More than are kept.  Of living ones the nearest are told.  Of dead ones those furthest away are
 * left out, so that the chain still ends in those that live.
 */
START_TEST(too_long_a_chain_of_forks) {
        bool is_alive = _i == 1;
        Scene s = scene_new(1);
        Process p = process_fork_truth();
        size_t n = 200, n_told;
        Chain c = run_chain(&s, n, is_alive);

        ck_assert_int_eq(record_number(s.records[0], "process.pid"), c.pids[n - 1]);
        n_told = count_ancestors(&s, 0);
        ck_assert_uint_le(n_told, ANCESTORS_KEPT);
        ck_assert_uint_ge(n_told, ANCESTORS_KEPT - 1);
        for (size_t i = 0; i < ANCESTORS_KEPT / 2; i++)
                assert_link(&s, i, &c, n - 2 - i);
        for (size_t i = 0; i < p.n_ancestors && !is_alive; i++)
                ck_assert_int_eq(record_number(ancestor(&s, 0, n_told - p.n_ancestors + i), "pid"),
                                 p.ancestors[i]);
}
END_TEST

static void fork_and_delete(void *scene) {
        const Scene *s = scene;
        pid_t pid;

        raise(SIGSTOP);
        pid = fork();
        if (pid == 0)
                _exit(unlink(s->files[0]) < 0);
        if (process_wait(pid, 20) != 0)
                _exit(EXIT_FAILURE);
        process_run(PROCESS_ARGS("rm", s->files[1]));
}

/* What a process that was there before the monitor starts has that one among its parents. */
START_TEST(parents_older_than_the_monitor) {
        Scene s = scene_prepare(2);
        Process own = process_fork_truth(), forked = own;
        Process executed = process_child_truth(PROCESS_ARGS("rm", s.files[1]));
        pid_t pids[PROCESS_ANCESTORS_MAX + 1];

        pids[0] = forked.ppid = executed.ppid = process_fork(fork_and_delete, &s);
        memcpy(pids + 1, own.ancestors, own.n_ancestors * sizeof(*pids));
        forked.ancestors = executed.ancestors = pids;
        forked.n_ancestors = executed.n_ancestors = own.n_ancestors + 1;
        ck_assert_int_eq(waitpid(pids[0], NULL, WUNTRACED), pids[0]);
        scene_start(&s);
        ck_assert_int_eq(kill(pids[0], SIGCONT), 0);
        ck_assert_int_eq(process_wait(pids[0], 20), 0);
        scene_stop(&s);
        scene_assert_process(&s, 0, &forked);
        scene_assert_process(&s, 1, &executed);
}
END_TEST

/* What a parent becomes after the fork is not what it was when it had the child. */
START_TEST(a_parent_that_execs_after_the_fork) {
        static const char script[] = "(while [ $(cat /proc/$$/comm) = sh ]; do sleep 0.01; done\n"
                                     " exec rm \"$0\") &\n"
                                     "exec sleep 1";
        Scene s = scene_new(1);
        Process p = process_child_truth(PROCESS_ARGS("rm", s.files[0]));
        pid_t pids[PROCESS_ANCESTORS_MAX + 1];

        pids[0] = p.ppid = process_spawn(PROCESS_ARGS("sh", "-c", script, s.files[0]));
        memcpy(pids + 1, p.ancestors, p.n_ancestors * sizeof(*pids));
        p.ancestors = pids;
        p.n_ancestors++;
        ck_assert_int_eq(process_wait(p.ppid, 20), 0);
        scene_await(&s, 0);
        scene_stop(&s);
        scene_assert_process(&s, 0, &p);
        scene_assert_string(&s, 0, "process.parent.name", "sh");
        assert_ancestor(&s, 0, "executable", process_find_program("sh"));
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, parents_that_are_gone, 0, 2);
        tcase_add_loop_test(tcase, a_chain_of_forks, 0, 2);
        tcase_add_loop_test(tcase, too_long_a_chain_of_forks, 0, 2);
        tcase_add_test(tcase, parents_older_than_the_monitor);
        tcase_add_test(tcase, a_parent_that_execs_after_the_fork);
}

int main(void) {
        return harness_main("ancestry", add_tests);
}
