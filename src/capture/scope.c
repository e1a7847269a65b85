/* SPDX-License-Identifier: MIT */

/* Visible paths and watched targets of one filesystem.  Pure. */

#include "capture/scope.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

static void scope_mount_done(ScopeMount *m) {
        free(m->root);
        free(m->point);
        free(m->fstype);
        free(m->source);
        free(m->subvolume);
}

int scope_set_add_mount(ScopeSet *s, const char *root, const char *point, const char *fstype,
                        const char *source, const char *subvolume) {
        ScopeMount m = {
                .root = strdup(root),
                .point = strdup(point),
                .fstype = strdup(fstype),
                .source = strdup(source),
                .subvolume = subvolume ? strdup(subvolume) : NULL,
        };
        ScopeMount *mounts;

        if (!m.root || !m.point || !m.fstype || !m.source || (subvolume && !m.subvolume)) {
                scope_mount_done(&m);
                return -ENOMEM;
        }
        m.n_root = strlen(root);
        m.n_point = strlen(point);
        mounts = reallocarray(s->mounts, s->n_mounts + 1, sizeof(*mounts));
        if (!mounts) {
                scope_mount_done(&m);
                return -ENOMEM;
        }
        s->mounts = mounts;
        s->mounts[s->n_mounts++] = m;
        return 0;
}

void scope_set_done(ScopeSet *s) {
        for (size_t i = 0; i < s->n_mounts; i++)
                scope_mount_done(&s->mounts[i]);
        free(s->mounts);
        *s = (ScopeSet){0};
}

/* Puts the path under which a mount shows a directory; false when it does not. */
static bool scope_mount_show(const ScopeMount *m, const char *fs_path, size_t n_fs_path,
                             Buffer *ret_path) {
        const char *rest;
        size_t n_rest;

        if (!path_is_within(fs_path, n_fs_path, m->root, m->n_root))
                return false;
        rest = fs_path + (m->n_root == 1 ? 0 : m->n_root);
        n_rest = n_fs_path - (size_t)(rest - fs_path);
        if (n_rest == 1 && *rest == '/')
                n_rest = 0;

        buffer_clear(ret_path);
        if (m->n_point > 1 || n_rest == 0)
                buffer_append(ret_path, m->point, m->n_point);
        buffer_append(ret_path, rest, n_rest);
        return true;
}

static ScopeClass scope_set_class_of(const ScopeSet *s, const char *path, size_t n_path) {
        ScopeClass best = SCOPE_NONE;

        for (size_t i = 0; i < s->n_targets; i++) {
                const ScopeTarget *t = &s->targets[i];

                if (path_is_within(path, n_path, t->path, t->n_path))
                        return SCOPE_ALL;
                if (path_is_within(t->path, t->n_path, path, n_path))
                        best = SCOPE_SOME;
        }
        return best;
}

ScopeClass scope_set_classify(const ScopeSet *s, const char *fs_path, size_t n_fs_path,
                              Buffer *ret_path, const ScopeMount **ret_mount) {
        const ScopeMount *best_mount = NULL;
        ScopeClass best = SCOPE_NONE;

        for (size_t i = 0; i < s->n_mounts; i++) {
                ScopeClass c;

                if (!scope_mount_show(&s->mounts[i], fs_path, n_fs_path, ret_path))
                        continue;
                c = scope_set_class_of(s, ret_path->bytes, ret_path->n_bytes);
                if (best_mount && c <= best)
                        continue;
                best = c;
                best_mount = &s->mounts[i];
                if (best == SCOPE_ALL)
                        break;
        }

        buffer_clear(ret_path);
        if (best_mount)
                scope_mount_show(best_mount, fs_path, n_fs_path, ret_path);
        *ret_mount = best_mount;
        return best;
}

static bool scope_mount_is_same(const ScopeMount *m, const ScopeMount *other) {
        return strcmp(m->root, other->root) == 0 && strcmp(m->point, other->point) == 0;
}

static bool scope_set_has(const ScopeSet *s, const ScopeMount *m) {
        for (size_t i = 0; i < s->n_mounts; i++)
                if (scope_mount_is_same(&s->mounts[i], m))
                        return true;
        return false;
}

