/* SPDX-License-Identifier: MIT */

/*
 * New directories, in a group of their own: with FAN_CREATE in the group of the deletions a queued
 * mkdir and rmdir would merge at the mkdir's place (shared design, kernel.md, section 2).
 *
 * The kernel has no mask for directories only. A second mark on the same directory ignores what
 * comes and is none (FAN_MARK_IGNORE, Linux 6.0); before that each new file is an event, too, that
 * is read and dropped.
 *
 * No targets are asked for, so that what has merged is the more: who is told of a name looks what
 * is there now.
 *
 * Source: fanotify_mark(2); fsnotify_effective_ignore_mask() in include/linux/fsnotify_backend.h of
 * Linux 6.18.
 */

#include "capture/new_directories.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/fanotify.h>

#include "base/cleanup.h"

#ifndef FAN_MARK_IGNORE
#define FAN_MARK_IGNORE 0x00000400
#endif

#define READ_BYTES ((size_t)16 * 1024)

struct NewDirectories {
        int fd;
        bool has_no_ignore; /* this kernel has no FAN_MARK_IGNORE */
        FanEventIter it;
        _Alignas(8) uint8_t bytes[READ_BYTES];
};

int new_directories_new(NewDirectories **ret_new) {
        NewDirectories *n = malloc(sizeof(*n));

        if (!n)
                return -ENOMEM;
        n->has_no_ignore = false;
        n->it = (FanEventIter){0};
        n->fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_MARKS |
                                      FAN_UNLIMITED_QUEUE | FAN_REPORT_DIR_FID | FAN_REPORT_NAME,
                              O_RDONLY | O_CLOEXEC | O_LARGEFILE);
        if (n->fd < 0) {
                int r = -errno;

                new_directories_free(n);
                return r;
        }
        *ret_new = n;
        return 0;
}

NewDirectories *new_directories_free(NewDirectories *n) {
        if (n) {
                cleanup_close(&n->fd);
                free(n);
        }
        return NULL;
}

int new_directories_fd(const NewDirectories *n) {
        return n->fd;
}

int new_directories_mark(NewDirectories *n, int directory_fd) {
        const unsigned ignore = FAN_MARK_ADD | FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY;
        const uint64_t mask = FAN_CREATE | FAN_MOVED_TO;

        if (fanotify_mark(n->fd, FAN_MARK_ADD, mask | FAN_ONDIR, directory_fd, NULL) < 0)
                return -errno;
        if (!n->has_no_ignore && fanotify_mark(n->fd, ignore, mask, directory_fd, NULL) < 0)
                n->has_no_ignore = errno == EINVAL;
        return 0;
}

void new_directories_stop(NewDirectories *n) {
        (void)fanotify_mark(n->fd, FAN_MARK_FLUSH, 0, AT_FDCWD, "/");
        n->it = (FanEventIter){0};
}

/* Return: as fan_event_next(). */
static int next_of_batch(NewDirectories *n, FanEvent *ret_event) {
        FanEvent e = {.pidfd = -1, .fd = -1};
        int r = fan_event_next(&n->it, &e);

        cleanup_close(&e.pidfd);
        cleanup_close(&e.fd);
        if (r < 0)
                n->it.n_left = 0;
        if (r > 0)
                *ret_event = e;
        return r;
}

/* Return: 1 there are bytes, 0 the queue is empty, a negative errno. */
static int read_batch(NewDirectories *n) {
        ssize_t n_bytes;

        do
                n_bytes = read(n->fd, n->bytes, sizeof(n->bytes));
        while (n_bytes < 0 && errno == EINTR);
        if (n_bytes < 0)
                return errno == EAGAIN ? 0 : -errno;
        fan_event_iter_init(&n->it, n->bytes, (size_t)n_bytes);
        return n_bytes > 0;
}

int new_directories_next(NewDirectories *n, FanName *ret_name) {
        FanEvent e;
        int r;

        for (;;) {
                r = next_of_batch(n, &e);
                if (r < 0)
                        return r;
                if (r == 0) {
                        r = read_batch(n);
                        if (r <= 0)
                                return r;
                        continue;
                }
                if (e.mask & FAN_Q_OVERFLOW) {
                        *ret_name = (FanName){0};
                        return 1;
                }
                if ((e.mask & FAN_ONDIR) && e.name.directory.bytes && e.name.n_name > 0) {
                        *ret_name = e.name;
                        return 1;
                }
        }
}
