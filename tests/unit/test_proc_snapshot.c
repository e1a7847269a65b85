/* SPDX-License-Identifier: MIT */

/* What is read below /proc/PID: from a tree of our own, and of this process itself. */

#include "identify/proc_snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define STAT "42 (a b) c) S 7 42 9 1025 42 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 0 0\n"
#define ID_A "0123456789abcdef0123456789abcdef"
#define ID_B "abcdef0123456789abcdef0123456789"
#define STATUS "Name:\ta\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"

static const char *const files[] = {"cmdline",   "stat",   "status", "loginuid",
                                    "sessionid", "cgroup", "exe",    "cwd"};

static char root[] = "/tmp/unit_proc_snapshot.XXXXXX";
static int proc_fd = -1;
static ProcSource source;
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
        ck_assert_int_eq(mkdirat(proc_fd, "self", 0700), 0);
        ck_assert_int_eq(mkdirat(proc_fd, "self/ns", 0700), 0);
        ck_assert_int_eq(mkdirat(proc_fd, "42/ns", 0700), 0);
        ck_assert_int_eq(symlinkat("pid:[1]", proc_fd, "self/ns/pid"), 0);
        proc_source_init(&source, proc_fd, proc_fd);
        put_link("ns/pid", "pid:[1]");
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
        char command[64];

        facts = process_facts_unref(facts);
        close(proc_fd);
        snprintf(command, sizeof(command), "rm -r %s", root);
        ck_assert_int_eq(system(command), 0);
}

static int read_again(ProcSnapshotHow how) {
        facts = process_facts_unref(facts);
        return proc_snapshot_read(&source, 42, how, &facts);
}

static void read_all(void) {
        ck_assert_int_eq(read_again(PROC_SNAPSHOT_ALL), 0);
}

