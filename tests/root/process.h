/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Processes whose facts are known, because the test started them: the truth about "who".
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_ANCESTORS_MAX 64

/* One deleter as it really was. NULL or 0: the test does not look at this fact. */
typedef struct Process {
        pid_t pid;
        pid_t ppid;
        const char *name;
        const char *executable;
        const char *const *args; /* NULL-terminated */
        const char *working_directory;
        const char *user_id;
        /* From the parent to pid 1; may be shared between many processes of one parent. */
        const pid_t *ancestors;
        size_t n_ancestors;
} Process;

/* Shared memory for what forked workloads write down; zeroed. Fails the test instead of NULL. */
void *process_shared_alloc(size_t n_bytes);

/* Starts a program found by PATH. Return: its pid. Dies with the test. */
pid_t process_spawn(const char *const *args);
/* As process_spawn(), with a descriptor for stdin and stdout each (-1: /dev/null, inherited). */
pid_t process_spawn_io(const char *const *args, int in_fd, int out_fd);
/*
 * process_spawn_worker() - start worker.c's program, or a copy of it
 * @program: what to execute
 * @args:    its whole argument vector, which need not begin with the program
 * @mode, @file, @text: see worker.c; text may be NULL
 */
pid_t process_spawn_worker(const char *program, const char *const *args, const char *mode,
                           const char *file, const char *text);
/* Waits. Return: the exit status, 128 + signal when killed. Fails the test after timeout_sec. */
int process_wait(pid_t pid, double timeout_sec);
/* Spawns, waits, and fails the test unless it exits with 0. Return: the pid it had. */
pid_t process_run(const char *const *args);

/*
 * process_fork() - run a function of the test as a process of its own
 *
 * The child has the test's name and arguments.  Return: its pid; the child exits with 0 when the
 * function returns.
 */
pid_t process_fork(void (*function)(void *userdata), void *userdata);

/* Parents of a living process, from its parent to pid 1. Return: how many. */
size_t process_ancestors(pid_t pid, pid_t ret_pids[static PROCESS_ANCESTORS_MAX]);
/* Where a program of PATH really is, no symlinks; newly allocated. */
char *process_find_program(const char *name);
/*
 * The truth about a child of this process that runs args (which must outlive it): everything but
 * its pid.
 */
Process process_child_truth(const char *const *args);
/*
 * The truth about a forked child of this process that executes nothing: everything but its pid, and
 * its working directory, which is not always told.
 */
Process process_fork_truth(void);
/* The truth about this process itself, which runs the test. */
Process process_own_truth(void);
/* Number of open descriptors of a living process. */
size_t process_count_fds(pid_t pid);
/* Resident memory of a living process. */
uint64_t process_rss_bytes(pid_t pid);

#define PROCESS_ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
