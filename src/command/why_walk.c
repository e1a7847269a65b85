/* SPDX-License-Identifier: MIT */

/*
 * Each entry is asked about alone, as `why PATH` does, so that the two never say different things.
 *
 * Limits: a directory deeper than DEPTH_MAX is counted as unreadable, as is one whose path is
 * longer than the kernel takes.
 */

#include "command/why_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "capture/coverage.h"

/* A descriptor each is open; systemd-tmpfiles itself goes no deeper below a line's path. */
#define DEPTH_MAX 400

/* Is it due, by which line, and when? The soonest of all configurations. */
static int choose(WhyWalk *w, const char *path, uint64_t *ret_due, const TmpfilesRule **ret_rule) {
        const WhyOracle *o = &w->world->oracle;

        *ret_due = TMPFILES_NEVER;
        *ret_rule = NULL;
        for (size_t i = 0; i < w->world->n_scopes; i++) {
                _cleanup_tmpfiles_choice_ TmpfilesChoice c = {0};
                int r;

                if (!w->world->scopes[i].clean)
                        continue;
                r = tmpfiles_choose(w->world->scopes[i].clean, path, o->now.realtime_nsec, o->tree,
                                    &c);
                if (r < 0)
                        return r;
                if (c.verdict != TMPFILES_GOES && c.verdict != TMPFILES_WAITS)
                        continue;
                if (c.due_nsec < *ret_due) {
                        *ret_due = c.due_nsec;
                        *ret_rule = c.rule;
                }
        }
        return 0;
}

static int take(WhyWalk *w, DIR *d, const char *name, const char *path, bool is_directory) {
        const TmpfilesRule *rule;
        struct stat st;
        uint64_t due;
        int r;

        r = choose(w, path, &due, &rule);
        if (r < 0)
                return r;
        /* It went meanwhile: nothing was known of it but its name, which makes it old enough. */
        if (fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                return 0;
        w->n_seen++;
        if (due == TMPFILES_NEVER)
                return 0;
        if (due > w->until_nsec) {
                w->n_later++;
                return 0;
        }
        return why_due_list_add(&w->list, due, path, is_directory, rule);
}

/* Something mounted here that is not to be entered? */
static bool is_foreign(const WhyWalk *w, const char *path) {
        const Mount *m = w->world->has_mounts ? mount_table_find(&w->world->mounts, path) : NULL;

        return m && strcmp(m->point, path) == 0 &&
               (coverage_is_pseudo(m->fstype) || coverage_is_remote(m->fstype));
}

static int walk(WhyWalk *w, int parent_fd, const char *name, Buffer *path, unsigned depth);

static int walk_entry(WhyWalk *w, DIR *d, const struct dirent *e, Buffer *path, unsigned depth) {
        const size_t n_path = path->n_bytes;
        bool is_directory = e->d_type == DT_DIR;
        struct stat st;
        int r;

        if (e->d_type == DT_UNKNOWN && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
                is_directory = S_ISDIR(st.st_mode);
        if (n_path != 1)
                buffer_append_char(path, '/');
        buffer_append_string(path, e->d_name);
        (void)buffer_terminate(path);
        if (path->is_failed)
                return -ENOMEM;
        r = take(w, d, e->d_name, path->bytes, is_directory);
        if (r >= 0 && is_directory && !is_foreign(w, path->bytes))
                r = walk(w, dirfd(d), e->d_name, path, depth + 1);
        path->n_bytes = n_path;
        return r;
}

static int walk_entries(WhyWalk *w, DIR *d, Buffer *path, unsigned depth) {
        const struct dirent *e;

        while ((e = readdir(d))) {
                int r;

                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                r = walk_entry(w, d, e, path, depth);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int walk(WhyWalk *w, int parent_fd, const char *name, Buffer *path, unsigned depth) {
        _cleanup_closedir_ DIR *d = NULL;

        if (depth <= DEPTH_MAX)
                d = directory_list(parent_fd, name);
        if (d)
                return walk_entries(w, d, path, depth);
        /* Gone meanwhile is no fault; the rest is said at the end. */
        if (depth > DEPTH_MAX || errno != ENOENT)
                w->n_unreadable++;
        return 0;
}

int why_walk_run(WhyWalk *w, const char *directory) {
        _cleanup_closedir_ DIR *d = directory_list(AT_FDCWD, directory);
        _cleanup_buffer_ Buffer path = {0};

        if (!d)
                return -errno;
        buffer_append_string(&path, directory);
        return path.is_failed ? -ENOMEM : walk_entries(w, d, &path, 0);
}