static void read_and_complete(const ProcessFacts *before) {
        ck_assert_int_eq(read_again(PROC_SNAPSHOT_AT_EXEC), 0);
        ck_assert_int_eq(proc_snapshot_complete(&source, 42, before, &facts), 0);
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

/* At an exec users are left for later, when it is known whether they must be read. */
START_TEST(test_users) {
        const ProcessFacts before = {.has_ids = true, .ids = {11, 12, 13, 14}};

        ck_assert_int_eq(read_again(PROC_SNAPSHOT_AT_EXEC), 0);
        ck_assert(!facts->has_ids);
        read_and_complete(&before);
        ck_assert(facts->has_ids);
        ck_assert_mem_eq(&facts->ids, &before.ids, sizeof(before.ids));
        ck_assert_mem_eq(facts->args, "rm\0-rf\0/x", 10);
        read_and_complete(NULL);
        ck_assert(facts->has_ids);
        ck_assert_uint_eq(facts->ids.effective_uid, 2);
        /* By then the pid may be another's. */
        ck_assert_int_eq(read_again(PROC_SNAPSHOT_AT_EXEC), 0);
        put_text("stat", "42 (b) S 7 42 9 1025 42 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123457 0 0\n");
        ck_assert_int_eq(proc_snapshot_complete(&source, 42, NULL, &facts), 0);
        ck_assert(!facts->has_ids);
}
END_TEST

/* The invocation is asked for when the group is another one than before. */
START_TEST(test_invocation) {
        ProcessFacts before = {.cgroup = "/a.slice/b.service", .invocation_id = ID_B};

        ck_assert_int_eq(mkdirat(proc_fd, "run", 0700), 0);
        ck_assert_int_eq(mkdirat(proc_fd, "run/systemd", 0700), 0);
        ck_assert_int_eq(mkdirat(proc_fd, "run/systemd/units", 0700), 0);
        ck_assert_int_eq(symlinkat(ID_A, proc_fd, "run/systemd/units/invocation:b.service"), 0);
        read_all();
        ck_assert_str_eq(facts->invocation_id, ID_A);
        read_and_complete(NULL);
        ck_assert_str_eq(facts->invocation_id, ID_A);
        read_and_complete(&before);
        ck_assert_str_eq(facts->invocation_id, ID_B);
        before.cgroup = "/a.slice";
        read_and_complete(&before);
        ck_assert_str_eq(facts->invocation_id, ID_A);
        put_text("cgroup", "0::/a.slice/c.service\n");
        read_and_complete(&before);
        ck_assert_str_eq(facts->invocation_id, "");
        source.root_fd = -1;
        put_text("cgroup", "0::/a.slice/b.service\n");
        read_all();
        ck_assert_str_eq(facts->invocation_id, "");
}
END_TEST

/* Which namespace, and the number there; what cannot be read is as it was. */
START_TEST(test_pid_namespace) {
        const ProcessFacts before = {.has_ids = true, .is_in_pid_namespace = true};

        read_all();
        ck_assert(!facts->is_in_pid_namespace && facts->vpid == 0);
        put_link("ns/pid", "pid:[12]");
        put_text("status", STATUS "NSpid:\t42\t7\t3\n");
        read_all();
        ck_assert(facts->is_in_pid_namespace);
        ck_assert_int_eq(facts->vpid, 3);
        ck_assert_int_eq(read_again(PROC_SNAPSHOT_AT_EXEC), 0);
        ck_assert_int_eq(facts->vpid, 3);
        unlink(path_of("ns/pid"));
        read_and_complete(NULL);
        ck_assert(!facts->is_in_pid_namespace);
        read_and_complete(&before);
        ck_assert(facts->is_in_pid_namespace);
        put_link("ns/pid", "pid:[12]");
        put_text("status", STATUS);
        read_all();
        ck_assert_int_eq(facts->vpid, 0);
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
                ck_assert_int_eq(read_again(PROC_SNAPSHOT_ALL), -ESRCH);
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

        ck_assert_int_eq(proc_snapshot_read(&source, 43, PROC_SNAPSHOT_ALL, &f), -ESRCH);
        proc_source_init(&source, -1, -1);
        ck_assert_str_eq(source.pid_namespace, "");
        ck_assert_int_eq(proc_snapshot_read(&source, 42, PROC_SNAPSHOT_ALL, &f), -EBADF);
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

/* None of these is there. */
START_TEST(test_removed_directory) {
        put_link("cwd", links[_i].target);
        read_all();
        ck_assert_str_eq(facts->working_directory, links[_i].executable);
}
END_TEST

START_TEST(test_directory_of_such_a_name) {
        char path[sizeof(root) + 64];

        snprintf(path, sizeof(path), "%s/42/x (deleted)", root);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        put_link("cwd", path);
        read_all();
        ck_assert_str_eq(facts->working_directory, path);
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

static int refresh(unsigned what, ProcessFacts **ret) {
        return proc_snapshot_refresh(&source, 42, what, facts, ret);
}

/* Whoever is about to end is shown in the root's group, and in no session when it is reaped. */
START_TEST(test_exiting) {
        static const char exiting[] =
                "42 (a b) c) R 7 42 9 1025 42 4 1 2 3 4 5 6 7 8 20 0 1 0 123456 0 0\n";
        static const char reaped[] =
                "42 (a b) c) X 0 -1 -1 0 -1 4228108 1 2 3 4 5 6 7 8 20 0 1 0 123456 0 0\n";
        ProcessFacts before = {.cgroup = "/a.slice/c.service", .session = 8, .tty = 1026};
        ProcessFacts *f = NULL;

        put_text("cgroup", "1:name=systemd:/\n");
        read_and_complete(&before);
        ck_assert_str_eq(facts->cgroup, "/");
        put_text("stat", exiting);
        read_all();
        ck_assert_ptr_null(facts->cgroup);
        read_and_complete(&before);
        ck_assert_str_eq(facts->cgroup, "/a.slice/c.service");
        ck_assert_int_eq(facts->session, 9);
        /* Nothing stays where a manager has forked it. */
        before.cgroup = "/user.slice/user-7.slice/user@7.service/init.scope";
        read_and_complete(&before);
        ck_assert_ptr_null(facts->cgroup);
        put_text("cgroup", "0::/a.slice/b.service\n");
        read_and_complete(&before);
        ck_assert_str_eq(facts->cgroup, "/a.slice/b.service");

        put_text("cgroup", "1:name=systemd:/\n");
        ck_assert_int_eq(refresh(0, &f), 0);
        put_text("stat", STAT);
        ck_assert_int_eq(refresh(0, &f), 1);
        ck_assert_str_eq(f->cgroup, "/");
        process_facts_unref(f);

        put_text("stat", reaped);
        read_and_complete(&before);
        ck_assert_int_eq(facts->session, 8);
        ck_assert_int_eq(facts->tty, 1026);
}
END_TEST

START_TEST(test_refresh_directory) {
        ProcessFacts *f = NULL;

        read_all();
        put_text("cmdline", "title");
        put_link("ns/pid", "pid:[7]");
        ck_assert_int_eq(refresh(0, &f), 0);
        ck_assert_ptr_null(f);
        put_link("cwd", "/tmp/a");
        ck_assert_int_eq(refresh(0, &f), 1);
        ck_assert_str_eq(f->working_directory, "/tmp/a");
        ck_assert_str_eq(facts->working_directory, "/tmp/a b");
        ck_assert_str_eq(f->executable, facts->executable);
        ck_assert_str_eq(f->cgroup, "/a.slice/b.service");
        ck_assert_uint_eq(f->start_ticks, facts->start_ticks);
        process_facts_unref(f);
        f = NULL;
        unlink(path_of("cwd"));
        ck_assert_int_eq(refresh(0, &f), -ENOENT);
        ck_assert_int_eq(proc_snapshot_refresh(&source, 43, 0, facts, &f), -ESRCH);
        ck_assert_ptr_null(f);
        /* What was not known is a difference. */
        read_all();
        ck_assert_ptr_null(facts->working_directory);
        put_link("cwd", "/");
        ck_assert_int_eq(refresh(0, &f), 1);
        ck_assert_str_eq(f->working_directory, "/");
        process_facts_unref(f);
}
END_TEST

static void expect_refreshed(ProcessFacts **f, unsigned what) {
        *f = process_facts_unref(*f);
        ck_assert_int_eq(refresh(what, f), 1);
}

/* Its program is deleted, then another one is there that nobody told of. */
START_TEST(test_refresh_of_program) {
        _cleanup_process_facts_ ProcessFacts *f = NULL;
        char path[sizeof(root) + 64], gone[sizeof(path) + 64];

        put_text("program", "");
        snprintf(path, sizeof(path), "%s/42/program", root);
        snprintf(gone, sizeof(gone), "%s (deleted)", path);
        put_link("exe", path);
        read_all();
        ck_assert(!facts->is_executable_deleted);
        ck_assert_int_eq(refresh(PROC_SNAPSHOT_REFRESH_LATE, &f), 0);
        /* The same file, which no root directory has. */
        ck_assert_int_eq(rename(path, gone), 0);
        put_link("exe", gone);
        ck_assert_int_eq(refresh(0, &f), 0);
        expect_refreshed(&f, PROC_SNAPSHOT_REFRESH_LATE);
        ck_assert(f->is_executable_deleted);
        ck_assert_str_eq(f->executable, path);
        f = process_facts_unref(f);
        put_link("exe", "/proc/self/exe");
        ck_assert_int_eq(refresh(PROC_SNAPSHOT_REFRESH_LATE, &f), 0);
        unlink(path_of("exe"));
        ck_assert_int_eq(refresh(PROC_SNAPSHOT_REFRESH_LATE, &f), 0);
}
END_TEST

/* Where a process is put by others, and for whom it works. */
START_TEST(test_refresh_of_behalf) {
        _cleanup_process_facts_ ProcessFacts *f = NULL;

        read_all();
        ck_assert_int_eq(refresh(0, &f), 0);
        put_text("cgroup", "0::/other.slice\n");
        expect_refreshed(&f, 0);
        ck_assert_str_eq(f->cgroup, "/other.slice");
        put_text("cgroup", "0::/a.slice/b.service\n");
        put_text("loginuid", "1001");
        put_text("sessionid", "8");
        expect_refreshed(&f, 0);
        ck_assert_uint_eq(f->login_uid, 1001);
        ck_assert_uint_eq(f->session_id, 8);
        ck_assert(f->has_login_uid);
        unlink(path_of("loginuid"));
        f = process_facts_unref(f);
        ck_assert_int_eq(refresh(0, &f), 0);
}
END_TEST

/* Users are followed by events, which are newer. */
START_TEST(test_refresh_of_namespace) {
        _cleanup_process_facts_ ProcessFacts *f = NULL;

        read_all();
        put_link("ns/pid", "pid:[7]");
        put_text("status", "Uid:\t9\t9\t9\t9\nGid:\t9\t9\t9\t9\nNSpid:\t42\t9\n");
        ck_assert_int_eq(refresh(PROC_SNAPSHOT_REFRESH_LATE, &f), 0);
        expect_refreshed(&f, PROC_SNAPSHOT_REFRESH_NAMESPACE);
        ck_assert(f->is_in_pid_namespace);
        ck_assert_int_eq(f->vpid, 9);
        ck_assert_uint_eq(f->ids.effective_uid, 2);
}
END_TEST

typedef struct Title {
        const char *bytes;
        size_t n_bytes;
        const char *title;
} Title;

static const Title titles[] = {
        {"rm\0-rf\0/x", 10, NULL},
        {"rm\0-rf\0/x\0\0 \0", 14, NULL},
        {"rm\0-rf", 6, NULL},
        {"", 0, NULL},
        {"\0\0\0", 3, NULL},
        {"sshd: user@pts/0\0\0\0", 19, "sshd: user@pts/0"},
        {"rm\0-rf\0/xy", 11, "rm -rf /xy"},
        {"\xff\n", 2, "\xff\n"},
};

START_TEST(test_title) {
        const Title *t = &titles[_i];
        _cleanup_process_facts_ ProcessFacts *f = NULL;

        read_all();
        put("cmdline", t->bytes, t->n_bytes);
        ck_assert_int_eq(refresh(PROC_SNAPSHOT_REFRESH_LATE, &f), t->title != NULL);
        if (!t->title)
                return;
        ck_assert_str_eq(f->title, t->title);
        ck_assert_mem_eq(f->args, "rm\0-rf\0/x", 10);
        /* … and back again. */
        process_facts_unref(facts);
        facts = process_facts_ref(f);
        put("cmdline", "rm\0-rf\0/x", 10);
        expect_refreshed(&f, PROC_SNAPSHOT_REFRESH_LATE);
        ck_assert_ptr_null(f->title);
}
END_TEST

START_TEST(test_self) {
        char cwd[PATH_MAX], exe[PATH_MAX] = "";
        struct stat st;
        int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        proc_source_init(&source, fd, -1);
        ck_assert_int_eq(proc_snapshot_read(&source, getpid(), PROC_SNAPSHOT_ALL, &facts), 0);
        ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
        ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof(exe) - 1), 0);
        ck_assert_str_eq(facts->working_directory, cwd);
        ck_assert_str_eq(facts->executable, exe);
        ck_assert_int_eq(facts->ppid, getppid());
        ck_assert_uint_eq(facts->ids.real_uid, getuid());
        ck_assert_uint_eq(facts->ids.effective_gid, getegid());
        ck_assert_uint_gt(facts->start_ticks, 0);
        ck_assert_uint_gt(facts->n_args_bytes, 0);
        ck_assert(!facts->is_in_pid_namespace && !facts->is_executable_deleted);
        ck_assert_int_eq(stat(exe, &st), 0);
        ck_assert_uint_eq(facts->program.inode, st.st_ino);
        ck_assert_uint_eq(facts->program.device, st.st_dev);
        ck_assert_uint_gt(facts->program.mount_id, 0);
        close(fd);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("proc_snapshot");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_all);
        tcase_add_test(tcase, test_login_unset);
        tcase_add_test(tcase, test_users);
        tcase_add_test(tcase, test_invocation);
        tcase_add_test(tcase, test_pid_namespace);
        tcase_add_loop_test(tcase, test_partial, 0, 3 * sizeof(files) / sizeof(files[0]));
        tcase_add_test(tcase, test_no_process);
        tcase_add_loop_test(tcase, test_args_max, -1, 3);
        tcase_add_loop_test(tcase, test_executable, 0, sizeof(links) / sizeof(links[0]));
        tcase_add_loop_test(tcase, test_removed_directory, 0, sizeof(links) / sizeof(links[0]));
        tcase_add_test(tcase, test_directory_of_such_a_name);
        tcase_add_test(tcase, test_long_link);
        tcase_add_test(tcase, test_exiting);
        tcase_add_test(tcase, test_refresh_directory);
        tcase_add_test(tcase, test_refresh_of_program);
        tcase_add_test(tcase, test_refresh_of_behalf);
        tcase_add_test(tcase, test_refresh_of_namespace);
        tcase_add_loop_test(tcase, test_title, 0, sizeof(titles) / sizeof(titles[0]));
        tcase_add_test(tcase, test_self);
        return unit_run("proc_snapshot", tcase);
}
