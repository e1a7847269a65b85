/* SPDX-License-Identifier: MIT */

/*
 * Who leads the session of a deleter, and by whom the work entered: cron, ssh, a login, a
 * container, a terminal or nobody but init.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "group.h"
#include "harness.h"
#include "record.h"
#include "scene.h"

#define ID "4f1ec6e0f9f4b1a5c1f0d5a3e8b7a6958473625140392817065f4e3d2c1b0a99"

/* Deletes a file by a short process, which is a child of the shell that these run. */
static const char script[] = "rm \"$0\"; :";

static void run_shell(const char *shell, const char *file) {
        execl(shell, shell, "-c", script, file, (char *)NULL);
        _exit(127);
}

/* Runs something in a child and waits for it. Return: its pid. */
static pid_t run(void (*function)(void *userdata), void *userdata) {
        pid_t pid = process_fork(function, userdata);

        ck_assert_int_eq(process_wait(pid, 60), 0);
        return pid;
}

/* A copy of the shell by another name, as somebody who asks for it would take it. */
static char *shell_called(const char *name) {
        char *path = harness_path("%s", name);

        process_run(PROCESS_ARGS("cp", "/bin/sh", path));
        return path;
}

typedef struct InGroup {
        const char *group, *file;
} InGroup;

static void shell_in_group(void *userdata) {
        const InGroup *g = userdata;

        group_enter(g->group);
        run_shell("/bin/sh", g->file);
}

static void check_entry(const Scene *s, size_t i, const char *type, const char *name, pid_t pid) {
        scene_assert_known(s, i, "process.entry_leader.entry_meta.type", type);
        scene_assert_known(s, i, "process.entry_leader.name", name);
        if (pid > 0)
                scene_assert_pid(s, i, "process.entry_leader.pid", pid);
}

static const struct {
        const char *program, *type;
        bool is_twice; /* it forks one of its own for each session */
} gateways[] = {
        {"cron", "cron", false}, {"crond", "cron", true},     {"atd", "cron", false},
        {"sshd", "sshd", true},  {"login", "console", false},
};

#define N_GATEWAYS (sizeof(gateways) / sizeof(*gateways))

START_TEST(entered_by_programs) {
        Scene s = scene_new(N_GATEWAYS);
        static const char job[] = "sh -c 'rm \"$0\"; :' \"$0\"; :";

        for (size_t i = 0; i < N_GATEWAYS; i++) {
                char *shell = shell_called(gateways[i].program);
                char *again = harness_format("'%s' -c '%s' \"$0\"; :", shell,
                                             "sh -c \"rm \\\"\\$0\\\"; :\" \"$0\"; :");

                process_run(
                        PROCESS_ARGS(shell, "-c", gateways[i].is_twice ? again : job, s.files[i]));
        }
        scene_stop(&s);
        for (size_t i = 0; i < N_GATEWAYS; i++)
                check_entry(&s, i, gateways[i].type, "sh",
                            (pid_t)record_number(s.records[i], "process.parent.pid"));
}
END_TEST

static void call_itself_cron(void *scene) {
        const Scene *s = scene;
        pid_t pid;

        prctl(PR_SET_NAME, "cron");
        pid = fork();
        if (pid == 0)
                run_shell("/bin/sh", s->files[0]);
        waitpid(pid, NULL, 0);
}

/* A name is not enough: the program has to be called so, too. */
START_TEST(only_called_so) {
        Scene s = scene_new(1);
        struct json_object *ancestry;
        const char *said;

        run(call_itself_cron, &s);
        scene_stop(&s);
        ancestry = record_get(s.records[0], "whodunlink.ancestry");
        ck_assert(ancestry);
        said = record_string(json_object_array_get_idx(ancestry, 1), "name");
        harness_assert(said && strcmp(said, "cron") == 0, "its grandparent is %s",
                       said ? said : "unknown");
        said = record_string(s.records[0], "process.entry_leader.entry_meta.type");
        harness_assert(!said || strcmp(said, "cron") != 0, "entered by %s", said);
}
END_TEST

START_TEST(a_pid_namespace) {
        Scene s = scene_new(1);
        const char *message;
        pid_t pid = process_run(
                PROCESS_ARGS("unshare", "--pid", "--fork", "sh", "-c", script, s.files[0]));

        scene_stop(&s);
        check_entry(&s, 0, "container", "sh",
                    (pid_t)record_number(s.records[0], "process.parent.pid"));
        ck_assert_int_ne(record_number(s.records[0], "process.entry_leader.pid"), pid);
        /* The shell is 1. */
        scene_assert_pid(&s, 0, "process.vpid", 2);
        scene_assert_known(&s, 0, "process.user.name", NULL);
        message = record_string(s.records[0], "message");
        harness_assert(harness_is_sanitized() || strstr(message, "uid 0 in a container"), "%s",
                       message);
}
END_TEST

START_TEST(a_container) {
        Scene s = scene_new(1);
        InGroup g = {group_make("docker/" ID), s.files[0]};
        pid_t pid = run(shell_in_group, &g);

        scene_stop(&s);
        check_entry(&s, 0, "container", "sh", pid);
        ck_assert(!record_get(s.records[0], "process.vpid"));
}
END_TEST

static void shell_in_session(void *scene) {
        const Scene *s = scene;

        if (setsid() < 0)
                _exit(125);
        execlp("sh", "sh", "-c", "rm \"$0\"; sh -c 'rm \"$0\"; :' \"$1\"; :", s->files[0],
               s->files[1], (char *)NULL);
        _exit(127);
}

