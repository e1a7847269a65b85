/* SPDX-License-Identifier: MIT */

/*
 * What happens to a process between its start and the deletion: programs executed one after
 * another, by a thread too, threads without their leader, vfork and posix_spawn, names changed, an
 * end that nobody waits for; and the processes that are the kernel's own.
 */

#include <fcntl.h>
#include <linux/loop.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"
#include "scene.h"

/* The truth about a child of this process that is `rm FILE` when it deletes. */
static Process rm_truth(const Scene *s, size_t i) {
        const char **args = calloc(3, sizeof(*args));

        harness_assert(args, "out of memory");
        args[0] = "rm";
        args[1] = s->files[i];
        return process_child_truth(args);
}

static void exec_rm(const Scene *s, size_t i) {
        execlp("rm", "rm", s->files[i], (char *)NULL);
        _exit(127);
}

static void wait_for(Process *p, pid_t pid) {
        p->pid = pid;
        ck_assert_int_eq(process_wait(pid, 60), 0);
}

/* Four programs in one process: the last one is it. */
START_TEST(one_exec_after_another) {
        Scene s = scene_new(1);
        Process p = rm_truth(&s, 0);

        wait_for(&p, process_spawn(PROCESS_ARGS(
                             "sh", "-c", "exec env sh -c 'exec rm \"$0\"' \"$0\"", s.files[0])));
        scene_stop(&s);
        scene_assert_process(&s, 0, &p);
        scene_assert_string(&s, 0, "process.parent.executable", process_own_truth().executable);
}
END_TEST

static void delete_and_exec(void *scene) {
        scene_delete(scene, 0);
        exec_rm(scene, 1);
}

/* Each deletion is told of the program that did it, all of them of one process. */
START_TEST(deletions_before_and_after_an_exec) {
        Scene s = scene_new(2);
        Process before = process_fork_truth(), after = rm_truth(&s, 1);

        before.pid = process_fork(delete_and_exec, &s);
        wait_for(&after, before.pid);
        scene_stop(&s);
        scene_assert_process(&s, 0, &before);
        scene_assert_process(&s, 1, &after);
        scene_assert_string(&s, 1, "process.entity_id",
                            record_string(s.records[0], "process.entity_id"));
        scene_assert_string(&s, 1, "process.start", record_string(s.records[0], "process.start"));
}
END_TEST

static void *rename_and_delete(void *scene) {
        const Scene *s = scene;

        prctl(PR_SET_NAME, "not the process");
        harness_unlink(s->files[0]);
        scene_delete(s, 1);
        harness_unlink(s->files[2]);
        return NULL;
}

static void delete_in_a_thread(void *scene) {
        pthread_t thread;

        harness_assert(pthread_create(&thread, NULL, rename_and_delete, scene) == 0, "thread");
        pthread_join(thread, NULL);
}

/* A thread's number and name are not those of its process, which is the one to be told. */
START_TEST(a_thread_with_a_name) {
        Scene s = scene_new(3);
        Process p = process_fork_truth();

        wait_for(&p, process_fork(delete_in_a_thread, &s));
        scene_stop(&s);
        for (size_t i = 0; i < s.n_files; i++)
                scene_assert_process(&s, i, &p);
}
END_TEST

static void *exec_from_thread(void *scene) {
        static const char script[] = "rm \"$0\"; exec rm \"$1\"";
        const Scene *s = scene;

        prctl(PR_SET_NAME, "not the process");
        execlp("sh", "sh", "-c", script, s->files[0], s->files[1], (char *)NULL);
        _exit(127);
}

static void exec_in_a_thread(void *scene) {
        pthread_t thread;

        harness_assert(pthread_create(&thread, NULL, exec_from_thread, scene) == 0, "thread");
        for (;;)
                pause();
}

/* The thread takes over its process's number; the leader's exit is not the process's. */
START_TEST(a_thread_that_execs) {
        Scene s = scene_new(2);
        Process p = rm_truth(&s, 1), child;

        wait_for(&p, process_fork(exec_in_a_thread, &s));
        scene_stop(&s);
        scene_assert_process(&s, 1, &p);
        child = (Process){.ppid = p.pid, .name = "rm", .executable = p.executable, .user_id = "0"};
        scene_assert_process(&s, 0, &child);
        scene_assert_string(&s, 0, "process.parent.name", "sh");
        scene_assert_string(&s, 0, "process.parent.executable", process_find_program("sh"));
}
END_TEST

