/* SPDX-License-Identifier: MIT */

/* From the files that one execve(2) opens to what its program is given. */

#include <string.h>

#include "identify/exec_chain.h"
#include "unit.h"

#define TID 4711
#define LOADER "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"

static ExecChain *chain;
static HeldExec exec;
static ExecView view;
static ExecImage image;

static void setup(void) {
        ck_assert_int_eq(exec_chain_new(&chain), 0);
        memset(&exec, 0x5a, sizeof(exec));
}

static void teardown(void) {
        chain = exec_chain_free(chain);
}

/* A thread is about to call execve(filename, args). */
#define CALL(tid, filename, args) call((tid), (filename), (args), sizeof(args) - 1)
static void call(pid_t tid, const char *filename, const char *args, size_t n_args_bytes) {
        view = (ExecView){
                .tid = tid,
                .call = {.filename = 0x1000,
                         .argv = 0x2000,
                         .stack = 0x3000,
                         .n_pointer_bytes = 8,
                         .directory_fd = -1},
                .filename = filename,
                .n_filename = strlen(filename),
                .args = args,
                .n_args_bytes = n_args_bytes,
        };
}

/* It waits to open this file, which begins like that; NULL: that could not be read. */
static int sees(const char *path, const char *bytes) {
        view.path = path;
        view.n_path = strlen(path);
        view.image = NULL;
        if (bytes) {
                exec_image_parse(bytes, strlen(bytes), &image);
                view.image = &image;
        }
        return exec_chain_see(chain, &view, &exec);
}

static int sees_elf(const char *path) {
        view.path = path;
        view.n_path = strlen(path);
        image = (ExecImage){.kind = EXEC_IMAGE_NATIVE};
        view.image = &image;
        return exec_chain_see(chain, &view, &exec);
}

#define EXPECT(comm, executable, args) expect((comm), (executable), (args), sizeof(args) - 1)
static void expect(const char *comm, const char *executable, const char *args, size_t n_args) {
        ck_assert_str_eq(exec.comm, comm);
        ck_assert_uint_eq(exec.n_executable, executable ? strlen(executable) : 0);
        if (executable)
                ck_assert_mem_eq(exec.executable, executable, exec.n_executable);
        ck_assert_uint_eq(exec.n_args_bytes, n_args);
        ck_assert_mem_eq(exec.args, args, n_args);
}

START_TEST(test_program) {
        CALL(TID, "/bin/rm", "rm\0-f\0x\0");
        ck_assert_int_eq(sees_elf("/usr/bin/rm"), 1);
        EXPECT("rm", "/usr/bin/rm", "rm\0-f\0x\0");
        ck_assert(!exec.is_args_cut);
        ck_assert(!exec.is_executable_deleted);
        ck_assert_int_eq(exec.pid, 0x5a5a5a5a); /* the caller's */
        ck_assert_int_eq(sees_elf(LOADER), 0);
}
END_TEST

START_TEST(test_long_name_of_deleted) {
        CALL(TID, "./systemd-tmpfiles", "x\0");
        view.is_deleted = true;
        ck_assert_int_eq(sees_elf("/a/systemd-tmpfiles"), 1);
        EXPECT("systemd-tmpfile", "/a/systemd-tmpfiles", "x\0");
        ck_assert(exec.is_executable_deleted);
}
END_TEST

START_TEST(test_no_arguments) {
        CALL(TID, "/bin/rm", "");
        ck_assert_int_eq(sees_elf("/bin/rm"), 1);
        EXPECT("rm", "/bin/rm", "\0");
}
END_TEST

START_TEST(test_script) {
        CALL(TID, "./clean.sh", "clean\0a\0b\0");
        ck_assert_int_eq(sees("/srv/clean.sh", "#!/bin/sh -e\n"), 1);
        EXPECT("clean.sh", NULL, "/bin/sh\0-e\0./clean.sh\0a\0b\0");
        ck_assert_int_eq(sees_elf("/usr/bin/dash"), 1);
        EXPECT("clean.sh", "/usr/bin/dash", "/bin/sh\0-e\0./clean.sh\0a\0b\0");
        ck_assert_int_eq(sees_elf(LOADER), 0);
}
END_TEST

