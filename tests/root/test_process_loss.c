/* SPDX-License-Identifier: MIT */

/*
 * Process events that the kernel had no room for: the loss is told, all processes are read anew,
 * and those that came, went or became something else meanwhile are not taken for what the monitor
 * last heard of their pid.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"
#include "scene.h"

#define CONNECTOR 11 /* NETLINK_CONNECTOR */
#define TIMEOUT_SEC 120
/* Pids come round often, so that most were seen before the loss and are others' after it. */
#define SMALL_PID_MAX 1800

/* How many process events wait for the monitor, and how many found no room. */
static void count_events(const Scene *s, unsigned long *ret_n_bytes, unsigned long *ret_n_drops) {
        _cleanup_free_ char *sockets = harness_read_file("/proc/net/netlink", NULL);
        unsigned long n_bytes, n_drops;
        int protocol, pid;
        char *save = NULL;

        for (char *line = strtok_r(sockets, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (sscanf(line, "%*s %d %d %*s %lu %*s %*s %*s %lu", &protocol, &pid, &n_bytes,
                           &n_drops) == 4 &&
                    protocol == CONNECTOR && pid == s->m.pid) {
                        *ret_n_bytes = n_bytes;
                        *ret_n_drops = n_drops;
                        return;
                }
        harness_abort("the monitor has no socket for process events");
}

static unsigned long count_drops(const Scene *s) {
        unsigned long n_bytes, n_drops;

        count_events(s, &n_bytes, &n_drops);
        return n_drops;
}

/* Makes processes until so many more of their events are lost. Return: how many processes. */
static size_t overflow(const Scene *s, unsigned long n_drops) {
        unsigned long until = count_drops(s) + n_drops;
        double end = harness_now() + TIMEOUT_SEC;
        size_t n = 0;

        do {
                for (size_t i = 0; i < 500; i++, n++) {
                        pid_t pid = vfork();

                        if (pid == 0)
                                _exit(0);
                        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
                }
                harness_assert(harness_now() < end, "nothing is lost by %zu processes", n);
        } while (count_drops(s) < until);
        return n;
}

static Process run_rm(const Scene *s, size_t i) {
        const char **args = calloc(3, sizeof(*args));
        Process p;

        harness_assert(args, "out of memory");
        args[0] = "/bin/rm";
        args[1] = s->files[i];
        p = process_child_truth(args);
        p.pid = process_run(args);
        return p;
}

static void stop_and_delete(void *scene) {
        const Scene *s = scene;

        raise(SIGSTOP);
        harness_unlink(s->files[0]);
        raise(SIGSTOP);
        harness_unlink(s->files[1]);
}

static void wait_for_stop(pid_t pid) {
        int status;

        ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
        ck_assert(WIFSTOPPED(status));
}

/* Files of the scene, by who deletes them and when. */
enum {
        OLD_DURING = 0, /* by a fork that was there before the loss, in it and after it */
        OLD_AFTER = 1,
        CHANGED = 2, /* by a process that became another program in the loss */
        BORN = 3,    /* by a process that was born in the loss and lives on */
        EARLY = 4,   /* by short ones while the monitor stands still and nothing is lost yet */
        LATE = 24,   /* … when their events are lost */
        AFTER = 44,  /* … when it runs again */
        N_FILES = 64,
};

static void assert_loss_is_told(const Scene *s) {
        _cleanup_reader_ RecordReader r = record_reader_new(s->m.output_path);
        size_t n = 0;

        for (struct json_object *record = record_next(&r); record; record = record_next(&r)) {
                const char *where = record_string(record, "whodunlink.loss.where");

                n += where && strcmp(where, "process events") == 0;
        }
        ck_assert_uint_ge(n, 1);
}

typedef struct Play {
        Scene s;
        Process old;
        SceneWorker changed, born;
        int changed_fd; /* tells when it has changed */
        Process rms[N_FILES];
        size_t n_processes;
} Play;

/* A shell that becomes the worker when it is told to go on. */
static void start_changing(Play *play) {
        static const char script[] = "kill -STOP $$\n"
                                     "WORKER_MODE=wait WORKER_FILE=\"$1\" exec \"$2\" changed";
        int to[2], from[2];

        ck_assert_int_eq(pipe2(to, O_CLOEXEC) | pipe2(from, O_CLOEXEC), 0);
        play->changed.process = process_child_truth(PROCESS_ARGS("sh"));
        play->changed.process.name = "worker";
        play->changed.process.executable = harness_worker();
        play->changed.process.args = NULL;
        play->changed.process.pid = process_spawn_io(
                PROCESS_ARGS("sh", "-c", script, "sh", play->s.files[CHANGED], harness_worker()),
                to[0], from[1]);
        play->changed.fd = to[1];
        play->changed_fd = from[0];
        wait_for_stop(play->changed.process.pid);
}

static void before_the_loss(Play *play) {
        play->old = process_fork_truth();
        play->old.pid = process_fork(stop_and_delete, &play->s);
        wait_for_stop(play->old.pid);
        start_changing(play);
        for (size_t i = EARLY; i < LATE; i++)
                play->rms[i] = run_rm(&play->s, i);
}

/* The monitor stands still. */
static void in_the_loss(Play *play) {
        char byte;

        play->n_processes = overflow(&play->s, 1);
        play->born = scene_start_worker(&play->s, BORN, harness_worker());
        kill(play->changed.process.pid, SIGCONT);
        ck_assert_int_eq(read(play->changed_fd, &byte, 1), 1);
        for (size_t i = LATE; i < AFTER; i++) {
                play->rms[i] = run_rm(&play->s, i);
                overflow(&play->s, 1);
        }
        kill(play->old.pid, SIGCONT);
        wait_for_stop(play->old.pid);
}

static void after_the_loss(Play *play) {
        for (size_t i = AFTER; i < N_FILES; i++)
                play->rms[i] = run_rm(&play->s, i);
        kill(play->old.pid, SIGCONT);
        ck_assert_int_eq(process_wait(play->old.pid, 20), 0);
        scene_let_go(&play->born);
        scene_let_go(&play->changed);
}

static void compare(const Play *play) {
        const Scene *s = &play->s;
        size_t n_told = 0;

        assert_loss_is_told(s);
        scene_assert_process(s, OLD_DURING, &play->old);
        scene_assert_process(s, OLD_AFTER, &play->old);
        scene_assert_process(s, CHANGED, &play->changed.process);
        scene_assert_process(s, BORN, &play->born.process);
        for (size_t i = EARLY; i < AFTER; i++)
                n_told += scene_assert_nothing_wrong(s, i, &play->rms[i]);
        for (size_t i = AFTER; i < N_FILES; i++)
                scene_assert_process(s, i, &play->rms[i]);
        harness_note("lost after %zu processes; %zu of %d deletions of meanwhile fully told",
                     play->n_processes, n_told, AFTER - EARLY);
}

static void lose(Play *play) {
        ck_assert_int_eq(kill(play->s.m.pid, SIGSTOP), 0);
        before_the_loss(play);
        in_the_loss(play);
}

START_TEST(process_events_are_lost) {
        long pid_max = harness_sysctl_get("kernel/pid_max");
        Play play = {.s = scene_new(N_FILES)};

        if (_i == 1)
                harness_sysctl_set("kernel/pid_max", SMALL_PID_MAX);
        lose(&play);
        ck_assert_int_eq(kill(play.s.m.pid, SIGCONT), 0);
        monitor_wait_for_output(&play.s.m, "\"where\":\"process events\"", MONITOR_TIMEOUT_SEC);
        harness_sysctl_set("kernel/pid_max", pid_max);
        after_the_loss(&play);
        scene_stop(&play.s);
        compare(&play);
}
END_TEST

/* The witness has caught up, and read all processes anew. */
static void await_rescan(const Scene *s) {
        unsigned long n_bytes, n_drops;
        double end = harness_now() + TIMEOUT_SEC;

        do {
                harness_sleep(0.5);
                count_events(s, &n_bytes, &n_drops);
                harness_assert(harness_now() < end, "%lu bytes are not read", n_bytes);
        } while (n_bytes > 0);
}

/* Stops the main thread of a monitor that stands still, so that the other one goes on alone. */
static void hold_main_thread(const Scene *s) {
        int status;

        ck_assert_int_eq(ptrace(PTRACE_SEIZE, s->m.pid, NULL, NULL), 0);
        ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, s->m.pid, NULL, NULL), 0);
        ck_assert_int_eq(waitpid(s->m.pid, &status, __WALL), s->m.pid);
        ck_assert(WIFSTOPPED(status));
}

