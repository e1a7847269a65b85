/* SPDX-License-Identifier: MIT */

/*
 * See operation.h: by other processes, from other namespaces, by other calls.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "operation.h"
#include "ring.h"

/* What a child is to do, in memory that it shares with this process. */
typedef struct Order {
        const char *path; /* to unlink */
        const char *root; /* of the filesystem */
        int fd;
        _Atomic pid_t pid; /* of who did it, when it is not the child itself */
        Ring ring;
} Order;

static Order *order_new(const OperationPlace *p, const char *path) {
        Order *o = process_shared_alloc(sizeof(*o));

        *o = (Order){.path = path, .root = p->fs.path, .fd = -1};
        return o;
}

static void child_assert(bool condition) {
        if (!condition)
                _exit(EXIT_FAILURE);
}

/* Runs a function as a process of its own. Return: the truth about that process. */
static Process *run_child(void (*function)(void *order), Order *o) {
        Process *child = malloc(sizeof(*child));

        ck_assert_ptr_nonnull(child);
        *child = process_fork_truth();
        child->pid = process_fork(function, o);
        ck_assert_int_eq(process_wait(child->pid, 20), 0);
        return child;
}

/* A child unlinks a file, and is told. */
static void unlink_by_child(OperationPlace *p, void (*function)(void *order)) {
        Order *o = order_new(p, operation_file(p, "a"));
        struct stat was = operation_look(o->path);
        const Process *who = run_child(function, o);

        operation_expect(p, "unlink", o->path, &was, who);
}

static void do_unlink(void *order) {
        child_assert(unlink(((Order *)order)->path) == 0);
}

static void by_a_child(OperationPlace *p) {
        unlink_by_child(p, do_unlink);
}

static void do_unlink_elsewhere(void *order) {
        child_assert(unshare(CLONE_NEWNS) == 0);
        do_unlink(order);
}

static void from_another_mount_namespace(OperationPlace *p) {
        unlink_by_child(p, do_unlink_elsewhere);
}

static void do_unlink_below_root(void *order) {
        const Order *o = order;

        child_assert(chroot(o->root) == 0 && chdir("/") == 0);
        child_assert(unlink(o->path + strlen(o->root)) == 0);
}

static void from_a_chroot(OperationPlace *p) {
        unlink_by_child(p, do_unlink_below_root);
}

static void do_unlink_as_pid_1(void *order) {
        Order *o = order;
        int status = -1;
        pid_t pid;

        child_assert(unshare(CLONE_NEWPID) == 0);
        pid = fork();
        if (pid == 0) {
                child_assert(getpid() == 1);
                do_unlink(order);
                _exit(EXIT_SUCCESS);
        }
        atomic_store(&o->pid, pid);
        child_assert(waitpid(pid, &status, 0) == pid && status == 0);
}

/* With the number that it has for us. */
static void from_another_pid_namespace(OperationPlace *p) {
        Order *o = order_new(p, operation_file(p, "a"));
        struct stat was = operation_look(o->path);
        Process *who = run_child(do_unlink_as_pid_1, o);
        pid_t parent = who->pid;

        *who = (Process){.pid = atomic_load(&o->pid), .ppid = parent, .user_id = "0"};
        operation_expect(p, "unlink", o->path, &was, who);
}

static void *unlink_in_thread(void *path) {
        harness_unlink(path);
        return NULL;
}

static void by_a_thread(OperationPlace *p) {
        char *a = operation_file(p, "a");
        struct stat was = operation_look(a);
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, unlink_in_thread, a), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        operation_expect(p, "unlink", a, &was, &p->own);
}

static void by_descriptor(OperationPlace *p) {
        char *a = operation_file(p, "a"), *d = operation_directory(p, "d");
        struct stat a_was = operation_look(a), d_was = operation_look(d);
        int fd = open(p->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_eq(unlinkat(fd, "a", 0), 0);
        operation_expect(p, "unlink", a, &a_was, &p->own);
        ck_assert_int_eq(unlinkat(fd, "d", AT_REMOVEDIR), 0);
        operation_expect(p, "rmdir", d, &d_was, &p->own);
        close(fd);
}

static void do_close(void *order) {
        char byte;

        child_assert(read(((Order *)order)->fd, &byte, 1) == 0);
}

/* Who closes it as the last one has deleted nothing. */
static void closed_later_by_another(OperationPlace *p, bool is_replaced) {
        char *a = operation_file(p, "a"), *b = operation_path(p, "b");
        struct stat was = operation_look(a);
        Order *o = order_new(p, a);
        pid_t pid;
        int pipe_fds[2], fd;

        ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
        o->fd = pipe_fds[0];
        fd = open(a, O_RDONLY | O_CLOEXEC);
        harness_assert(fd >= 0, "%s: %m", a);
        pid = fork(); /* with the file, but without the end of the pipe that keeps it waiting */
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                close(pipe_fds[1]);
                do_close(o);
                _exit(EXIT_SUCCESS);
        }
        close(fd);
        if (is_replaced) {
                harness_touch(b);
                ck_assert_int_eq(rename(b, a), 0);
                operation_expect_overwrite(p, a, b, &was, &p->own);
        } else {
                operation_unlink(p, a);
        }
        close(pipe_fds[1]);
        ck_assert_int_eq(process_wait(pid, 20), 0);
        close(pipe_fds[0]);
}