START_TEST(test_nested_scripts) {
        CALL(TID, "./outer", "outer\0x\0");
        ck_assert_int_eq(sees("/srv/outer", "#!./middle -m\n"), 1);
        ck_assert_int_eq(sees("/srv/middle", "#!./inner\n"), 1);
        EXPECT("outer", NULL, "./inner\0./middle\0-m\0./outer\0x\0");
        ck_assert_int_eq(sees("/srv/inner", "#!/bin/sh -i i\n"), 1);
        ck_assert_int_eq(sees_elf("/bin/sh"), 1);
        EXPECT("outer", "/bin/sh", "/bin/sh\0-i i\0./inner\0./middle\0-m\0./outer\0x\0");
}
END_TEST

/* execveat(2): by a descriptor, and relative to one. */
START_TEST(test_descriptor) {
        CALL(TID, "", "x\0y\0");
        view.call.has_directory = true;
        view.call.directory_fd = 7;
        ck_assert_int_eq(sees("/srv/script", "#!/bin/sh\n"), 1);
        EXPECT("", NULL, "/bin/sh\0/dev/fd/7\0y\0");
        CALL(TID, "sub/script", "x\0y\0");
        view.call.has_directory = true;
        view.call.directory_fd = 7;
        ck_assert_int_eq(sees("/srv/sub/script", "#!/bin/sh\n"), 1);
        EXPECT("script", NULL, "/bin/sh\0/dev/fd/7/sub/script\0y\0");
        CALL(TID, "/srv/script", "x\0y\0");
        view.call.has_directory = true;
        view.call.directory_fd = 7;
        ck_assert_int_eq(sees("/srv/script", "#!/bin/sh\n"), 1);
        EXPECT("script", NULL, "/bin/sh\0/srv/script\0y\0");
        CALL(TID, "script", "x\0y\0");
        view.call.has_directory = true;
        view.call.directory_fd = -100; /* AT_FDCWD */
        ck_assert_int_eq(sees("/srv/script", "#!/bin/sh\n"), 1);
        EXPECT("script", NULL, "/bin/sh\0script\0y\0");
}
END_TEST

/* The program lies where nothing is held: only its ld.so is seen. */
START_TEST(test_loader_of_unseen) {
        CALL(TID, "/mnt/prog", "prog\0x\0");
        ck_assert_int_eq(sees_elf(LOADER), 1);
        EXPECT("prog", NULL, "prog\0x\0");
        /* here it is the program */
        CALL(TID, "/lib64/ld-linux-x86-64.so.2", "ld.so\0/bin/true\0");
        ck_assert_int_eq(sees_elf(LOADER), 1);
        EXPECT("ld-linux-x86-64", LOADER, "ld.so\0/bin/true\0");
}
END_TEST

/* What binfmt_misc makes of the arguments is not known, but what runs is. */
START_TEST(test_other_handler) {
        CALL(TID, "./a.jar", "a.jar\0x\0");
        ck_assert_int_eq(sees("/srv/a.jar", "PK\003\004"), 1);
        ck_assert_int_eq(sees_elf("/usr/bin/jexec"), 1);
        EXPECT("a.jar", "/usr/bin/jexec", "");
        ck_assert_int_eq(sees_elf(LOADER), 0);
}
END_TEST

/* The disk was slow: what follows shows what it was. */
START_TEST(test_unread) {
        CALL(TID, "/bin/rm", "rm\0x\0");
        ck_assert_int_eq(sees("/bin/rm", NULL), 1);
        EXPECT("rm", "/bin/rm", "rm\0x\0");
        ck_assert_int_eq(sees_elf(LOADER), 0);
        CALL(TID, "./script", "script\0x\0");
        ck_assert_int_eq(sees("/srv/script", NULL), 1);
        ck_assert_int_eq(sees_elf("/bin/sh"), 1);
        EXPECT("script", "/bin/sh", "");
        ck_assert_int_eq(sees_elf(LOADER), 0);
}
END_TEST

