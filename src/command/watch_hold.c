/* SPDX-License-Identifier: MIT */

/*
 * Which programs are held, and what is said of it.
 *
 * All filesystems of our mount table, since a program may lie anywhere; what is mounted in other
 * mount namespaces only is out of reach, and its programs start unheld.
 */

#include "command/watch_hold.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/coverage.h"
#include "command/reasons.h"
#include "command/watch_news.h"
#include "command/watch_session_private.h"
#include "identify/exec_hold.h"

struct WatchHold {
        ExecHold *hold;
        bool is_told;  /* that it has ended */
        dev_t *unheld; /* said once that their programs are not held */
        size_t n_unheld;
};

/* Why nothing can be held. */
static const char *hold_reason(int error) {
        switch (-error) {
        case EPERM:
                return "CAP_SYS_ADMIN of the initial user namespace is missing; run it as root, "
                       "outside of a container";
        case EINVAL:
                return "this kernel has no FAN_OPEN_EXEC_PERM (Linux 5.0 and "
                       "CONFIG_FANOTIFY_ACCESS_PERMISSIONS); use another one, or leave "
                       "--hold-exec out";
        case ENOSYS:
                return "this kernel has no fanotify (CONFIG_FANOTIFY); use one that has";
        case EMFILE:
                return "too many open files or fanotify groups; raise the limit on open files and "
                       "fs.fanotify.max_user_groups";
        default:
                return strerror(-error);
        }
}

static int refuse(int error) {
        fprintf(stderr, "whodunlink: cannot hold programs (--hold-exec): %s (%s)\n",
                hold_reason(error), strerrorname_np(-error));
        return error;
}

int watch_hold_new(WatchSession *s) {
        int priority_error, r;
        WatchHold *h;

        if (s->options->hold_exec_nsec == 0)
                return 0;
        h = calloc(1, sizeof(*h));
        if (!h)
                return refuse(-ENOMEM);
        r = exec_hold_new(s->proc_fd, s->options->hold_exec_nsec, &priority_error, &h->hold);
        if (r < 0) {
                free(h);
                return refuse(r);
        }
        s->hold = h;
        if (priority_error < 0)
                fprintf(stderr,
                        "whodunlink: programs are held without real-time priority: %s; under load "
                        "they will soon be held no longer\n",
                        reasons_priority(priority_error));
        return 0;
}

int watch_hold_follow(WatchSession *s) {
        if (!s->hold)
                return 0;
        if (!s->witness) {
                fprintf(stderr,
                        "whodunlink: cannot hold programs (--hold-exec): without process events "
                        "nobody tells which of them started; run it on the host as root, or leave "
                        "--hold-exec out\n");
                return -ENOTSUP;
        }
        witness_follow_held(s->witness, exec_hold_execs(s->hold->hold));
        return 0;
}

static bool has_device(const dev_t *devices, size_t n, dev_t device) {
        for (size_t i = 0; i < n; i++)
                if (devices[i] == device)
                        return true;
        return false;
}

/* Return: 0, errors of the sink. */
static int tell_unheld(WatchSession *s, const Mount *m, int error) {
        _cleanup_buffer_ Buffer b = {0};
        WatchHold *h = s->hold;
        dev_t *unheld;

        if (coverage_is_pseudo(m->fstype) || strcmp(m->fstype, "autofs") == 0 ||
            has_device(h->unheld, h->n_unheld, m->device))
                return 0;
        unheld = reallocarray(h->unheld, h->n_unheld + 1, sizeof(*unheld));
        if (!unheld)
                return refuse(-ENOMEM);
        h->unheld = unheld;
        unheld[h->n_unheld++] = m->device;
        buffer_append_literal(&b, "not holding the programs of ");
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        if (error == 0)
                buffer_append_literal(&b, ": whoever serves its files could keep all others "
                                          "waiting");
        else
                buffer_append_format(&b, ": %s", strerror(-error));
        return watch_news_tell(s, NULL, &b);
}

/* Each filesystem once, by the first of its mounts that a path leads to. */
static int mark_all(WatchSession *s, const MountTable *table, dev_t *done) {
        size_t n_done = 0;

        for (size_t i = 0; i < table->n_mounts; i++) {
                const Mount *m = &table->mounts[i];
                int r = 0;

                if (has_device(done, n_done, m->device) || !mount_table_is_visible(table, m))
                        continue;
                done[n_done++] = m->device;
                if (exec_hold_is_fit(m->fstype)) {
                        r = exec_hold_mark(s->hold->hold, m->point);
                        /* Let go of, which is told apart, or unmounted meanwhile. */
                        if (r == 0 || r == -ESHUTDOWN || r == -ENOENT)
                                continue;
                }
                r = tell_unheld(s, m, r);
                if (r < 0)
                        return r;
        }
        return 0;
}

int watch_hold_update(WatchSession *s) {
        _cleanup_mount_table_ MountTable table = {0};
        _cleanup_free_ dev_t *done = NULL;
        int r;

        if (!s->hold)
                return 0;
        r = mount_table_read(s->proc_fd, &table);
        if (r < 0)
                return refuse(r);
        done = calloc(table.n_mounts + 1, sizeof(*done));
        if (!done)
                return refuse(-ENOMEM);
        r = mark_all(s, &table, done);
        if (r < 0 || s->is_started)
                return r;
        if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, exec_hold_fd(s->hold->hold),
                      &(struct epoll_event){.events = EPOLLIN}) < 0)
                return refuse(-errno);
        return 0;
}

static const char *end_reason(ExecHoldEnd end) {
        switch (end) {
        case EXEC_HOLD_END_LATE:
                return "one of them had waited for longer than that; start anew, if the machine "
                       "is always so busy with a longer --hold-exec=DURATION";
        case EXEC_HOLD_END_STALLED:
                return "for nearly that long nothing moved, since whodunlink was stopped or "
                       "memory of one of them did not come; start anew";
        case EXEC_HOLD_END_UNGUARDED:
                return "the process that watches over this has ended; find out who killed it, and "
                       "start anew";
        case EXEC_HOLD_END_UNREADABLE:
        case EXEC_HOLD_END_ASKED:
        case EXEC_HOLD_END_NONE:
                break;
        }
        return "the kernel's events of them cannot be read; start anew";
}

int watch_hold_dispatch(WatchSession *s) {
        _cleanup_buffer_ Buffer b = {0};
        WatchHold *h = s->hold;
        ExecHoldEnd end;

        if (!h || h->is_told || !s->is_started)
                return 0;
        end = exec_hold_end(h->hold);
        if (end == EXEC_HOLD_END_NONE)
                return 0;
        h->is_told = true;
        (void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, exec_hold_fd(h->hold), NULL);
        buffer_append_literal(&b, "no longer holding programs for up to ");
        clock_append_duration(&b, s->options->hold_exec_nsec);
        buffer_append_format(&b,
                             ": %s; until then, arguments of very short processes may be "
                             "missing",
                             end_reason(end));
        return watch_news_tell(s, NULL, &b);
}

void watch_hold_free(WatchHold *h) {
        if (!h)
                return;
        exec_hold_free(h->hold);
        free(h->unheld);
        free(h);
}
