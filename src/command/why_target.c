/* SPDX-License-Identifier: MIT */

/*
 * What is asked about.
 *
 * Where a symlink points is not read: that is an access, which its age would begin anew with.
 */

#include "command/why_target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/path.h"

/* Cuts the last component off. Return: it, borrowed; NULL when it has to be followed. */
static const char *last_component(const char *path) {
        const char *slash = strrchr(path, '/');
        const char *last = slash ? slash + 1 : path;

        if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
                return NULL;
        return last;
}

static int resolve(const char *path, char **ret) {
        const char *last = last_component(path);
        _cleanup_free_ char *directory = NULL, *resolved = NULL;
        int r;

        if (!last)
                return path_resolve(path, ret);
        directory = last == path ? strdup(".") : strndup(path, (size_t)(last - path));
        if (!directory)
                return -ENOMEM;
        r = path_resolve(directory, &resolved);
        if (r < 0)
                return r;
        if (asprintf(ret, "%s/%s", strcmp(resolved, "/") == 0 ? "" : resolved, last) < 0)
                return -ENOMEM;
        return 0;
}

static uint64_t nsec_of(const struct statx *stx, unsigned mask, const struct statx_timestamp *t) {
        if (!(stx->stx_mask & mask) || t->tv_sec < 0)
                return 0;
        return (uint64_t)t->tv_sec * CLOCK_NSEC_PER_SEC + t->tv_nsec;
}

int why_target_look(const char *path, WhyTarget *ret) {
        _cleanup_why_target_ WhyTarget t = {0};
        struct statx stx;
        int r;

        r = resolve(path, &t.path);
        if (r < 0)
                return r;
        if (statx(AT_FDCWD, t.path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
                  STATX_BASIC_STATS | STATX_BTIME, &stx) < 0) {
                if (errno != ENOENT && errno != ENOTDIR)
                        t.error = -errno;
        } else {
                t.exists = true;
                t.mode = stx.stx_mode;
                t.uid = stx.stx_uid;
                t.accessed_nsec = nsec_of(&stx, STATX_ATIME, &stx.stx_atime);
                t.created_nsec = nsec_of(&stx, STATX_BTIME, &stx.stx_btime);
                t.changed_nsec = nsec_of(&stx, STATX_CTIME, &stx.stx_ctime);
                t.modified_nsec = nsec_of(&stx, STATX_MTIME, &stx.stx_mtime);
        }
        *ret = t;
        t = (WhyTarget){0};
        return 0;
}

void why_target_done(WhyTarget *t) {
        free(t->path);
        *t = (WhyTarget){0};
}

const char *why_target_type(const WhyTarget *t) {
        switch (t->mode & S_IFMT) {
        case S_IFDIR:
                return "dir";
        case S_IFLNK:
                return "symlink";
        case S_IFSOCK:
                return "socket";
        case S_IFIFO:
                return "fifo";
        case S_IFBLK:
        case S_IFCHR:
                return "device";
        default:
                return "file";
        }
}
