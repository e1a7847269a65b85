/* SPDX-License-Identifier: MIT */

/*
 * The unit that a process belongs to when it deletes: that of the control group it was born in by
 * clone3(2), or moved to by whoever may, of which no event tells.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"
#include "scene.h"

typedef enum Hierarchy {
        UNIFIED,
        NAMED_SYSTEMD, /* version 1 */
} Hierarchy;

/* Names that are taken by nothing but this test, so that what a failed one leaves is taken over. */
static const char *const unit_names[] = {"whodunlink-test-v2.service",
                                         "whodunlink-test-v1.service"};

/* Mounts a hierarchy in the test's namespace. Return: the group of a unit of this name in it. */
static char *make_unit(Hierarchy h) {
        _cleanup_free_ char *groups = harness_read_file("/proc/self/cgroup", NULL);
        _cleanup_free_ char *root = harness_path("hierarchy-%d", h);
        char *path = harness_format("%s/%s", root, unit_names[h]);
        int r;

        harness_mkdir(root);
        if (!strstr(groups, h == UNIFIED ? "0::/" : ":name=systemd:/"))
                harness_skip("no such control groups here");
        r = h == UNIFIED ? mount("cgroup2", root, "cgroup2", 0, NULL)
                         : mount("cgroup", root, "cgroup", 0, "none,name=systemd");
        if (r < 0)
                harness_skip("cannot mount control groups: %s", strerror(errno));
        harness_assert(mkdir(path, 0755) == 0 || errno == EEXIST, "%s: %m", path);
        return path;
}

static void remove_unit(const char *path) {
        for (int i = 0; i < 200 && rmdir(path) < 0; i++)
                harness_sleep(0.01);
}

static void move_to_unit(const char *path, pid_t pid) {
        _cleanup_free_ char *procs = harness_format("%s/cgroup.procs", path);
        _cleanup_close_ int fd = open(procs, O_WRONLY | O_CLOEXEC);

        harness_assert(fd >= 0 && dprintf(fd, "%d", (int)pid) > 0, "%s: %m", procs);
}

static pid_t clone_into(const char *group) {
        _cleanup_close_ int fd = open(group, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct clone_args args = {
                .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)fd};
        pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

        if (pid < 0 && (errno == ENOSYS || errno == EPERM))
                harness_skip("no clone3");
        harness_assert(pid >= 0, "clone3: %m");
        return pid;
}

/* A child that never was in its parent's unit: its first program is read, or it itself, alive. */
START_TEST(born_in_another_unit) {
        Scene s = scene_new(2);
        char *unit = make_unit(UNIFIED);
        pid_t forked, executed;

        executed = clone_into(unit);
        if (executed == 0) {
                execlp("rm", "rm", s.files[0], (char *)NULL);
                _exit(127);
        }
        ck_assert_int_eq(process_wait(executed, 20), 0);
        forked = clone_into(unit);
        if (forked == 0) {
                scene_delete(&s, 1);
                _exit(0);
        }
        ck_assert_int_eq(process_wait(forked, 20), 0);
        remove_unit(unit);
        scene_stop(&s);
        ck_assert_int_eq(record_number(s.records[0], "process.pid"), executed);
        ck_assert_int_eq(record_number(s.records[1], "process.pid"), forked);
        for (size_t i = 0; i < s.n_files; i++)
                scene_assert_string(&s, i, "systemd.unit", unit_names[UNIFIED]);
}
END_TEST

static void delete_here_and_there(void *scene) {
        const Scene *s = scene;

        scene_delete(s, 0);
        raise(SIGSTOP);
        scene_delete(s, 1);
        process_run(PROCESS_ARGS("rm", s->files[2]));
        raise(SIGSTOP);
        scene_delete(s, 3);
}

static void wait_for_stop(pid_t pid) {
        int status;

        ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
        ck_assert(WIFSTOPPED(status));
}

/* As sshd and login are put into their sessions, and no event tells of it. */
START_TEST(moved_to_another_unit) {
        Scene s = scene_new(4);
        char *unit = make_unit((Hierarchy)_i), *root = strdup(unit);
        pid_t pid = process_fork(delete_here_and_there, &s);

        *strrchr(root, '/') = '\0';
        wait_for_stop(pid);
        move_to_unit(unit, pid);
        kill(pid, SIGCONT);
        wait_for_stop(pid);
        move_to_unit(root, pid);
        kill(pid, SIGCONT);
        ck_assert_int_eq(process_wait(pid, 20), 0);
        remove_unit(unit);
        scene_stop(&s);
        scene_assert_string(&s, 1, "systemd.unit", unit_names[_i]);
        scene_assert_string(&s, 2, "systemd.unit", unit_names[_i]);
        for (size_t i = 0; i < s.n_files; i += 3) {
                const char *said = record_string(s.records[i], "systemd.unit");

                harness_assert(!said || strcmp(said, unit_names[_i]) != 0, "file %zu: %s", i, said);
        }
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, born_in_another_unit);
        tcase_add_loop_test(tcase, moved_to_another_unit, 0, 2);
}

int main(void) {
        return harness_main("units", add_tests);
}
