/* SPDX-License-Identifier: MIT */

/*
 * Who it was, in the ways a process can be: forked without exec, orphaned, with two users, in
 * another mount or pid namespace, chrooted, one of several threads.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "scene.h"

#define NOBODY 65534

START_TEST(forked_without_exec) {
        Scene s = scene_new(1);
        pid_t pid = process_spawn_worker(harness_worker(), PROCESS_ARGS("worker", "x"), "fork",
                                         s.files[0], NULL);
        struct json_object *record;

        ck_assert_int_eq(process_wait(pid, 20), 0);
        record = scene_only_record(&s);
        ck_assert_int_eq(record_number(record, "process.parent.pid"), pid);
        ck_assert_int_ne(record_number(record, "process.pid"), pid);
        scene_assert_string(&s, 0, "process.executable", harness_worker());
        scene_assert_string(&s, 0, "process.parent.executable", harness_worker());
        scene_assert_string(&s, 0, "process.name", "worker");
        ck_assert_str_eq(record_arg(record, 1).data, "x");
}
END_TEST

/* Its parent is gone: the chain ends in pid 1 all the same. See test_ancestry.c for the rest. */
START_TEST(orphaned) {
        Scene s = scene_new(1);
        pid_t pid = process_spawn_worker(harness_worker(), PROCESS_ARGS("worker", "x"), "orphan",
                                         s.files[0], NULL);
        struct json_object *record, *ancestry, *last;

        ck_assert_int_eq(process_wait(pid, 20), 0);
        for (int i = 0; i < 200 && access(s.files[0], F_OK) == 0; i++)
                harness_sleep(0.01);
        record = scene_only_record(&s);
        scene_assert_string(&s, 0, "process.executable", harness_worker());
        ancestry = record_get(record, "whodunlink.ancestry");
        ck_assert(ancestry && json_object_array_length(ancestry) > 0);
        last = json_object_array_get_idx(ancestry, json_object_array_length(ancestry) - 1);
        ck_assert_int_eq(record_number(last, "pid"), 1);
}
END_TEST

/* Runs rm with these users; the real one differs from the effective one as under sudo or setuid. */
static void rm_as(Scene *s, uid_t real, uid_t effective) {
        pid_t pid = fork();

        if (pid == 0) {
                if (setresuid(real, effective, effective) < 0)
                        _exit(125);
                execlp("rm", "rm", "-f", s->files[0], (char *)NULL);
                _exit(127);
        }
        ck_assert_int_eq(process_wait(pid, 20), 0);
        scene_stop(s);
}

START_TEST(two_users) {
        Scene s = scene_new(1);

        rm_as(&s, NOBODY, 0);
        scene_assert_string(&s, 0, "process.user.id", "0");
        scene_assert_string(&s, 0, "process.user.name", "root");
        scene_assert_string(&s, 0, "user.id", "0");
        scene_assert_string(&s, 0, "process.real_user.id", "65534");
}
END_TEST

START_TEST(another_user) {
        Scene s = scene_new(1);

        rm_as(&s, NOBODY, NOBODY);
        scene_assert_string(&s, 0, "process.user.id", "65534");
        scene_assert_string(&s, 0, "process.real_user.id", "65534");
        scene_assert_string(&s, 0, "process.group.id", "0");
        ck_assert(!record_get(s.records[0], "user.audit") ||
                  record_get(s.records[0], "user.audit.id"));
}
END_TEST

/* A process that changes its user after its exec: the user is the one of the deletion. */
START_TEST(user_changed_after_exec) {
        Scene s = scene_new(1);
        pid_t pid = fork();

        if (pid == 0) {
                if (setresuid(NOBODY, NOBODY, NOBODY) < 0)
                        _exit(125);
                _exit(unlink(s.files[0]) < 0);
        }
        ck_assert_int_eq(process_wait(pid, 20), 0);
        scene_stop(&s);
        scene_assert_string(&s, 0, "process.user.id", "65534");
}
END_TEST

START_TEST(working_directory_and_relative_arguments) {
        Scene s = scene_new(1);

        ck_assert_int_eq(chdir(s.fs.path), 0);
        process_run(PROCESS_ARGS("rm", "file-00"));
        scene_stop(&s);
        scene_assert_string(&s, 0, "process.working_directory", s.fs.path);
        scene_assert_string(&s, 0, "process.command_line", "rm file-00");
}
END_TEST

/*
 * The kernel tells nobody of a chdir(2): a directory that was read at the exec, of the process or
 * of the parent it was forked from, may not be told as the one of the deletion.
 */
START_TEST(working_directory_after_chdir) {
        bool is_alive = _i == 0; /* at the time its event is read */
        Scene s = scene_new(1);
        struct json_object *record;
        const char *said;
        pid_t pid = fork();

        if (pid == 0) {
                if (chdir(s.fs.path) < 0 || unlink("file-00") < 0)
                        _exit(EXIT_FAILURE);
                if (is_alive)
                        harness_sleep(0.5);
                _exit(EXIT_SUCCESS);
        }
        ck_assert_int_eq(process_wait(pid, 20), 0);
        record = scene_only_record(&s);
        said = record_string(record, "process.working_directory");
        harness_assert(!said || strcmp(said, s.fs.path) == 0, "working directory is %s, said %s",
                       s.fs.path, said);
}
END_TEST

