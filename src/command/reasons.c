/* SPDX-License-Identifier: MIT */

/* The words of watch and doctor for what a machine lacks.  Pure. */

#include "command/reasons.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "capture/coverage.h"

/* Why the mount cannot be held. */
static const char *clone_reason(int error) {
        switch (-error) {
        case EINVAL:
                return "it is mounted unbindable, and held it would be busy for umount; make it "
                       "private: mount --make-private";
        case ENOSYS:
                return "this kernel has no open_tree (Linux 5.2 and later do); use a newer one";
        case EOPNOTSUPP:
                return "its files have no handles; watch the place they really lie at";
        default:
                return strerror(-error);
        }
}

/* Why the top level of a btrfs cannot be had by the mount of its subvolume. */
static const char *top_reason(int error) {
        switch (-error) {
        case EINVAL:
                return "a subvolume that is mounted unbindable; make it private: mount "
                       "--make-private";
        case ENOTDIR:
                return "only a file of a btrfs subvolume is mounted there; mount the subvolume "
                       "itself, too";
        default:
                return "the top level of this btrfs cannot be reached; mount it, too (mount -o "
                       "subvolid=5)";
        }
}

/* Why it cannot be marked, and what a person can do about it. */
static const char *mark_reason(int error, const Mount *m) {
        switch (-error) {
        case ENOSYS:
                return "this kernel has no fanotify (CONFIG_FANOTIFY); use one that has";
        case EINVAL:
                return "this kernel's fanotify reports no names (Linux 5.9 and later do); use a "
                       "newer one";
        case EOPNOTSUPP:
        case ENODEV:
                if (strcmp(m->fstype, "overlay") == 0)
                        return "overlay mounted without nfs_export; leave out "
                               "--marks=filesystem, or mount it with nfs_export=on,index=on";
                if (coverage_is_pseudo(m->fstype))
                        return "a view of the kernel, which holds no files that anyone could "
                               "lose; watch a directory on another filesystem";
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

const char *reasons_mount(int error, WatchedStep step, const Mount *m) {
        /* That it has the capability was looked at before: but it is one of its own namespace. */
        if (error == -EPERM)
                return "root of the initial user namespace is needed; run it outside of the "
                       "container or namespace";
        if (error == -ESTALE)
                return "what is mounted there cannot be told from its mark; try again";
        switch (step) {
        case WATCHED_STEP_CLONE:
                return clone_reason(error);
        case WATCHED_STEP_TOP:
                return top_reason(error);
        default:
                return mark_reason(error, m);
        }
}

const char *reasons_directories(int refusal, const char *fstype) {
        if (refusal == 0)
                return "as --marks=directories asks for";
        if (strcmp(fstype, "overlay") == 0)
                return "because an overlay without nfs_export cannot be marked as a whole";
        return "because filesystems of this type cannot be marked as a whole";
}

const char *reasons_process_events(int error) {
        switch (-error) {
        case EPERM:
                return "CAP_NET_ADMIN is missing";
        case ENOTCONN:
                return "not in the initial pid, network and user namespace";
        case EPROTONOSUPPORT:
                return "no process connector here: another network namespace, or a kernel without "
                       "CONFIG_PROC_EVENTS";
        default:
                return strerror(-error);
        }
}

const char *reasons_exit_records(int error) {
        return error == -EPROTONOSUPPORT ? "a kernel without CONFIG_TASKSTATS"
                                         : reasons_process_events(error);
}

const char *reasons_priority(int error) {
        return error == -EPERM
                       ? "CAP_SYS_NICE is missing or the control group has no real-time budget"
                       : strerror(-error);
}

void reasons_append_mount(Buffer *b, const char *point, const char *fstype, const char *source) {
        escape_append_terminal(b, point, strlen(point));
        buffer_append_literal(b, " (");
        escape_append_terminal(b, fstype, strlen(fstype));
        if (source[0] != '\0' && strcmp(source, fstype) != 0) {
                buffer_append_literal(b, " on ");
                escape_append_terminal(b, source, strlen(source));
        }
        buffer_append_char(b, ')');
}
