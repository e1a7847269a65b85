/* SPDX-License-Identifier: MIT */

/*
 * The set of watched filesystems follows the mount table.
 *
 * A filesystem that is unmounted is let go of in two steps: at once the superblock, so that its
 * device is free, and once its queue is drained the rest.
 */

#include "command/watch_coverage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "command/watch_session_private.h"

/* What a person can do about a filesystem that cannot be watched. */
static const char *reason_of(int error, const Mount *m) {
        switch (-error) {
        case EPERM:
                return "CAP_SYS_ADMIN is missing; run it as root";
        case ENOSYS:
                return "this kernel has no fanotify (CONFIG_FANOTIFY); use one that has";
        case EINVAL:
                return "this kernel's fanotify reports no names (Linux 5.9 and later do); use a "
                       "newer "
                       "one";
        case EXDEV:
                return "it is a btrfs subvolume; watch a mount of the top level instead "
                       "(mount -o subvolid=5)";
        case EOPNOTSUPP:
        case ENODEV:
                if (strcmp(m->fstype, "overlay") == 0)
                        return "overlay mounted without nfs_export; mount it with "
                               "nfs_export=on,index=on, or watch its upper directory";
                return "filesystems of this type cannot be marked; watch the place its files "
                       "really lie at";
        case EMFILE:
        case ENOSPC:
                return "too many fanotify groups or marks; raise fs.fanotify.max_user_groups and "
                       "max_user_marks";
        default:
                return strerror(-error);
        }
}

static void append_mount_name(Buffer *b, const char *point, const char *fstype,
                              const char *source) {
        escape_append_terminal(b, point, strlen(point));
        buffer_append_literal(b, " (");
        escape_append_terminal(b, fstype, strlen(fstype));
        if (source[0] != '\0' && strcmp(source, fstype) != 0) {
                buffer_append_literal(b, " on ");
                escape_append_terminal(b, source, strlen(source));
        }
        buffer_append_char(b, ')');
}

static void say(const WatchSession *s, const Buffer *message) {
        if (!s->options->is_quiet)
                fprintf(stderr, "%.*s\n", (int)message->n_bytes, message->bytes);
}

static int say_error(const char *what, const char *on, int error) {
        _cleanup_buffer_ Buffer b = {0};

        escape_append_terminal(&b, on, strlen(on));
        fprintf(stderr, "whodunlink: cannot %s %s: %s\n", what, buffer_terminate(&b),
                strerror(-error));
        return error;
}

static int put_coverage(WatchSession *s, const ScopeMount *m, Buffer *message) {
        if (!s->is_started)
                return 0;
        return watch_session_put_news(s, &(Record){
                                                 .action = RECORD_COVERAGE,
                                                 .mount = m,
                                                 .message = buffer_terminate(message),
                                         });
}

static bool is_refused(const WatchSession *s, dev_t device) {
        for (size_t i = 0; i < s->n_refused; i++)
                if (s->refused[i] == device)
                        return true;
        return false;
}

static int refuse(WatchSession *s, const CoverageFilesystem *f, int error) {
        _cleanup_buffer_ Buffer b = {0};
        const Mount *m = f->mount;
        dev_t *refused;

        buffer_append_literal(&b, "cannot watch ");
        append_mount_name(&b, m->point, m->fstype, m->source);
        buffer_append_format(&b, ": %s (%s)", reason_of(error, m), strerrorname_np(-error));

        /* At the start, what the user asked for must work; what is mounted below may not. */
        if (f->is_asked_for && !s->is_started) {
                fprintf(stderr, "whodunlink: %.*s\n", (int)b.n_bytes, b.bytes);
                return error;
        }
        refused = reallocarray(s->refused, s->n_refused + 1, sizeof(*refused));
        if (!refused)
                return say_error("watch", m->point, -ENOMEM);
        s->refused = refused;
        s->refused[s->n_refused++] = f->device;
        say(s, &b);
        return put_coverage(s, &f->scopes.mounts[0], &b);
}