/* A mount namespace of its own, a chroot, a pid namespace: still our path and our pid. */
START_TEST(another_mount_namespace_and_chroot) {
        Scene s = scene_new(1);
        struct json_object *record;
        pid_t pid = fork();

        if (pid == 0) {
                if (unshare(CLONE_NEWNS) < 0 || chroot(s.fs.path) < 0 || chdir("/") < 0)
                        _exit(125);
                _exit(unlink("/file-00") < 0);
        }
        ck_assert_int_eq(process_wait(pid, 20), 0);
        record = scene_only_record(&s);
        ck_assert_int_eq(record_number(record, "process.pid"), pid);
}
END_TEST

/* What the first process of a namespace calls its children: a sanitizer's thread may have a number
 * too. */
static struct { pid_t rm, worker; } * inside;

/* The first process of a pid namespace: starts another one, one that forks, and is one itself. */
static void begin_namespace(void *scene) {
        const Scene *s = scene;
        pid_t rm = process_spawn(PROCESS_ARGS("rm", s->files[0]));
        pid_t worker = process_spawn_worker(harness_worker(), PROCESS_ARGS("worker"), "fork",
                                            s->files[1], NULL);

        inside->rm = rm;
        inside->worker = worker;
        if (process_wait(rm, 20) != 0 || process_wait(worker, 20) != 0)
                _exit(EXIT_FAILURE);
        execlp("rm", "rm", s->files[2], (char *)NULL);
        _exit(127);
}

static void make_namespace(void *scene) {
        const Scene *s = scene;

        if (unshare(CLONE_NEWPID) < 0)
                _exit(125);
        if (process_wait(process_fork(begin_namespace, scene), 30) != 0)
                _exit(EXIT_FAILURE);
        harness_unlink(s->files[3]); /* it is not in the namespace itself */
}

START_TEST(another_pid_namespace) {
        Scene s = scene_new(4);
        int64_t vpid;
        pid_t pid;

        inside = process_shared_alloc(sizeof(*inside));
        pid = process_fork(make_namespace, &s);

        ck_assert_int_eq(process_wait(pid, 40), 0);
        scene_stop(&s);
        scene_assert_string(&s, 0, "process.name", "rm");
        scene_assert_string(&s, 2, "process.name", "rm");
        ck_assert_int_eq(record_number(s.records[0], "process.vpid"), inside->rm);
        ck_assert_int_eq(record_number(s.records[2], "process.vpid"), 1);
        ck_assert_int_eq(record_number(s.records[0], "process.parent.pid"),
                         record_number(s.records[2], "process.pid"));
        ck_assert_int_gt(record_number(s.records[2], "process.pid"), 1);
        ck_assert_int_eq(record_number(s.records[2], "process.parent.pid"), pid);
        /* What the child of the worker has of its parent is not its number. */
        vpid = record_number(s.records[1], "process.vpid");
        harness_assert(vpid < 0 || vpid > inside->worker, "vpid is after %d, said %lld",
                       inside->worker, (long long)vpid);
        ck_assert_int_eq(record_number(s.records[3], "process.pid"), pid);
        ck_assert(!record_get(s.records[3], "process.vpid"));
}
END_TEST

static void *unlink_thread(void *file) {
        return unlink(file) == 0 ? file : NULL;
}

/* A thread: the process is named, not the thread. */
START_TEST(a_thread) {
        Scene s = scene_new(1);
        pthread_t thread;
        void *result;

        ck_assert_int_eq(pthread_create(&thread, NULL, unlink_thread, s.files[0]), 0);
        ck_assert_int_eq(pthread_join(thread, &result), 0);
        ck_assert(result);
        ck_assert_int_eq(record_number(scene_only_record(&s), "process.pid"), getpid());
}
END_TEST

/* One identity for one process, however many files; another for the next, even of its pid. */
START_TEST(entity_ids) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        _cleanup_reader_ RecordReader r = {0};
        char ids[4][256];

        for (int i = 0; i < 4; i++) {
                char *file = harness_format("%s/file-%d", fs.path, i);

                harness_touch(file);
                if (i < 2)
                        harness_unlink(file); /* twice this process */
                else
                        process_run(PROCESS_ARGS("rm", file));
        }
        monitor_stop(&m);
        r = record_reader_new(m.output_path);
        for (int i = 0; i < 4; i++) {
                const char *id = record_string(record_next_deletion(&r), "process.entity_id");

                ck_assert(id);
                snprintf(ids[i], sizeof(ids[i]), "%s", id);
        }
        ck_assert_str_eq(ids[0], ids[1]);
        ck_assert_str_ne(ids[1], ids[2]);
        ck_assert_str_ne(ids[2], ids[3]);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, forked_without_exec);
        tcase_add_test(tcase, orphaned);
        tcase_add_test(tcase, two_users);
        tcase_add_test(tcase, another_user);
        tcase_add_test(tcase, user_changed_after_exec);
        tcase_add_test(tcase, working_directory_and_relative_arguments);
        tcase_add_loop_test(tcase, working_directory_after_chdir, 0, 2);
        tcase_add_test(tcase, another_mount_namespace_and_chroot);
        tcase_add_test(tcase, another_pid_namespace);
        tcase_add_test(tcase, a_thread);
        tcase_add_test(tcase, entity_ids);
}

int main(void) {
        return harness_main("identity", add_tests);
}
