/* SPDX-License-Identifier: MIT */

/*
 * Places of directories, learned in three ways and kept at the position of the oldest event.
 *
 * Source: shared design, kernel.md, sections 4 and 5.
 */

#include "locate/locator.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* One to ask the filesystem and one to use the answer, unless that is moved all the time. */
#define LOOK_AHEAD_MAX_TRIES 8

struct Locator {
        LiveMount *mount; /* NULL when released */
        const ScopeSet *scopes;
        DirTree *tree;
        LaterEvents later;
        LiveChain live;    /* of the last look at the filesystem; good until the next answer */
        PathSource source; /* of the directory being looked for, over its tries */
        Buffer path, visible;
        bool is_index;
};

const char *path_source_to_string(PathSource s) {
        static const char *const names[] = {
                [PATH_SOURCE_NONE] = "none",   [PATH_SOURCE_HANDLE] = "handle",
                [PATH_SOURCE_CACHE] = "cache", [PATH_SOURCE_RMDIR] = "rmdir",
                [PATH_SOURCE_INDEX] = "index",
        };

        return names[s];
}

int locator_new(LiveMount *mount, const char *root_path, const ScopeSet *scopes,
                Locator **ret_locator) {
        FileHandle root = live_mount_root(mount);
        Locator *l = calloc(1, sizeof(*l));
        int r;

        if (!l)
                return -ENOMEM;
        r = dir_tree_new(&root, &l->tree);
        if (r >= 0)
                r = dir_tree_set_root_path(l->tree, root_path);
        if (r < 0) {
                dir_tree_free(l->tree);
                free(l);
                return r;
        }
        l->mount = mount;
        l->scopes = scopes;
        *ret_locator = l;
        return 0;
}

void locator_keep_index(Locator *l) {
        l->is_index = true;
}

DirTree *locator_index_tree(Locator *l) {
        return l->tree;
}

const LaterEvents *locator_later_events(const Locator *l) {
        return &l->later;
}

LiveMount *locator_mount(const Locator *l) {
        return l->mount;
}

Locator *locator_free(Locator *l) {
        if (!l)
                return NULL;
        later_events_done(&l->later);
        dir_tree_free(l->tree);
        live_mount_free(l->mount);
        free(l->live.steps);
        buffer_done(&l->path);
        buffer_done(&l->visible);
        free(l);
        return NULL;
}

void locator_release_mount(Locator *l) {
        l->mount = live_mount_free(l->mount);
}

void locator_set_mount(Locator *l, LiveMount *mount) {
        live_mount_free(l->mount);
        l->mount = mount;
}

void locator_scopes_changed(Locator *l) {
        dir_tree_bump_epoch(l->tree);
}

int locator_note(Locator *l, const FlightEvent *e) {
        return later_events_concern(&e->fan) ? later_events_add(&l->later, e) : 0;
}

static bool parent_is_known(void *userdata, const FileHandle *parent) {
        Locator *l = userdata;
        DirNode *n = dir_tree_find(l->tree, parent);

        return n && dir_node_is_known(n);
}

/* Uses a step of the last look at the filesystem. Return: 1 used, 0 it holds none for this node. */
static int learn_live(Locator *l, DirNode *n) {
        FileHandle wanted = dir_node_handle(n);

        for (size_t i = 0; i < l->live.n_steps; i++) {
                const LiveStep *s = &l->live.steps[i];
                FileHandle child = {
                        .type = s->child_type, .n_bytes = s->n_child, .bytes = s->child};
                FileHandle parent = {
                        .type = s->parent_type, .n_bytes = s->n_parent, .bytes = s->parent};
                DirNode *p;
                int r;

                if (!file_handle_equal(&child, &wanted))
                        continue;
                r = dir_tree_get(l->tree, &parent, &p);
                if (r < 0)
                        return r;
                r = dir_tree_set(l->tree, n, p, s->name, strlen(s->name));
                return r < 0 ? r : 1;
        }
        return 0;
}

