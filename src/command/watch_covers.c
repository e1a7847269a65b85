/* SPDX-License-Identifier: MIT */

/*
 * What lies below a mount can be looked at in a clone of the mount around it, which is made without
 * what is mounted on that.
 *
 * Limits: a mount that came and went between two looks hid nothing for longer than that.  Where a
 * whole filesystem is covered at its own mount point, the end of its watch says so.
 *
 * Source: open_tree(2).
 */

#include "command/watch_covers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/escape.h"
#include "base/path.h"
#include "command/reasons.h"
#include "command/watch_news.h"
#include "command/watch_session_private.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif

static bool is_same(const Mount *a, const Mount *b) {
        return a->id == b->id && a->parent_id == b->parent_id && a->device == b->device &&
               strcmp(a->point, b->point) == 0;
}

/* Tables are long and mostly the same: looks on from where the last one was. */
static bool has_mount(const MountTable *t, const Mount *m, size_t *hint) {
        for (size_t i = 0; i < t->n_mounts; i++) {
                size_t k = (*hint + i) % t->n_mounts;

                if (is_same(&t->mounts[k], m)) {
                        *hint = k + 1;
                        return true;
                }
        }
        return false;
}

static bool is_below_target(const WatchSession *s, const Mount *m) {
        for (size_t i = 0; i < s->n_targets; i++)
                if (path_is_within(m->point, strlen(m->point), s->targets[i].path,
                                   s->targets[i].n_path))
                        return true;
        return false;
}

/* The mount that it lies on, if it covers a directory of that other than the root; or NULL. */
static const Mount *covered_mount(const MountTable *t, const Mount *m) {
        for (size_t i = 0; i < t->n_mounts; i++)
                if (t->mounts[i].id == m->parent_id && m->parent_id != m->id)
                        return strcmp(t->mounts[i].point, m->point) == 0 ? NULL : &t->mounts[i];
        return NULL;
}

static bool has_entries(DIR *d) {
        struct dirent *e;

        while ((e = readdir(d)))
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        return true;
        return false;
}

/* What cannot be looked at is taken for empty, as nearly all mount points are. */
static bool covers_entries(const Mount *below, const Mount *m) {
        const char *rest = m->point + (below->point[1] == '\0' ? 1 : strlen(below->point) + 1);
        _cleanup_close_ int tree_fd = -1;
        _cleanup_closedir_ DIR *d = NULL;

        tree_fd = (int)syscall(SYS_open_tree, AT_FDCWD, below->point,
                               OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (tree_fd < 0)
                return false;
        d = directory_list(tree_fd, rest);
        return d && has_entries(d);
}

static int tell_covered(WatchSession *s, const Mount *m) {
        _cleanup_buffer_ Buffer b = {0};
        ScopeMount place = {
                .root = m->root,
                .n_root = strlen(m->root),
                .point = m->point,
                .n_point = strlen(m->point),
                .fstype = m->fstype,
                .source = m->source,
        };
        char **covers = reallocarray(s->covers, s->n_covers + 1, sizeof(*covers));

        if (covers)
                s->covers = covers;
        if (!covers || !(covers[s->n_covers] = strdup(m->point)))
                return watch_news_say_error("follow the mounts of", m->point, -ENOMEM);
        s->n_covers++;
        reasons_append_mount(&b, m->point, m->fstype, m->source);
        buffer_append_literal(&b,
                              " was mounted over a directory that is not empty: what lies there "
                              "has vanished from view, and is not deleted");
        return watch_news_tell(s, &place, &b);
}

static int tell_uncovered(WatchSession *s, const char *point) {
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_literal(&b, "what a mount had hidden in ");
        escape_append_terminal(&b, point, strlen(point));
        buffer_append_literal(&b, " is in view again");
        return watch_news_tell(s, NULL, &b);
}

static bool is_covered(const MountTable *t, const char *point) {
        for (size_t i = 0; i < t->n_mounts; i++)
                if (strcmp(t->mounts[i].point, point) == 0 && covered_mount(t, &t->mounts[i]))
                        return true;
        return false;
}

static int look_at_covers(WatchSession *s, const MountTable *table) {
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; i < s->n_covers; i++) {
                if (r < 0 || is_covered(table, s->covers[i])) {
                        s->covers[n++] = s->covers[i];
                        continue;
                }
                r = tell_uncovered(s, s->covers[i]);
                free(s->covers[i]);
        }
        s->n_covers = n;
        return r;
}

static int look_at_new(WatchSession *s, const MountTable *table) {
        size_t hint = 0;
        int r = 0;

        for (size_t i = 0; i < table->n_mounts && r >= 0; i++) {
                const Mount *m = &table->mounts[i], *below;

                if (has_mount(&s->mounts, m, &hint) || !is_below_target(s, m) ||
                    !mount_table_is_visible(table, m))
                        continue;
                below = covered_mount(table, m);
                if (below && covers_entries(below, m))
                        r = tell_covered(s, m);
        }
        return r;
}

int watch_covers_update(WatchSession *s, MountTable *table) {
        int r;

        r = look_at_covers(s, table);
        if (r >= 0 && s->is_started)
                r = look_at_new(s, table);
        mount_table_done(&s->mounts);
        s->mounts = *table;
        *table = (MountTable){0};
        return r;
}

void watch_covers_done(WatchSession *s) {
        for (size_t i = 0; i < s->n_covers; i++)
                free(s->covers[i]);
        free(s->covers);
        mount_table_done(&s->mounts);
}