/*
 * The monitor looks at the deletions only when all there was to hear about processes was heard:
 * what it has by then of a pid may be of another life.
 */
START_TEST(deletions_are_read_long_after_the_loss) {
        long pid_max = harness_sysctl_get("kernel/pid_max");
        Play play = {.s = scene_new(N_FILES)};
        Scene *s = &play.s;
        size_t n_told = 0;

        if (_i == 1)
                harness_sysctl_set("kernel/pid_max", SMALL_PID_MAX);
        lose(&play);
        hold_main_thread(s);
        ck_assert_int_eq(kill(s->m.pid, SIGCONT), 0);
        await_rescan(s);
        harness_sysctl_set("kernel/pid_max", pid_max);
        after_the_loss(&play);
        ck_assert_int_eq(ptrace(PTRACE_DETACH, s->m.pid, NULL, NULL), 0);
        scene_stop(s);

        assert_loss_is_told(s);
        n_told += scene_assert_nothing_wrong(s, OLD_DURING, &play.old);
        n_told += scene_assert_nothing_wrong(s, OLD_AFTER, &play.old);
        n_told += scene_assert_nothing_wrong(s, CHANGED, &play.changed.process);
        n_told += scene_assert_nothing_wrong(s, BORN, &play.born.process);
        for (size_t i = EARLY; i < N_FILES; i++)
                n_told += scene_assert_nothing_wrong(s, i, &play.rms[i]);
        harness_note("%zu of %d deletions fully told", n_told, N_FILES);
}
END_TEST