/* Return: 1 learned, 0 no later event names it. */
static int learn_later(Locator *l, DirNode *n) {
        FileHandle h = dir_node_handle(n);
        const FanName *was = later_events_find(&l->later, &h);
        DirNode *p;
        int r;

        if (!was || !was->directory.bytes)
                return 0;
        r = dir_tree_get(l->tree, &was->directory, &p);
        if (r < 0)
                return r;
        r = dir_tree_set(l->tree, n, p, was->name, was->n_name);
        return r < 0 ? r : 1;
}

static int ask_filesystem(Locator *l, const DirNode *n) {
        FileHandle h = dir_node_handle(n);
        int r;

        l->live.n_steps = 0;
        /* Of an index, it was moved to where nothing is watched; or it is unknown for good. */
        if (l->is_index && n->is_outside)
                return -EXDEV;
        if (!l->mount || l->is_index)
                return -ESTALE;
        r = live_mount_walk(l->mount, &h, parent_is_known, l, &l->live);
        if (r < 0) {
                l->live.n_steps = 0;
                return r;
        }
        /* True now; whether it was true at the event, the events up to now must tell. */
        return -EAGAIN;
}

/* Makes the node and all above it known. */
static int learn_way_up(Locator *l, DirNode *start, bool is_read_on) {
        size_t depth = 0;

        for (DirNode *n = start; !n->is_root; n = n->parent) {
                PathSource source;
                int r;

                if (++depth > DIR_TREE_MAX_DEPTH)
                        return -ELOOP;
                if (n->parent)
                        continue;
                source = PATH_SOURCE_RMDIR;
                r = learn_later(l, n);
                if (r == 0 && is_read_on) {
                        source = PATH_SOURCE_HANDLE;
                        r = learn_live(l, n);
                }
                if (r == 0)
                        return ask_filesystem(l, n);
                if (r < 0)
                        return r;
                if (l->source == PATH_SOURCE_CACHE || l->source == PATH_SOURCE_INDEX)
                        l->source = source;
        }
        return 0;
}

static int place_compute(Locator *l, DirNode *n) {
        char *path;
        int r;

        buffer_clear(&l->path);
        r = dir_tree_path(l->tree, n, &l->path);
        if (r < 0)
                return r;
        n->place.class = scope_set_classify(l->scopes, l->path.bytes, l->path.n_bytes, &l->visible,
                                            &n->place.mount);
        path = strndup(buffer_terminate(&l->visible), l->visible.n_bytes);
        if (!path || l->visible.is_failed || l->path.is_failed) {
                free(path);
                return -ENOMEM;
        }
        free(n->place.path);
        n->place.path = path;
        n->place.n_path = l->visible.n_bytes;
        n->place_epoch = dir_tree_epoch(l->tree);
        return 0;
}

static int find_place(Locator *l, DirNode *n, bool is_read_on) {
        int r;

        /* Nothing above has changed since: the steady state of a storm ends here. */
        if (n->place_epoch == dir_tree_epoch(l->tree))
                return 0;
        r = learn_way_up(l, n, is_read_on);
        if (r < 0)
                return r;
        l->live.n_steps = 0;
        return place_compute(l, n);
}

int locator_find(Locator *l, const FileHandle *directory, bool is_read_on,
                 const DirPlace **ret_place, PathSource *ret_source) {
        DirNode *n;
        int r;

        if (!is_read_on)
                l->source = l->is_index ? PATH_SOURCE_INDEX : PATH_SOURCE_CACHE;
        r = dir_tree_get(l->tree, directory, &n);
        if (r < 0)
                return r;
        r = find_place(l, n, is_read_on);
        /* Whatever came of it: each directory asked for in vain has left nodes behind, too. */
        dir_tree_evict(l->tree, n);
        if (r < 0)
                return r;
        *ret_place = &n->place;
        *ret_source = l->source;
        return 0;
}