static bool is_zombie(pid_t pid) {
        _cleanup_free_ char *path = harness_format("/proc/%d/task/%d/stat", (int)pid, (int)pid);
        _cleanup_free_ char *stat = harness_read_file(path, NULL);
        const char *end = strrchr(stat, ')');

        return end && end[1] && end[2] == 'Z';
}

/* Goes on while the monitor has others to name and lets go of the dead. */
static void *delete_without_leader(void *scene) {
        const Scene *s = scene;

        while (!is_zombie(getpid()))
                harness_sleep(0.001);
        harness_unlink(s->files[0]);
        scene_delete(s, 1);
        for (size_t i = 0; i < 5; i++) {
                harness_sleep(0.5);
                if (vfork() == 0) {
                        unlink(s->files[4 + i]);
                        _exit(0);
                }
        }
        scene_delete(s, 2);
        exec_rm(s, 3);
        return NULL;
}

static void end_the_leader(void *scene) {
        pthread_t thread;

        harness_assert(pthread_create(&thread, NULL, delete_without_leader, scene) == 0, "thread");
        pthread_exit(NULL);
}

/* What /proc says of such a process is what it says of a zombie, but it lives. */
START_TEST(threads_that_outlive_their_leader) {
        Scene s = scene_new(9);
        Process p = process_fork_truth(), rm = rm_truth(&s, 3);
        Process child = {.name = p.name, .executable = p.executable, .args = p.args};

        wait_for(&p, process_fork(end_the_leader, &s));
        rm.pid = child.ppid = p.pid;
        scene_stop(&s);
        for (size_t i = 0; i < 3; i++)
                scene_assert_process(&s, i, &p);
        scene_assert_process(&s, 3, &rm);
        for (size_t i = 4; i < s.n_files; i++)
                scene_assert_process(&s, i, &child);
}
END_TEST

START_TEST(vfork_and_exec) {
        Scene s = scene_new(1);
        Process p = rm_truth(&s, 0);

        p.pid = vfork();
        if (p.pid == 0) {
                execv(p.executable, (char *const *)p.args);
                _exit(127);
        }
        wait_for(&p, p.pid);
        scene_stop(&s);
        scene_assert_process(&s, 0, &p);
}
END_TEST

/* It runs in its parent's memory, but it is not its parent. */
START_TEST(vfork_without_exec) {
        Scene s = scene_new(1);
        Process p = process_fork_truth();

        p.pid = vfork();
        if (p.pid == 0)
                _exit(unlink(s.files[0]) < 0);
        wait_for(&p, p.pid);
        scene_stop(&s);
        scene_assert_process(&s, 0, &p);
}
END_TEST

static void *spawn_rm(void *process) {
        Process *p = process;

        prctl(PR_SET_NAME, "not the parent");
        if (posix_spawn(&p->pid, p->executable, NULL, NULL, (char *const *)p->args, environ) != 0)
                p->pid = 0;
        return NULL;
}

/* The parent of what a thread starts is the process. */
START_TEST(spawned_by_a_thread) {
        Scene s = scene_new(1);
        Process p = rm_truth(&s, 0);
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, spawn_rm, &p), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        wait_for(&p, p.pid);
        scene_stop(&s);
        scene_assert_process(&s, 0, &p);
        scene_assert_string(&s, 0, "process.parent.name", process_fork_truth().name);
}
END_TEST