static void delete_alive(void *scene) {
        scene_delete(scene, 0);
        scene_delete(scene, 1);
}

/*
 * The witness ends, made to by a limit under which poll(2) fails: that is told once, and from then
 * on only who is alive is named.
 */
START_TEST(process_events_end) {
        Scene s = scene_new(4);
        Process alive = process_fork_truth(), gone;
        struct rlimit limit, none;

        ck_assert_int_eq(prlimit(s.m.pid, RLIMIT_NOFILE, NULL, &limit), 0);
        none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
        ck_assert_int_eq(prlimit(s.m.pid, RLIMIT_NOFILE, &none, NULL), 0);
        process_run(PROCESS_ARGS("true"));
        harness_sleep(0.2);
        ck_assert_int_eq(prlimit(s.m.pid, RLIMIT_NOFILE, &limit, NULL), 0);

        alive.pid = process_fork(delete_alive, &s);
        ck_assert_int_eq(process_wait(alive.pid, 30), 0);
        ck_assert_int_eq(kill(s.m.pid, SIGSTOP), 0);
        gone = run_rm(&s, 2);
        ck_assert_int_eq(kill(s.m.pid, SIGCONT), 0);
        scene_await(&s, 2);
        gone = run_rm(&s, 3);
        scene_stop(&s);

        assert_loss_is_told(&s);
        scene_assert_process(&s, 0, &alive);
        scene_assert_process(&s, 1, &alive);
        scene_assert_string(&s, 2, "process.name", NULL);
        scene_assert_string(&s, 2, "whodunlink.attribution", "pid-only");
        scene_assert_nothing_wrong(&s, 3, &gone);
}
END_TEST

/*
 * A loss takes some 40,000 processes.  Under a sanitizer, which slows the witness and not them, the
 * second kind may lose nothing where it should, and each takes minutes: one of them is enough for
 * what a sanitizer is to find.
 */
static void add_tests(TCase *tcase) {
        bool is_sanitized = harness_is_sanitized();

        tcase_add_loop_test(tcase, process_events_are_lost, 0, is_sanitized ? 1 : 2);
        if (!is_sanitized)
                tcase_add_loop_test(tcase, deletions_are_read_long_after_the_loss, 0, 2);
        tcase_add_test(tcase, process_events_end);
}

int main(void) {
        return harness_main_alone("process_loss", add_tests);
}
