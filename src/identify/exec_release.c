/* SPDX-License-Identifier: MIT */

/*
 * Only system calls: the watchdog is the child of a process that may have threads.
 *
 * Source: fanotify(7); fs/notify/fanotify/fanotify_user.c of Linux 6.18: an answer is looked up by
 * the number of the event's descriptor only, so another process that has the group can give it.
 */

#include "identify/exec_release.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool exec_release_declare(ExecHoldShared *shared, ExecHoldEnd end) {
        int none = EXEC_HOLD_END_NONE;

        return atomic_compare_exchange_strong(&shared->end, &none, (int)end);
}

void exec_release_flush(int fan_fd) {
        (void)fanotify_mark(fan_fd, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, NULL);
        (void)fanotify_mark(fan_fd, FAN_MARK_FLUSH | FAN_MARK_MOUNT, 0, AT_FDCWD, NULL);
        (void)fanotify_mark(fan_fd, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
}

int exec_release_allow(int fan_fd, int event_fd) {
        const struct fanotify_response response = {.fd = event_fd, .response = FAN_ALLOW};

        return write(fan_fd, &response, sizeof(response)) < 0 ? -errno : 0;
}

int exec_release_queued(int fan_fd) {
        struct fanotify_event_metadata events[EXEC_RELEASE_BATCH];

        for (;;) {
                ssize_t n = read(fan_fd, events, sizeof(events));

                if (n < 0)
                        return errno == EAGAIN ? 0 : -errno;
                if (n == 0)
                        return 0;
                for (size_t i = 0; i < (size_t)n / sizeof(*events); i++) {
                        if (events[i].fd < 0)
                                continue;
                        (void)exec_release_allow(fan_fd, events[i].fd);
                        close(events[i].fd);
                }
        }
}

void exec_release_taken(int fan_fd, int n_fds) {
        for (int fd = 0; fd < n_fds; fd++)
                while (exec_release_allow(fan_fd, fd) == 0)
                        ;
}

size_t exec_release_n_queued(int fan_fd) {
        int n = 0;

        return ioctl(fan_fd, FIONREAD, &n) < 0 || n < 0 ? 0 : (size_t)n;
}

static void close_between(unsigned first, unsigned last) {
        if (first <= last)
                (void)syscall(SYS_close_range, first, last, 0);
}

void exec_release_keep_fds(int *fds, size_t n_fds) {
        unsigned first = STDERR_FILENO + 1;

        for (size_t i = 1; i < n_fds; i++)
                for (size_t k = i; k > 0 && fds[k] < fds[k - 1]; k--) {
                        int fd = fds[k];

                        fds[k] = fds[k - 1];
                        fds[k - 1] = fd;
                }
        for (size_t i = 0; i < n_fds; i++) {
                if (fds[i] < (int)first)
                        continue;
                close_between(first, (unsigned)fds[i] - 1);
                first = (unsigned)fds[i] + 1;
        }
        close_between(first, UINT_MAX);
}