static void end_unreaped(Process *p, pid_t pid) {
        siginfo_t info;

        p->pid = pid;
        ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void unlink_first(void *scene) {
        const Scene *s = scene;

        harness_unlink(s->files[0]);
}

/*
 * A zombie has a number, a name and a pidfd, but neither program nor arguments in /proc: those were
 * read before, or are not known.
 */
START_TEST(nobody_waits_for_it) {
        bool is_stopped = _i == 1; /* the monitor, so that it finds only the zombie */
        Scene s = scene_new(2);
        Process forked = process_fork_truth(), executed = rm_truth(&s, 1);

        ck_assert_int_eq(kill(s.m.pid, is_stopped ? SIGSTOP : SIGCONT), 0);
        end_unreaped(&forked, process_fork(unlink_first, &s));
        end_unreaped(&executed, process_spawn(executed.args));
        ck_assert_int_eq(kill(s.m.pid, SIGCONT), 0);
        scene_await(&s, 0);
        scene_await(&s, 1);
        wait_for(&forked, forked.pid);
        wait_for(&executed, executed.pid);
        scene_stop(&s);
        if (is_stopped) {
                executed.executable = executed.working_directory = NULL;
                executed.args = NULL;
        }
        scene_assert_process(&s, 0, &forked);
        scene_assert_process(&s, 1, &executed);
}
END_TEST

/* As another thread of the process may do it, too. */
static void *write_name(void *text) {
        _cleanup_free_ char *path = harness_format("/proc/%d/comm", (int)getpid());
        FILE *f = fopen(path, "we");

        harness_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s: %m", path);
        return NULL;
}

static const char *const names[] = {"first", "2nd) S 1 (\xff", "third", "last"};

static void change_name(void *scene) {
        const Scene *s = scene;
        pthread_t thread;

        scene_delete(s, 0);
        prctl(PR_SET_NAME, names[0]);
        scene_delete(s, 1);
        prctl(PR_SET_NAME, names[1]);
        scene_delete(s, 2);
        harness_assert(pthread_create(&thread, NULL, write_name, (void *)names[2]) == 0, "thread");
        pthread_join(thread, NULL);
        scene_delete(s, 3);
        prctl(PR_SET_NAME, names[3]);
        harness_unlink(s->files[4]); /* and is gone */
}

/* The name is that of the time of the deletion, by whoever it was given. */
START_TEST(names_change) {
        Scene s = scene_new(5);
        Process p = process_fork_truth();

        wait_for(&p, process_fork(change_name, &s));
        scene_stop(&s);
        for (size_t i = 0; i < s.n_files; i++) {
                p.name = i == 0 ? p.name : names[i - 1];
                scene_assert_process(&s, i, &p);
        }
}
END_TEST

#define LOOP_FROM 900
#define LOOP_TO 1000

/* Makes a loop device that nobody has and removes it. Return: its number. */
static int add_and_remove_loop(int control_fd) {
        for (int i = LOOP_FROM; i < LOOP_TO; i++)
                /* Another test may take it in between. */
                if (ioctl(control_fd, LOOP_CTL_ADD, i) >= 0 &&
                    ioctl(control_fd, LOOP_CTL_REMOVE, i) == 0)
                        return i;
        harness_skip("no loop device can be made");
}

/* Device nodes are removed by a thread of the kernel. */
START_TEST(a_kernel_thread) {
        _cleanup_close_ int control_fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        _cleanup_free_ char *dev = harness_path("dev"), *node = NULL;
        Process p = {.ppid = 2, .name = "kdevtmpfs", .user_id = "0"};
        Scene s = {.n_files = 1};

        if (control_fd < 0)
                harness_skip("no /dev/loop-control");
        harness_mkdir(dev);
        if (mount("devtmpfs", dev, "devtmpfs", 0, NULL) < 0)
                harness_skip("no devtmpfs");
        s.m = monitor_start(MONITOR_ARGS(dev));
        node = harness_format("%s/loop%d", dev, add_and_remove_loop(control_fd));
        s.files[0] = node;
        scene_await(&s, 0);
        scene_stop(&s);
        scene_assert_process(&s, 0, &p);
        scene_assert_string(&s, 0, "process.parent.name", "kthreadd");
        scene_assert_string(&s, 0, "process.executable", NULL);
        scene_assert_string(&s, 0, "process.command_line", NULL);
        ck_assert(!record_get(s.records[0], "process.args"));
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, one_exec_after_another);
        tcase_add_test(tcase, deletions_before_and_after_an_exec);
        tcase_add_test(tcase, a_thread_with_a_name);
        tcase_add_test(tcase, a_thread_that_execs);
        tcase_add_test(tcase, threads_that_outlive_their_leader);
        tcase_add_test(tcase, vfork_and_exec);
        tcase_add_test(tcase, vfork_without_exec);
        tcase_add_test(tcase, spawned_by_a_thread);
        tcase_add_loop_test(tcase, nobody_waits_for_it, 0, 2);
        tcase_add_test(tcase, names_change);
        tcase_add_test(tcase, a_kernel_thread);
}

int main(void) {
        return harness_main("life", add_tests);
}
