/* SPDX-License-Identifier: MIT */

/* What is read below /proc/PID: from a tree of our own, and of this process itself. */

#include "identify/proc_snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define STAT "42 (a b) c) S 7 42 9 1025 42 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 0 0\n"
#define STATUS "Name:\ta\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"

static const char *const files[] = {"cmdline",   "stat",   "status", "loginuid",
                                    "sessionid", "cgroup", "exe",    "cwd"};

static char root[] = "/tmp/unit_proc_snapshot.XXXXXX";
static int proc_fd = -1;
static ProcessFacts *facts;

static const char *path_of(const char *name) {
        static char path[sizeof(root) + 64];

        snprintf(path, sizeof(path), "%s/42/%s", root, name);
        return path;
}

static void put(const char *name, const char *bytes, size_t n_bytes) {
        int fd;

        unlink(path_of(name));
        fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, bytes, n_bytes), (ssize_t)n_bytes);
        close(fd);
}

static void put_text(const char *name, const char *text) {
        put(name, text, strlen(text));
}

static void put_link(const char *name, const char *target) {
        unlink(path_of(name));
        ck_assert_int_eq(symlink(target, path_of(name)), 0);
}

static void setup(void) {
        strcpy(root + sizeof(root) - 7, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
        proc_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(proc_fd, 0);
        ck_assert_int_eq(mkdirat(proc_fd, "42", 0700), 0);
        put("cmdline", "rm\0-rf\0/x", 10);
        put_text("stat", STAT);
        put_text("status", STATUS);
        put_text("loginuid", "1000");
        put_text("sessionid", "4294967295\n");
        put_text("cgroup", "0::/a.slice/b.service\n");
        put_link("exe", "/usr/bin/rm");
        put_link("cwd", "/tmp/a b");
}

static void teardown(void) {
        facts = process_facts_unref(facts);
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                unlink(path_of(files[i]));
        unlinkat(proc_fd, "42", AT_REMOVEDIR);
        close(proc_fd);
        rmdir(root);
}

static int read_again(ProcSnapshotIds how, const ProcIds *ids) {
        facts = process_facts_unref(facts);
        return proc_snapshot_read(proc_fd, 42, how, ids, &facts);
}

static void read_all(void) {
        ck_assert_int_eq(read_again(PROC_SNAPSHOT_IDS_READ, NULL), 0);
}

START_TEST(test_all) {
        read_all();
        ck_assert_str_eq(facts->comm, "a b) c");
        ck_assert_int_eq(facts->ppid, 7);
        ck_assert_int_eq(facts->session, 9);
        ck_assert_int_eq(facts->tty, 1025);
        ck_assert_uint_eq(facts->start_ticks, 123456);
        ck_assert(facts->has_login_uid);
        ck_assert_uint_eq(facts->login_uid, 1000);
        ck_assert_uint_eq(facts->session_id, PROCESS_ID_UNSET);
        ck_assert(facts->has_ids);
        ck_assert_uint_eq(facts->ids.real_uid, 1);
        ck_assert_uint_eq(facts->ids.effective_uid, 2);
        ck_assert_uint_eq(facts->ids.real_gid, 5);
        ck_assert_uint_eq(facts->ids.effective_gid, 6);
        ck_assert_str_eq(facts->executable, "/usr/bin/rm");
        ck_assert_str_eq(facts->working_directory, "/tmp/a b");
        ck_assert_str_eq(facts->cgroup, "/a.slice/b.service");
        ck_assert_uint_eq(facts->n_args_bytes, 10);
        ck_assert_mem_eq(facts->args, "rm\0-rf\0/x", 10);
        ck_assert(!facts->is_args_cut && !facts->is_executable_deleted);
}
END_TEST

/* Ids that are given are not read. */
START_TEST(test_ids_given) {
        const ProcIds ids = {11, 12, 13, 14};

        ck_assert_int_eq(read_again(PROC_SNAPSHOT_IDS_GIVEN, &ids), 0);
        ck_assert(facts->has_ids);
        ck_assert_mem_eq(&facts->ids, &ids, sizeof(ids));
}
END_TEST

/* That nobody logged in is something known. */
START_TEST(test_login_unset) {
        put_text("loginuid", "4294967295");
        read_all();
        ck_assert(facts->has_login_uid);
        ck_assert_uint_eq(facts->login_uid, PROCESS_ID_UNSET);
}
END_TEST

/* Each file that is gone, empty or odd leaves its own fact unknown and no other. */
START_TEST(test_partial) {
        const char *name = files[_i / 3];
        const bool is_stat = strcmp(name, "stat") == 0;
        const bool is_link = strcmp(name, "exe") == 0 || strcmp(name, "cwd") == 0;

        unlink(path_of(name));
        if (_i % 3 == 1)
                put_text(name, "");
        if (_i % 3 == 2 && !is_link && strcmp(name, "cmdline") != 0)
                put_text(name, "odd");
        if (is_stat) {
                ck_assert_int_eq(read_again(PROC_SNAPSHOT_IDS_READ, NULL), -ESRCH);
                return;
        }
        read_all();
        ck_assert_int_eq(facts->args != NULL, strcmp(name, "cmdline") != 0);
        ck_assert_int_eq(facts->executable != NULL, strcmp(name, "exe") != 0);
        ck_assert_int_eq(facts->working_directory != NULL, strcmp(name, "cwd") != 0);
        ck_assert_int_eq(facts->cgroup != NULL, strcmp(name, "cgroup") != 0);
        ck_assert_int_eq(facts->has_ids, strcmp(name, "status") != 0);
        ck_assert_uint_eq(facts->login_uid,
                          strcmp(name, "loginuid") == 0 ? PROCESS_ID_UNSET : 1000);
        ck_assert_int_eq(facts->has_login_uid, strcmp(name, "loginuid") != 0);
        ck_assert_uint_eq(facts->start_ticks, 123456);
}
END_TEST

START_TEST(test_no_process) {
        ProcessFacts *f = NULL;

        ck_assert_int_eq(proc_snapshot_read(proc_fd, 43, PROC_SNAPSHOT_IDS_READ, NULL, &f), -ESRCH);
        ck_assert_int_eq(proc_snapshot_read(-1, 42, PROC_SNAPSHOT_IDS_READ, NULL, &f), -EBADF);
        ck_assert_ptr_null(f);
}
END_TEST

/* Bytes over the bound. */
START_TEST(test_args_max) {
        static char args[2 * PROCESS_ARGS_MAX_BYTES];
        const size_t n = (size_t)(PROCESS_ARGS_MAX_BYTES + _i);

        memset(args, 'a', sizeof(args));
        args[2] = '\0';
        put("cmdline", args, n);
        read_all();
        ck_assert_int_eq(facts->is_args_cut, _i > 0);
        ck_assert_uint_eq(facts->n_args_bytes, _i > 0 ? PROCESS_ARGS_MAX_BYTES : n);
        ck_assert_mem_eq(facts->args, args, facts->n_args_bytes);
        ck_assert_int_eq(facts->args[facts->n_args_bytes], '\0');
}
END_TEST

typedef struct Link {
        const char *target, *executable;
        bool is_deleted;
} Link;

static const Link links[] = {
        {"/bin/x (deleted)", "/bin/x", true},
        {"/bin/x (deleted) (deleted)", "/bin/x (deleted)", true},
        {"/bin/x(deleted)", "/bin/x(deleted)", false},
        {"/bin/x (deleted) ", "/bin/x (deleted) ", false},
        {" (deleted)", " (deleted)", false},
        {"/\xff\n", "/\xff\n", false},
};

START_TEST(test_executable) {
        put_link("exe", links[_i].target);
        read_all();
        ck_assert_str_eq(facts->executable, links[_i].executable);
        ck_assert_int_eq(facts->is_executable_deleted, links[_i].is_deleted);
}
END_TEST

/* A path as long as links get. */
START_TEST(test_long_link) {
        static char target[PATH_MAX];

        memset(target, 'a', sizeof(target) - 1);
        target[0] = '/';
        put_link("cwd", target);
        read_all();
        ck_assert_str_eq(facts->working_directory, target);
}
END_TEST

START_TEST(test_refresh) {
        ProcessFacts *f = NULL;

        read_all();
        ck_assert_int_eq(proc_snapshot_refresh(proc_fd, 42, facts, &f), 0);
        ck_assert_ptr_null(f);
        put_link("cwd", "/tmp/a");
        ck_assert_int_eq(proc_snapshot_refresh(proc_fd, 42, facts, &f), 1);
        ck_assert_str_eq(f->working_directory, "/tmp/a");
        ck_assert_str_eq(facts->working_directory, "/tmp/a b");
        ck_assert_str_eq(f->executable, facts->executable);
        ck_assert_uint_eq(f->start_ticks, facts->start_ticks);
        process_facts_unref(f);
        f = NULL;
        unlink(path_of("cwd"));
        ck_assert_int_eq(proc_snapshot_refresh(proc_fd, 42, facts, &f), -ENOENT);
        ck_assert_int_eq(proc_snapshot_refresh(proc_fd, 43, facts, &f), -ENOENT);
        ck_assert_ptr_null(f);
        /* What was not known is a difference. */
        read_all();
        ck_assert_ptr_null(facts->working_directory);
        put_link("cwd", "/");
        ck_assert_int_eq(proc_snapshot_refresh(proc_fd, 42, facts, &f), 1);
        ck_assert_str_eq(f->working_directory, "/");
        process_facts_unref(f);
}
END_TEST

START_TEST(test_self) {
        char cwd[PATH_MAX], exe[PATH_MAX] = "";
        int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_eq(proc_snapshot_read(fd, getpid(), PROC_SNAPSHOT_IDS_READ, NULL, &facts), 0);
        ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
        ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof(exe) - 1), 0);
        ck_assert_str_eq(facts->working_directory, cwd);
        ck_assert_str_eq(facts->executable, exe);
        ck_assert_int_eq(facts->ppid, getppid());
        ck_assert_uint_eq(facts->ids.real_uid, getuid());
        ck_assert_uint_eq(facts->ids.effective_gid, getegid());
        ck_assert_uint_gt(facts->start_ticks, 0);
        ck_assert_uint_gt(facts->n_args_bytes, 0);
        close(fd);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("proc_snapshot");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_all);
        tcase_add_test(tcase, test_ids_given);
        tcase_add_test(tcase, test_login_unset);
        tcase_add_loop_test(tcase, test_partial, 0, 3 * sizeof(files) / sizeof(files[0]));
        tcase_add_test(tcase, test_no_process);
        tcase_add_loop_test(tcase, test_args_max, -1, 3);
        tcase_add_loop_test(tcase, test_executable, 0, sizeof(links) / sizeof(links[0]));
        tcase_add_test(tcase, test_long_link);
        tcase_add_test(tcase, test_refresh);
        tcase_add_test(tcase, test_self);
        return unit_run("proc_snapshot", tcase);
}
