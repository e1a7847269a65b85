/* SPDX-License-Identifier: MIT */

/*
 * One program, run to its end.
 *
 * Limit: only the program itself is killed, not what it may have started.
 *
 * Source: posix_spawn(3), of which glibc makes a vfork that is safe in a process with threads.
 */

#include "base/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define READ_BYTES ((size_t)16 << 10)

/* Return: 0, errors of posix_spawn(3), negative. */
static int spawn_with(const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attributes, const char *const *argv,
                      const char *const *env, pid_t *ret_pid) {
        int r;

        /* The casts take away a const that it keeps. */
        r = posix_spawnp(ret_pid, argv[0], actions, attributes, (char *const *)(uintptr_t)argv,
                         env ? (char *const *)(uintptr_t)env : environ);
        return -r;
}

static int spawn(const char *const *argv, const char *const *env, int out_fd, pid_t *ret_pid) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none, all;
        int r;

        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawnattr_init(&attributes);
        if (r != 0) {
                posix_spawn_file_actions_destroy(&actions);
                return -r;
        }
        sigemptyset(&none);
        sigfillset(&all);
        r = -posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = -posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
                                                      O_WRONLY, 0);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
        if (r == 0)
                r = -posix_spawnattr_setflags(&attributes,
                                              POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
                r = -posix_spawnattr_setsigmask(&attributes, &none);
        if (r == 0)
                r = -posix_spawnattr_setsigdefault(&attributes, &all);
        if (r == 0)
                r = spawn_with(&actions, &attributes, argv, env, ret_pid);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        return r;
}

/* Milliseconds until then, rounded up. */
static int poll_timeout(uint64_t until_nsec) {
        uint64_t now = clock_now_nsec(CLOCK_MONOTONIC), left;

        if (now >= until_nsec)
                return 0;
        left = (until_nsec - now) / CLOCK_NSEC_PER_MSEC + 1;
        return left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Return: 0 its end of the pipe is closed, -ETIMEDOUT, -EFBIG, -ENOMEM, errors of read(2). */
static int read_all(int fd, uint64_t until_nsec, size_t n_bytes_max, Buffer *ret) {
        for (;;) {
                struct pollfd p = {.fd = fd, .events = POLLIN};
                int r = poll(&p, 1, poll_timeout(until_nsec));
                ssize_t n;

                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r == 0)
                        return -ETIMEDOUT;
                if (r < 0)
                        continue;
                if (buffer_reserve(ret, READ_BYTES) < 0)
                        return -ENOMEM;
                n = read(fd, ret->bytes + ret->n_bytes, READ_BYTES);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        return 0;
                if (n > 0)
                        ret->n_bytes += (size_t)n;
                if (ret->n_bytes > n_bytes_max)
                        return -EFBIG;
        }
}

/* A program that has closed its stdout may still run. Return: 0, -ETIMEDOUT, errors. */
static int await(pid_t pid, uint64_t until_nsec, int *ret_status) {
        for (;;) {
                pid_t r = waitpid(pid, ret_status, WNOHANG);

                if (r == pid)
                        return 0;
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (poll_timeout(until_nsec) == 0)
                        return -ETIMEDOUT;
                (void)poll(NULL, 0, 1);
        }
}

int subprocess_run(const char *const *argv, const char *const *env, const SubprocessBounds *bounds,
                   Buffer *ret_output, int *ret_status) {
        const uint64_t until = clock_now_nsec(CLOCK_MONOTONIC) + bounds->wait_nsec;
        _cleanup_close_ int in_fd = -1, out_fd = -1;
        int fds[2], status = 0, r;
        pid_t pid;

        buffer_clear(ret_output);
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        in_fd = fds[0];
        out_fd = fds[1];
        r = spawn(argv, env, out_fd, &pid);
        if (r < 0)
                return r;
        close(take_fd(&out_fd));
        r = read_all(in_fd, until, bounds->n_bytes_max, ret_output);
        if (r >= 0)
                r = await(pid, until, &status);
        if (r < 0) {
                (void)kill(pid, SIGKILL);
                while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                        ;
                return r;
        }
        *ret_status = status;
        return 0;
}