int scope_set_keep_former(ScopeSet *s, ScopeSet *former) {
        size_t n = 0;

        for (size_t i = 0; i < former->n_mounts && n < SCOPE_FORMER_MAX; i++) {
                ScopeMount *m = &former->mounts[i], *mounts;

                if (scope_set_has(s, m))
                        continue;
                mounts = reallocarray(s->mounts, s->n_mounts + 1, sizeof(*mounts));
                if (!mounts)
                        return -ENOMEM;
                s->mounts = mounts;
                s->mounts[s->n_mounts++] = *m;
                *m = (ScopeMount){0};
                n++;
        }
        return 0;
}

void scope_set_truncate(ScopeSet *s, size_t n_mounts) {
        while (s->n_mounts > n_mounts)
                scope_mount_done(&s->mounts[--s->n_mounts]);
}

bool scope_set_has_same_mounts(const ScopeSet *s, const ScopeSet *other) {
        if (s->n_mounts != other->n_mounts)
                return false;
        for (size_t i = 0; i < s->n_mounts; i++)
                if (!scope_mount_is_same(&s->mounts[i], &other->mounts[i]))
                        return false;
        return true;
}

bool scope_set_is_partial(const ScopeSet *s) {
        for (size_t i = 0; i < s->n_mounts; i++)
                if (s->mounts[i].n_root > 1)
                        return true;
        return false;
}

static int scope_mount_move(ScopeMount *m, const ScopeMove *move) {
        char *root;
        int n;

        if (move->to)
                n = asprintf(&root, "%.*s%s", (int)move->n_to, move->to, m->root + move->n_from);
        else /* no path has two slashes */
                n = asprintf(&root, "%s//deleted", m->root);
        if (n < 0)
                return -ENOMEM;
        free(m->root);
        m->root = root;
        m->n_root = (size_t)n;
        m->n_moved = move->to ? move->n_to : 0;
        m->moved_with = move->target;
        return 0;
}

/* As the kernel writes it, or scope_mount_move(). */
static bool scope_mount_is_gone(const ScopeMount *m) {
        return strstr(m->root, "//") != NULL;
}

static bool scope_mount_is_in(const ScopeMount *m, const ScopeMove *move) {
        if (m->n_root <= 1 || scope_mount_is_gone(m) ||
            !path_is_within(m->root, m->n_root, move->from, move->n_from))
                return false;
        return m->n_moved != move->n_from || m->moved_with == move->target;
}

int scope_set_move(ScopeSet *s, const ScopeMove *move) {
        int n = 0;

        for (size_t i = 0; i < s->n_mounts; i++) {
                int r;

                if (!scope_mount_is_in(&s->mounts[i], move))
                        continue;
                r = scope_mount_move(&s->mounts[i], move);
                if (r < 0)
                        return r;
                n = 1;
        }
        return n;
}

const ScopeMount *scope_set_find_mount_of(const ScopeSet *s, const char *fs_path,
                                          size_t n_fs_path) {
        const ScopeMount *best_mount = NULL;
        ScopeClass best = SCOPE_NONE;

        for (size_t i = 0; i < s->n_mounts; i++) {
                const ScopeMount *m = &s->mounts[i];
                ScopeClass c;

                if (scope_mount_is_gone(m) ||
                    !path_is_within(m->root, m->n_root, fs_path, n_fs_path))
                        continue;
                c = scope_set_class_of(s, m->point, m->n_point);
                if (c <= best)
                        continue;
                best = c;
                best_mount = m;
        }
        return best_mount;
}

bool scope_set_wants(const ScopeSet *s, const char *path, size_t n_path, ScopeEvent event) {
        for (size_t i = 0; i < s->n_targets; i++) {
                const ScopeTarget *t = &s->targets[i];

                if (path_is_within(path, n_path, t->path, t->n_path))
                        return true;
                if (event == SCOPE_EVENT_DIRECTORY_MOVED &&
                    path_is_within(t->path, t->n_path, path, n_path))
                        return true;
                if (event == SCOPE_EVENT_DIRECTORY_GONE && !t->is_directory &&
                    path_directory_length(t->path, t->n_path) == n_path &&
                    memcmp(t->path, path, n_path) == 0)
                        return true;
        }
        return false;
}
