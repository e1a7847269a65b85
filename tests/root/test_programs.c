/* SPDX-License-Identifier: MIT */

/*
 * Which program a process runs: also when its file was deleted or replaced since, is called as if
 * it had been, or stands in another root or mount namespace.
 */

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"
#include "scene.h"

static char *copy_worker(const char *name) {
        char *path = harness_path("%s", name);

        process_run(PROCESS_ARGS("cp", "--", harness_worker(), path));
        return path;
}

typedef enum Fate {
        KEPT,
        DELETED,
        REPLACED,
        DELETED_BEFORE_THE_MONITOR,
} Fate;

static const struct {
        const char *name;
        Fate fate;
} programs[] = {
        {"kept", KEPT},
        {"deleted", DELETED},
        {"replaced", REPLACED},
        {"long gone", DELETED_BEFORE_THE_MONITOR},
        {"so (deleted)", KEPT},
        {"so (deleted)", DELETED},
        {"so (deleted)", DELETED_BEFORE_THE_MONITOR},
        {" (deleted)", KEPT},
};

static void suffer(const char *program, Fate fate) {
        if (fate == REPLACED) {
                _cleanup_free_ char *other = copy_worker("other");

                ck_assert_int_eq(rename(other, program), 0);
        } else if (fate != KEPT) {
                harness_unlink(program);
        }
}

/* The path is that of the time of the exec, and what the kernel adds to it is said apart. */
START_TEST(a_program_that_is_gone) {
        Fate fate = programs[_i].fate;
        Scene s = scene_prepare(1);
        char *program = copy_worker(programs[_i].name);
        struct json_object *is_deleted;
        SceneWorker w;

        if (fate != DELETED_BEFORE_THE_MONITOR)
                scene_start(&s);
        w = scene_start_worker(&s, 0, program);
        suffer(program, fate);
        if (fate == DELETED_BEFORE_THE_MONITOR)
                scene_start(&s);
        scene_let_go(&w);
        scene_stop(&s);
        scene_assert_process(&s, 0, &w.process);
        /* Whether it was so already at the deletion is known only of what was read then. */
        is_deleted = record_get(s.records[0], "whodunlink.executable_deleted");
        ck_assert(!is_deleted || json_object_get_boolean(is_deleted));
        harness_assert(fate != KEPT || !is_deleted, "%s is there", program);
        harness_assert(fate != DELETED_BEFORE_THE_MONITOR || is_deleted, "%s is gone", program);
}
END_TEST

static void bind(const char *from, const char *to) {
        harness_assert(mount(from, to, NULL, MS_BIND, NULL) == 0, "bind %s: %m", to);
}

/* Another root directory in our mount namespace: paths of programs are ours. */
START_TEST(a_program_in_a_chroot) {
        Scene s = scene_new(1);
        _cleanup_free_ char *root = harness_path("root"), *mnt = NULL, *rm = NULL;
        Process p = process_child_truth(PROCESS_ARGS("rm", "/mnt/file-00"));

        harness_mkdir(root);
        bind("/", root);
        mnt = harness_format("%s/mnt", root);
        bind(s.fs.path, mnt);
        rm = harness_format("%s%s", root, p.executable);
        p.pid = fork();
        if (p.pid == 0) {
                if (chroot(root) < 0 || chdir("/") < 0)
                        _exit(125);
                execv(p.executable, (char *const *)p.args);
                _exit(127);
        }
        ck_assert_int_eq(process_wait(p.pid, 20), 0);
        scene_stop(&s);
        p.executable = rm;
        p.working_directory = root;
        scene_assert_process(&s, 0, &p);
}
END_TEST

/* A program on a mount that we do not have: its path as it is there, the file's as it is here. */
START_TEST(a_program_in_another_mount_namespace) {
        Scene s = scene_new(1);
        _cleanup_free_ char *there = harness_path("there"), *rm = harness_path("there/rm");
        Process p = process_child_truth(PROCESS_ARGS("rm", s.files[0]));

        harness_mkdir(there);
        p.pid = fork();
        if (p.pid == 0) {
                if (unshare(CLONE_NEWNS) < 0 || mount("there", there, "tmpfs", 0, NULL) < 0)
                        _exit(125);
                process_run(PROCESS_ARGS("cp", p.executable, rm));
                execv(rm, (char *const *)p.args);
                _exit(127);
        }
        ck_assert_int_eq(process_wait(p.pid, 20), 0);
        scene_stop(&s);
        p.executable = rm;
        scene_assert_process(&s, 0, &p);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, a_program_that_is_gone, 0, sizeof(programs) / sizeof(*programs));
        tcase_add_test(tcase, a_program_in_a_chroot);
        tcase_add_test(tcase, a_program_in_another_mount_namespace);
}

int main(void) {
        return harness_main("programs", add_tests);
}