static void unlinked_and_closed_later_by_another(OperationPlace *p) {
        closed_later_by_another(p, false);
}

static void replaced_and_closed_later_by_another(OperationPlace *p) {
        closed_later_by_another(p, true);
}

/* Under the path that is watched, and the other one is not. */
static void through_a_bind_mount(OperationPlace *p) {
        char *d = operation_directory(p, "d"), *a = operation_file(p, "d/a");
        char *bound = harness_path("bound-%s", fs_kind_name(p->fs.kind));
        char *a_bound = harness_format("%s/a", bound);
        struct stat was = operation_look(a);

        harness_mkdir(bound);
        harness_assert(mount(d, bound, NULL, MS_BIND, NULL) == 0, "bind mount: %m");
        harness_unlink(a_bound);
        operation_expect(p, "unlink", a, &was, &p->own);
        harness_assert(umount(bound) == 0, "umount: %m");
}

static void do_unlink_by_ring(void *order) {
        Order *o = order;

        ring_submit(&o->ring, &(struct io_uring_sqe){.opcode = IORING_OP_UNLINKAT,
                                                     .fd = AT_FDCWD,
                                                     .addr = (uintptr_t)o->path});
        child_assert(ring_complete(&o->ring));
}

static void by_io_uring(OperationPlace *p) {
        Order *o;
        struct stat was;

        if (access("/proc/sys/kernel/io_uring_disabled", F_OK) == 0 &&
            harness_sysctl_get("kernel/io_uring_disabled") > 1) {
                harness_note("io_uring is disabled");
                return;
        }
        o = order_new(p, operation_file(p, "a"));
        was = operation_look(o->path);
        o->ring = ring_new(0);
        do_unlink_by_ring(o);
        close(o->ring.fd);
        operation_expect(p, "unlink", o->path, &was, &p->own);
}

static Process *run_program(const char *const *args) {
        Process *child = malloc(sizeof(*child));

        ck_assert_ptr_nonnull(child);
        *child = process_child_truth(args);
        child->pid = process_run(args);
        return child;
}

/* The arguments must outlive the truth about them. */
static const char *const *args_of(const char *a, const char *b, const char *c) {
        const char **args = calloc(4, sizeof(*args));

        ck_assert_ptr_nonnull(args);
        args[0] = a;
        args[1] = b;
        args[2] = c;
        return args;
}

static void by_rm(OperationPlace *p) {
        char *a = operation_file(p, "a");
        struct stat was = operation_look(a);

        operation_expect(p, "unlink", a, &was, run_program(args_of("rm", a, NULL)));
}

static void by_mv(OperationPlace *p) {
        char *a = operation_file(p, "a"), *b = operation_path(p, "b"), *c = operation_file(p, "c");
        struct stat a_was = operation_look(a), c_was = operation_look(c);

        operation_expect_move(p, a, b, &a_was, run_program(args_of("mv", a, b)));
        operation_expect_overwrite(p, c, b, &c_was, run_program(args_of("mv", b, c)));
}

/* A copy, and the original is deleted. */
static void by_mv_to_another_filesystem(OperationPlace *p) {
        char *a = operation_file(p, "a"), *b = harness_path("moved-%s", fs_kind_name(p->fs.kind));
        struct stat was = operation_look(a);

        operation_expect(p, "unlink", a, &was, run_program(args_of("mv", a, b)));
}

#define ROW(name)                                                                                  \
        { #name, name }

const Operation operations_by_ways[] = {
        ROW(by_a_child),
        ROW(from_another_mount_namespace),
        ROW(from_a_chroot),
        ROW(from_another_pid_namespace),
        ROW(by_a_thread),
        ROW(by_descriptor),
        ROW(unlinked_and_closed_later_by_another),
        ROW(replaced_and_closed_later_by_another),
        ROW(through_a_bind_mount),
        ROW(by_io_uring),
        ROW(by_rm),
        ROW(by_mv),
        ROW(by_mv_to_another_filesystem),
        {0},
};