static int add(WatchSession *s, CoverageFilesystem *f) {
        _cleanup_buffer_ Buffer b = {0};
        struct epoll_event event = {.events = EPOLLIN};
        WatchedFilesystem **filesystems, *fs;
        const ScopeMount *m;
        int r;

        if (is_refused(s, f->device))
                return 0;
        filesystems = reallocarray(s->filesystems, s->n_filesystems + 1, sizeof(*filesystems));
        if (!filesystems)
                return say_error("watch", f->mount->point, -ENOMEM);
        s->filesystems = filesystems;
        r = watched_filesystem_new(f, s->options->fan_features, s->options->is_queue_bounded,
                                   s->identifier, &fs);
        if (r == -ENOMEM)
                return say_error("watch", f->mount->point, r);
        if (r < 0)
                return refuse(s, f, r);
        if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, watched_filesystem_fd(fs), &event) < 0) {
                r = say_error("wait for events of", watched_filesystem_mount(fs)->point, -errno);
                watched_filesystem_free(fs);
                return r;
        }
        s->filesystems[s->n_filesystems++] = fs;

        m = watched_filesystem_mount(fs);
        buffer_append_literal(&b, "watching ");
        append_mount_name(&b, m->point, m->fstype, m->source);
        say(s, &b);
        return put_coverage(s, m, &b);
}

/* The watched filesystem of a device that still has its mark, or NULL. */
static WatchedFilesystem *find(WatchSession *s, dev_t device) {
        for (size_t i = 0; i < s->n_filesystems; i++) {
                WatchedFilesystem *fs = s->filesystems[i];

                if (watched_filesystem_device(fs) == device && !watched_filesystem_is_ending(fs))
                        return fs;
        }
        return NULL;
}

static CoverageFilesystem *find_in_plan(const CoveragePlan *p, dev_t device) {
        for (size_t i = 0; i < p->n_filesystems; i++)
                if (p->filesystems[i].device == device)
                        return &p->filesystems[i];
        return NULL;
}

/* The kernel drops a mark with the last mount; the same device may be mounted again by now. */
static void end_unmounted(WatchSession *s, const CoveragePlan *plan) {
        for (size_t i = 0; i < s->n_filesystems; i++) {
                WatchedFilesystem *fs = s->filesystems[i];
                dev_t device = watched_filesystem_device(fs);

                if (watched_filesystem_is_ending(fs))
                        continue;
                if (!find_in_plan(plan, device) ||
                    fan_group_has_mark(watched_filesystem_group(fs), device) == 0)
                        watched_filesystem_end(fs);
        }
}

/* Filesystems that were refused and are gone may be asked for again under the same number. */
static void forget_refused(WatchSession *s, const CoveragePlan *plan) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_refused; i++)
                if (find_in_plan(plan, s->refused[i]))
                        s->refused[n++] = s->refused[i];
        s->n_refused = n;
}

int watch_coverage_update(WatchSession *s) {
        _cleanup_mount_table_ MountTable table = {0};
        _cleanup_coverage_plan_ CoveragePlan plan = {0};
        int r;

        r = mount_table_read(s->proc_fd, &table);
        if (r < 0)
                return say_error("read", "/proc/self/mountinfo", r);
        r = coverage_plan_make(&table, s->targets, s->n_targets, &plan);
        if (r < 0)
                return say_error("plan the watch of", "the mount table", r);
        end_unmounted(s, &plan);
        forget_refused(s, &plan);
        for (size_t i = 0; i < plan.n_filesystems; i++) {
                CoverageFilesystem *f = &plan.filesystems[i];
                WatchedFilesystem *fs = find(s, f->device);

                if (fs) {
                        watched_filesystem_set_scopes(fs, &f->scopes);
                        continue;
                }
                r = add(s, f);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int finish(WatchSession *s, size_t i) {
        _cleanup_buffer_ Buffer b = {0};
        WatchedFilesystem *fs = s->filesystems[i];
        const ScopeMount *m = watched_filesystem_mount(fs);
        int r;

        buffer_append_literal(&b, "no longer watching ");
        append_mount_name(&b, m->point, m->fstype, m->source);
        buffer_append_literal(&b, ": it was unmounted");
        say(s, &b);
        r = put_coverage(s, m, &b);
        watched_filesystem_free(fs);
        s->filesystems[i] = s->filesystems[--s->n_filesystems];
        return r;
}

int watch_coverage_finish(WatchSession *s) {
        for (size_t i = s->n_filesystems; i-- > 0;) {
                int r = watched_filesystem_is_ending(s->filesystems[i]) ? finish(s, i) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}