/* A call that failed, made again just so, or with something else in the same place. */
START_TEST(test_failed_and_again) {
        CALL(TID, "./script", "script\0x\0");
        ck_assert_int_eq(sees("/srv/script", "#!/missing\n"), 1);
        ck_assert_int_eq(sees("/srv/script", "#!/missing\n"), 1);
        EXPECT("script", NULL, "/missing\0./script\0x\0");
        CALL(TID, "./another", "script\0x\0");
        ck_assert_int_eq(sees_elf("/srv/another"), 1);
        EXPECT("another", "/srv/another", "script\0x\0");
        CALL(TID, "./another", "script\0y\0");
        ck_assert_int_eq(sees_elf("/srv/third"), 1);
        EXPECT("another", "/srv/third", "script\0y\0");
}
END_TEST

START_TEST(test_others_between) {
        CALL(TID, "./script", "script\0x\0");
        ck_assert_int_eq(sees("/srv/script", "#!/bin/sh\n"), 1);
        for (pid_t tid = 1; tid < EXEC_CHAIN_MAX; tid++) {
                CALL(tid, "./script", "script\0x\0");
                ck_assert_int_eq(sees_elf("/bin/x"), 1);
        }
        CALL(TID, "./script", "script\0x\0");
        ck_assert_int_eq(sees_elf("/bin/sh"), 1);
        EXPECT("script", "/bin/sh", "/bin/sh\0./script\0x\0");
        /* too many: the call is taken for a new one */
        CALL(1, "./script", "script\0x\0");
        for (pid_t tid = 10000; tid < 10000 + EXEC_CHAIN_MAX; tid++) {
                view.tid = tid;
                ck_assert_int_eq(sees_elf("/bin/x"), 1);
        }
        view.tid = 1;
        ck_assert_int_eq(sees_elf(LOADER), 1);
}
END_TEST

START_TEST(test_cut) {
        static char args[PROCESS_ARGS_MAX_BYTES];

        memset(args, 'a', sizeof(args));
        args[4] = '\0';
        CALL(TID, "./script", "");
        view.args = args;
        view.n_args_bytes = sizeof(args);
        view.is_args_cut = true;
        ck_assert_int_eq(sees("/srv/script", "#!/bin/sh\n"), 1);
        ck_assert(exec.is_args_cut);
        ck_assert_uint_eq(exec.n_args_bytes, PROCESS_ARGS_MAX_BYTES);
        ck_assert_mem_eq(exec.args, "/bin/sh\0./script\0aaa", 20);
        /* whole, but no longer with the interpreter before it */
        args[sizeof(args) - 1] = '\0';
        view.is_args_cut = false;
        ck_assert_int_eq(sees("/srv/script", "#!/bin/sh\n"), 1);
        ck_assert(exec.is_args_cut);
        ck_assert_int_eq(sees_elf("/srv/script"), 1);
        ck_assert(!exec.is_args_cut);
        ck_assert_mem_eq(exec.args, args, sizeof(args));
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("exec_chain");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_program);
        tcase_add_test(tcase, test_long_name_of_deleted);
        tcase_add_test(tcase, test_no_arguments);
        tcase_add_test(tcase, test_script);
        tcase_add_test(tcase, test_nested_scripts);
        tcase_add_test(tcase, test_descriptor);
        tcase_add_test(tcase, test_loader_of_unseen);
        tcase_add_test(tcase, test_other_handler);
        tcase_add_test(tcase, test_unread);
        tcase_add_test(tcase, test_failed_and_again);
        tcase_add_test(tcase, test_others_between);
        tcase_add_test(tcase, test_cut);
        return unit_run("exec_chain", tcase);
}