int locator_look_ahead(Locator *l, const FileHandle *directory) {
        const DirPlace *place;
        PathSource source;
        int r = -EAGAIN;

        for (int i = 0; i < LOOK_AHEAD_MAX_TRIES && r == -EAGAIN; i++)
                r = locator_find(l, directory, true, &place, &source);
        return r == -ENOMEM ? r : 0;
}

void locator_give_up(Locator *l, const FileHandle *directory) {
        DirNode *n;

        if (dir_tree_get(l->tree, directory, &n) >= 0)
                n->is_lost = true;
        dir_tree_evict(l->tree, NULL);
}

bool locator_is_lost(Locator *l, const FileHandle *directory) {
        DirNode *n = dir_tree_find(l->tree, directory);

        return n && n->is_lost;
}

/*
 * A directory that was found by a walk is where it was found: what it did before was queued before
 * it had a mark, and is known by names that are not those of its node.
 */
static bool is_old_story(const DirNode *n, const FanName *from) {
        FileHandle parent;

        if (!n->parent || !from->directory.bytes)
                return false;
        parent = dir_node_handle(n->parent);
        return !file_handle_equal(&parent, &from->directory) || n->n_name != from->n_name ||
               memcmp(n->name, from->name, n->n_name) != 0;
}

static void apply_rename(Locator *l, DirNode *n, const FanName *from, const FanName *to) {
        DirNode *parent;

        if (l->is_index && is_old_story(n, from))
                return;

        if (to->directory.bytes && dir_tree_get(l->tree, &to->directory, &parent) >= 0)
                dir_tree_set(l->tree, n, parent, to->name, to->n_name);
        else if (dir_tree_use_found(l->tree, n) < 0)
                dir_tree_forget(l->tree, n);
        n->is_outside = !dir_node_is_known(n);
}

void locator_apply(Locator *l, const FlightEvent *e) {
        DirNode *n;

        if (!later_events_concern(&e->fan)) {
                /* Without targets it is not known which directory was moved. */
                if ((e->fan.mask & FAN_ONDIR) && (e->fan.mask & (FAN_MOVED_FROM | FAN_MOVED_TO)))
                        locator_forget_all(l);
                return;
        }
        later_events_remove(&l->later, e);
        n = dir_tree_find(l->tree, &e->fan.target);
        if (!n || n->is_root)
                return;
        if (e->fan.mask & FAN_DELETE)
                dir_tree_remove(l->tree, n);
        else
                apply_rename(l, n, &e->fan.old_name, &e->fan.new_name);
}

int locator_fs_path(Locator *l, const FanName *name, Buffer *ret_path) {
        DirNode *n = dir_tree_find(l->tree, &name->directory);
        int r;

        buffer_clear(ret_path);
        r = n ? dir_tree_path(l->tree, n, ret_path) : -ENOENT;
        if (r < 0)
                return r;
        if (ret_path->n_bytes > 1)
                buffer_append_char(ret_path, '/');
        buffer_append(ret_path, name->name, name->n_name);
        return ret_path->is_failed ? -ENOMEM : 0;
}

void locator_forget_all(Locator *l) {
        /* An index cannot be learned anew by asking; it is walked again instead. */
        if (l->is_index)
                return;
        dir_tree_forget_all(l->tree);
}

void locator_show(Locator *l, const char *path, Buffer *ret_path) {
        const ScopeMount *mount;

        buffer_clear(&l->path);
        buffer_clear(ret_path);
        if (dir_tree_path(l->tree, dir_tree_root(l->tree), &l->path) < 0)
                return;
        if (l->path.n_bytes == 1)
                buffer_clear(&l->path);
        buffer_append_string(&l->path, path);
        if (!l->path.is_failed)
                (void)scope_set_classify(l->scopes, l->path.bytes, l->path.n_bytes, ret_path,
                                         &mount);
}

const DirTree *locator_tree(const Locator *l) {
        return l->tree;
}