/* Nobody executes anything: the parent's facts are all there are, but for the session. */
static void fork_in_session(void *scene) {
        const Scene *s = scene;
        pid_t pid;

        if (setsid() < 0)
                _exit(125);
        pid = fork();
        if (pid == 0)
                _exit(unlink(s->files[2]) < 0);
        waitpid(pid, NULL, 0);
        harness_unlink(s->files[3]);
}

START_TEST(session_leaders) {
        Scene s = scene_new(4);
        pid_t shell = run(shell_in_session, &s), forked = run(fork_in_session, &s);

        scene_stop(&s);
        scene_assert_pid(&s, 0, "process.session_leader.pid", shell);
        scene_assert_pid(&s, 1, "process.session_leader.pid", shell);
        scene_assert_known(&s, 0, "process.session_leader.name", "sh");
        scene_assert_known(&s, 1, "process.session_leader.executable", process_find_program("sh"));
        scene_assert_known(&s, 1, "process.session_leader.entity_id",
                           record_string(s.records[0], "process.session_leader.entity_id"));
        scene_assert_pid(&s, 2, "process.session_leader.pid", forked);
        scene_assert_pid(&s, 3, "process.session_leader.pid", forked);
}
END_TEST

/*
 * Starts a process that is init's own child before anybody watches, without a terminal: wherever
 * this test was started from is forgotten.  It begins when a byte comes.
 */
static pid_t start_orphan(void (*function)(void *userdata), void *userdata, int *ret_go_fd) {
        int ready[2], go[2];
        pid_t pid;

        harness_assert(pipe2(ready, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0, "pipe: %m");
        pid = fork();
        harness_assert(pid >= 0, "fork: %m");
        if (pid == 0) {
                pid_t parent = getpid();
                char byte;

                if (fork() > 0)
                        _exit(0);
                setsid();
                close(go[1]);
                while (getppid() == parent)
                        usleep(1000);
                pid = getpid();
                if (write(ready[1], &pid, sizeof(pid)) == sizeof(pid) && read(go[0], &byte, 1) == 1)
                        function(userdata);
                _exit(0);
        }
        close(ready[1]);
        close(go[0]);
        ck_assert_int_eq(process_wait(pid, 20), 0);
        harness_assert(read(ready[0], &pid, sizeof(pid)) == sizeof(pid), "no orphan");
        close(ready[0]);
        *ret_go_fd = go[1];
        return pid;
}

static void delete_as_child(void *scene) {
        const Scene *s = scene;

        if (fork() == 0)
                run_shell("/bin/sh", s->files[0]);
        wait(NULL);
}

static void delete_at_terminal(void *scene) {
        const Scene *s = scene;
        int pty = posix_openpt(O_RDWR | O_NOCTTY);

        if (pty < 0 || grantpt(pty) < 0 || unlockpt(pty) < 0)
                return;
        if (fork() == 0) {
                int tty;

                setsid();
                tty = open(ptsname(pty), O_RDWR | O_CLOEXEC);
                if (tty < 0 || ioctl(tty, TIOCSCTTY, 0) < 0)
                        _exit(125);
                execlp("sh", "sh", "-c", "sh -c 'rm \"$0\"; :' \"$0\"; :", s->files[0],
                       (char *)NULL);
        }
        wait(NULL);
}

/* Return: the pid of the orphan. */
static pid_t play(Scene *s, void (*function)(void *userdata)) {
        int go_fd = -1;
        pid_t pid;

        *s = scene_prepare(1);
        pid = start_orphan(function, s, &go_fd);
        scene_start(s);
        harness_assert(write(go_fd, "x", 1) == 1, "write: %m");
        scene_await(s, 0);
        close(go_fd);
        scene_stop(s);
        return pid;
}

static struct json_object *last_ancestor(const Scene *s, size_t from_end) {
        struct json_object *ancestry = record_get(s->records[0], "whodunlink.ancestry");
        size_t n = ancestry ? json_object_array_length(ancestry) : 0;

        return n > from_end ? json_object_array_get_idx(ancestry, n - 1 - from_end) : NULL;
}

START_TEST(entered_by_init) {
        Scene s;
        pid_t pid = play(&s, delete_as_child);

        /* A service manager may have adopted it in init's place. */
        if (record_number(last_ancestor(&s, 1), "pid") != pid)
                harness_skip("orphans are not init's here");
        check_entry(&s, 0, "init", "test_root_entry", pid);
}
END_TEST

START_TEST(entered_by_terminal) {
        Scene s;
        struct json_object *parent_of_rm, *sh;

        play(&s, delete_at_terminal);
        sh = record_get(s.records[0], "whodunlink.ancestry");
        parent_of_rm = sh ? json_object_array_get_idx(sh, 0) : NULL;
        sh = sh ? json_object_array_get_idx(sh, 1) : NULL;
        ck_assert(parent_of_rm && sh);
        check_entry(&s, 0, "terminal", "sh", (pid_t)record_number(sh, "pid"));
        scene_assert_pid(&s, 0, "process.session_leader.pid", (pid_t)record_number(sh, "pid"));
        ck_assert_int_ne(record_number(sh, "pid"), record_number(parent_of_rm, "pid"));
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, entered_by_programs);
        tcase_add_test(tcase, only_called_so);
        tcase_add_test(tcase, a_pid_namespace);
        tcase_add_test(tcase, a_container);
        tcase_add_test(tcase, session_leaders);
        tcase_add_test(tcase, entered_by_init);
        tcase_add_test(tcase, entered_by_terminal);
}

int main(void) {
        int status;

        group_remove_all();
        status = harness_main("entry", add_tests);
        group_remove_all();
        return status;
}
