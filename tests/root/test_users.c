/* SPDX-License-Identifier: MIT */

/*
 * Which user a process acts for: as setuid(2) and its kin change it between deletions, of a
 * set-user-id program, and the login behind it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"
#include "scene.h"

#define NOBODY 65534
/* Users that nobody has a name for. */
#define ALICE 61234
#define BOB 62345

typedef struct Users {
        const char *effective, *real, *group;
} Users;

static void assert_users(const Scene *s, size_t i, Users u) {
        scene_assert_string(s, i, "process.user.id", u.effective);
        scene_assert_string(s, i, "user.id", u.effective);
        scene_assert_string(s, i, "process.real_user.id", u.real);
        scene_assert_string(s, i, "process.group.id", u.group);
}

static void check(int r) {
        if (r < 0)
                _exit(125);
}

static void change_users(void *scene) {
        const Scene *s = scene;

        scene_delete(s, 0);
        check(setresuid((uid_t)-1, ALICE, (uid_t)-1));
        scene_delete(s, 1);
        check(seteuid(0));
        check(setresuid(ALICE, BOB, 0));
        scene_delete(s, 2);
        check(seteuid(0));
        check(setresgid(NOBODY, BOB, BOB));
        scene_delete(s, 3);
        check(setresuid(BOB, ALICE, ALICE));
        harness_unlink(s->files[4]); /* and is gone */
}

/* Of two users it is the effective one that deletes; each record has those of its own time. */
START_TEST(users_change) {
        static const Users users[] = {{"0", "0", "0"},
                                      {"61234", "0", "0"},
                                      {"62345", "61234", "0"},
                                      {"0", "61234", "62345"},
                                      {"61234", "62345", "62345"}};
        Scene s = scene_new(5);

        ck_assert_int_eq(process_wait(process_fork(change_users, &s), 20), 0);
        scene_stop(&s);
        for (size_t i = 0; i < s.n_files; i++)
                assert_users(&s, i, users[i]);
}
END_TEST

typedef struct Caller {
        const char *program, *script, *file;
} Caller;

static void call(void *caller) {
        const Caller *c = caller;

        check(setresgid(BOB, BOB, BOB));
        check(setresuid(BOB, BOB, BOB));
        if (c->script)
                execl(c->program, c->program, "-p", "-c", c->script, c->file, (char *)NULL);
        else
                execl(c->program, c->program, c->file, (char *)NULL);
        _exit(127);
}

/* Copies a program and gives it bits and an owner. */
static char *copy_with_bits(const char *name, mode_t mode) {
        _cleanup_free_ char *program = process_find_program(name);
        char *copy = harness_path("%s-with-bits", name);

        process_run(PROCESS_ARGS("cp", program, copy));
        ck_assert_int_eq(chown(copy, ALICE, NOBODY), 0);
        ck_assert_int_eq(chmod(copy, mode), 0);
        return copy;
}

START_TEST(a_set_user_id_program) {
        Scene s = scene_new(1);
        Caller c = {.program = copy_with_bits("rm", 06755), .file = s.files[0]};
        Process p = {.ppid = getpid(), .name = "rm-with-bits", .executable = c.program};

        p.pid = process_fork(call, &c);
        ck_assert_int_eq(process_wait(p.pid, 20), 0);
        scene_stop(&s);
        scene_assert_process(&s, 0, &p);
        assert_users(&s, 0, (Users){"61234", "62345", "65534"});
}
END_TEST

/* As sudo starts others; what a child of it does is done as the same users. */
START_TEST(a_child_of_a_set_user_id_program) {
        Scene s = scene_new(1);
        Caller c = {.program = copy_with_bits("sh", 04755),
                    .script = "rm \"$0\"; exit $?",
                    .file = s.files[0]};

        ck_assert_int_eq(process_wait(process_fork(call, &c), 20), 0);
        scene_stop(&s);
        scene_assert_string(&s, 0, "process.name", "rm");
        assert_users(&s, 0, (Users){"61234", "62345", "62345"});
        scene_assert_string(&s, 0, "process.parent.user.id", "61234");
        scene_assert_string(&s, 0, "process.parent.real_user.id", "62345");
}
END_TEST

/* Return: 0, negative errno where the kernel does not let it be set (again). */
static int set_login(uid_t uid) {
        _cleanup_close_ int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

        if (fd < 0 || dprintf(fd, "%u", uid) < 0)
                return -errno;
        return 0;
}

#define CANNOT_SET_LOGIN 77

static void log_in(void *scene) {
        const Scene *s = scene;

        scene_delete(s, 0);
        if (set_login(ALICE) < 0)
                _exit(CANNOT_SET_LOGIN);
        scene_delete(s, 1);
        process_run(PROCESS_ARGS("rm", s->files[2]));
        if (vfork() == 0)
                _exit(unlink(s->files[3]) < 0);
        check(setresuid(BOB, BOB, BOB));
        execlp("rm", "rm", "-f", s->files[4], (char *)NULL);
        _exit(127);
}

/* No event tells of a login; whoever starts a program afterwards has it. */
START_TEST(a_login) {
        Scene s = scene_new(5);
        _cleanup_free_ char *mine = harness_read_file("/proc/self/loginuid", NULL);
        const char *before = strcmp(mine, "4294967295") == 0 ? NULL : mine;
        int status = process_wait(process_fork(log_in, &s), 20);

        if (status == CANNOT_SET_LOGIN)
                harness_skip("this kernel does not let a process set its login user");
        ck_assert_int_eq(status, 0);
        scene_stop(&s);
        scene_assert_string(&s, 0, "user.audit.id", before);
        for (size_t i = 1; i < s.n_files; i++)
                scene_assert_string(&s, i, "user.audit.id", "61234");
        scene_assert_string(&s, 4, "process.user.id", "62345");
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, users_change);
        tcase_add_test(tcase, a_set_user_id_program);
        tcase_add_test(tcase, a_child_of_a_set_user_id_program);
        tcase_add_test(tcase, a_login);
}

int main(void) {
        return harness_main("users", add_tests);
}
