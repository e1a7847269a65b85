/* SPDX-License-Identifier: MIT */

/*
 * The walk of a tree that changes under it.
 *
 * A directory is first marked and then listed: what comes into it before the listing is listed,
 * what comes later is told, and what is seen twice is found in the tree by its handle.  Between the
 * opening of a directory and its node in the tree no event is applied to the tree; whatever
 * happened to it before its parent's mark was looked through, and whatever happens from then on is
 * queued and will change the node in its turn.  So nodes are neither missed nor doubled, and they
 * never tell a later place than that of the event which is being located.
 *
 * What waits to be listed waits on a stack, so that a walk in depth holds little; those on top are
 * kept open, so that they need not be looked for again.
 *
 * Marks, measured on Linux 6.18: an inode's mark holds the inode, so that it and the handle stay
 * when memory is short (drop_caches), over renames and over remounts.  Of an overlay the handle is
 * that of the lowest directory it is made of, and stays when that is copied up: deletions in it,
 * redirect_dir and nfs_export change nothing.  Marks do not keep a filesystem from being unmounted.
 *
 * Limits: what is deleted in a new directory before its mark is not told.  A directory that was
 * moved out of sight keeps its marks: without a path there is no way to it; its events are known by
 * its node and dropped.
 *
 * Source: fs/notify/mark.c, ovl_check_encode_origin() in fs/overlayfs/export.c of Linux 6.18.
 */

#include "locate/dir_index.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"
#include "locate/dir_opener.h"
#include "locate/handle_buffer.h"

/* Of those that wait, so many are open. */
#define OPEN_MAX_WAITING 64
/* Names of one listing between two looks at the clock. */
#define LIST_MAX_NAMES 16
/* New directories of one dir_index_follow(), so that deletions get their turn. */
#define FOLLOW_MAX_EVENTS 1024
/* How long a directory may be nowhere: events that tell where it went are read all the time. */
#define ASTRAY_MAX_NSEC (2 * UINT64_C(1000000000))

/* A directory that is to be listed. */
typedef struct Waiting {
        struct Waiting *next;
        uint64_t since_nsec; /* it was first looked for in vain; 0 never */
        int fd;              /* -1: look for it */
        bool is_walk;        /* of a walk, not one that has come */
        int32_t handle_type;
        uint32_t n_handle;
        uint8_t handle[];
} Waiting;

struct DirIndex {
        FanGroup *group;
        NewDirectories *new_directories;
        const ScopeSet *scopes;
        DirTree *tree;
        DirOpener opener;
        /* Stacks: one could grow for ever, where directories come faster than they are listed. */
        Waiting *walk;
        Waiting *fresh;
        Waiting *astray; /* not where they were thought to be: for later */
        size_t n_walk;   /* on all of them, and being listed */
        size_t n_open;
        Waiting *listed; /* the one that is being listed … */
        DIR *listing;    /* … so far */
        uint32_t round;
        bool is_walk_turn;
        Buffer path, visible;
        DirIndexGaps gaps;
        char *gap_path;
        size_t n_outside; /* mounts that the walk cannot come to */
        uint64_t n_walks;
        bool is_stopped;
};

static Waiting *waiting_free(DirIndex *x, Waiting *w) {
        if (w) {
                if (w->fd >= 0) {
                        close(w->fd);
                        x->n_open--;
                }
                if (w->is_walk && --x->n_walk == 0)
                        x->n_walks++;
                free(w);
        }
        return NULL;
}

static void waiting_free_all(DirIndex *x, Waiting **stack) {
        while (*stack) {
                Waiting *w = *stack;

                *stack = w->next;
                waiting_free(x, w);
        }
}

static void put_on(Waiting **stack, Waiting *w) {
        w->next = *stack;
        *stack = w;
}

static DirNode *waiting_node(const DirIndex *x, const Waiting *w) {
        FileHandle h = {.type = w->handle_type, .n_bytes = w->n_handle, .bytes = w->handle};

        return dir_tree_find(x->tree, &h);
}

/* @fd: the directory, taken when there is room for it; may hold -1 */
static int push(DirIndex *x, const DirNode *n, int *fd, bool is_walk) {
        Waiting *w = malloc(sizeof(*w) + n->n_handle);

        if (!w)
                return -ENOMEM;
        w->is_walk = is_walk;
        x->n_walk += is_walk;
        w->fd = -1;
        if (*fd >= 0 && x->n_open < OPEN_MAX_WAITING) {
                w->fd = take_fd(fd);
                x->n_open++;
        }
        w->since_nsec = 0;
        w->handle_type = n->handle_type;
        w->n_handle = n->n_handle;
        memcpy(w->handle, n->handle, n->n_handle);
        put_on(is_walk ? &x->walk : &x->fresh, w);
        return 0;
}

static int push_unopened(DirIndex *x, const DirNode *n, bool is_walk) {
        int fd = -1;

        return push(x, n, &fd, is_walk);
}

/* The path of what is called so in a directory; empty when it is not known. */
static void set_path(DirIndex *x, const DirNode *n, const char *name, size_t n_name) {
        buffer_clear(&x->path);
        if (dir_tree_path(x->tree, n, &x->path) < 0) {
                buffer_clear(&x->path);
                return;
        }
        if (n_name == 0)
                return;
        if (x->path.n_bytes > 1)
                buffer_append_char(&x->path, '/');
        buffer_append(&x->path, name, n_name);
}

static void note_gap_at(DirIndex *x, int error, const char *path, size_t n_path) {
        if (x->gaps.n_directories++ > 0)
                return;
        x->gaps.error = error;
        free(x->gap_path);
        x->gap_path = strndup(path, n_path);
}

static void note_gap(DirIndex *x, int error, const DirNode *n, const char *name, size_t n_name) {
        set_path(x, n, name, n_name);
        note_gap_at(x, error, buffer_terminate(&x->path), x->path.n_bytes);
}

/* What is called so is not there any more, is no directory, or is of another filesystem. */
static bool is_no_directory(int error) {
        return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -ESTALE ||
               error == -EXDEV;
}

static ScopeClass class_of(DirIndex *x, const DirNode *parent, const char *name, size_t n_name) {
        const ScopeMount *mount;
        ScopeClass class;

        if (parent && parent->is_deep)
                return SCOPE_ALL;
        set_path(x, parent ? parent : dir_tree_root(x->tree), name, n_name);
        if (x->path.n_bytes == 0)
                return SCOPE_NONE;
        class = scope_set_classify(x->scopes, x->path.bytes, x->path.n_bytes, &x->visible, &mount);
        /* Nobody asked for it where it is, but for what is mounted elsewhere of a directory below.
         */
        if (class == SCOPE_NONE &&
            scope_set_find_mount_of(x->scopes, x->path.bytes, x->path.n_bytes))
                class = SCOPE_SOME;
        return class;
}

/* Marks an open directory that has a node, once. Return: 1 it is new, 0 it was marked, errors. */
static int mark(DirIndex *x, int fd, DirNode *n, bool is_deep) {
        bool is_widened = is_deep && !n->is_deep, is_new = !n->is_marked;
        int r;

        if (is_new) {
                if (dir_tree_n_marked(x->tree) >= DIR_INDEX_MAX_DIRECTORIES)
                        return -ENOSPC;
                /* In this order: what is told to have come is told to have moved there, too. */
                r = fan_group_mark_directory(x->group, fd);
                if (r >= 0)
                        r = new_directories_mark(x->new_directories, fd);
                if (r < 0)
                        return r;
                dir_tree_set_marked(x->tree, n);
        }
        is_new = is_new || is_widened || n->round != x->round;
        n->is_deep = n->is_deep || is_deep;
        n->round = x->round;
        return is_new;
}

static int get_node(DirIndex *x, int fd, DirNode **ret_node) {
        HandleBuffer b;
        FileHandle h;
        int r = handle_buffer_take(fd, &b);

        if (r < 0)
                return r;
        h = handle_buffer_view(&b);
        return dir_tree_get(x->tree, &h, ret_node);
}

/* The next node below `top`, those below it first; NULL none. */
static DirNode *next_below(const DirNode *top, DirNode *n) {
        if (n->first_child)
                return n->first_child;
        while (n != top && !n->next_sibling)
                n = n->parent;
        return n == top ? NULL : n->next_sibling;
}

int dir_index_return(DirIndex *x, const FileHandle *directory) {
        DirNode *top = dir_tree_find(x->tree, directory);

        for (DirNode *n = top; n && !x->is_stopped; n = next_below(top, n)) {
                if (!n->is_unlisted)
                        continue;
                if (push_unopened(x, n, false) < 0)
                        return -ENOMEM;
                n->is_unlisted = false;
        }
        return 0;
}

static bool is_at(const DirNode *n, const DirNode *parent, const char *name, size_t n_name) {
        return n->parent == parent && n->n_name == n_name && memcmp(n->name, name, n_name) == 0;
}

/*
 * A directory that is marked is seen at a place. Was it moved there from where no mark was yet, no
 * event names this place: of an event that only says that it went it is the answer.
 */
static int find_again(DirIndex *x, DirNode *n, DirNode *parent, const char *name, size_t n_name) {
        FileHandle h = dir_node_handle(n);
        FanName now;

        if (n->is_root || is_at(n, parent, name, n_name))
                return 0;
        if (dir_node_is_known(n))
                return dir_tree_note_found(n, parent, name, n_name);
        if (later_events_last(x->opener.later, &h, &now))
                return 0;
        if (dir_tree_set(x->tree, n, parent, name, n_name) == -ENOMEM)
                return -ENOMEM;
        return dir_index_return(x, &h);
}

/* The node gets its place; after a loss of events a walk may find it elsewhere. */
static int place(DirIndex *x, DirNode *n, DirNode *parent, const char *name, size_t n_name) {
        FileHandle h = dir_node_handle(n);
        FanName now;

        if (dir_node_is_known(n)) {
                if (is_at(n, parent, name, n_name) || x->round == 1 ||
                    later_events_last(x->opener.later, &h, &now))
                        return find_again(x, n, parent, name, n_name);
        }
        /* A contradiction leaves it unknown, and an event in flight may tell more. */
        return dir_tree_set(x->tree, n, parent, name, n_name) == -ENOMEM ? -ENOMEM : 0;
}

/*
 * What is called so in an open directory: marks it if it is a directory that matters.
 * @listed: NULL: it has come
 *
 * Return: 0, -ENOMEM.
 */
static int add(DirIndex *x, int parent_fd, DirNode *parent, const char *name,
               const Waiting *listed) {
        _cleanup_close_ int fd = -1;
        size_t n_name = strlen(name);
        ScopeClass class = class_of(x, parent, name, n_name);
        DirNode *n;
        int r;

        if (class == SCOPE_NONE)
                return 0;
        r = dir_opener_open_at(parent_fd, name, &fd);
        if (r >= 0)
                r = get_node(x, fd, &n);
        if (is_no_directory(r))
                return 0;
        if (r >= 0)
                r = mark(x, fd, n, class == SCOPE_ALL);
        /* What has come is told of by its rename, too. */
        if (r == 0)
                return listed ? find_again(x, n, parent, name, n_name) : 0;
        if (r < 0) {
                note_gap(x, r, parent, name, n_name);
                return 0;
        }
        r = place(x, n, parent, name, n_name);
        return r < 0 ? r : push(x, n, &fd, listed && listed->is_walk);
}

/* What is mounted of the filesystem from outside of this root cannot be walked to. */
static void note_mounts_outside(DirIndex *x) {
        size_t n_outside = 0;

        set_path(x, dir_tree_root(x->tree), "", 0);
        for (size_t i = 0; i < x->scopes->n_mounts; i++) {
                const ScopeMount *m = &x->scopes->mounts[i];

                if (path_is_within(m->root, m->n_root, x->path.bytes, x->path.n_bytes) ||
                    !scope_set_find_mount_of(x->scopes, m->root, m->n_root))
                        continue;
                if (++n_outside <= x->n_outside)
                        continue;
                x->n_outside = n_outside;
                note_gap_at(x, -EXDEV, m->root, m->n_root);
        }
}

static int start(DirIndex *x) {
        DirNode *root = dir_tree_root(x->tree);
        _cleanup_close_ int fd = -1;
        int r;

        r = dir_opener_open_at(x->opener.root_fd, ".", &fd);
        if (r >= 0)
                r = mark(x, fd, root, class_of(x, NULL, "", 0) == SCOPE_ALL);
        note_mounts_outside(x);
        return r < 0 ? r : push(x, root, &fd, true);
}

int dir_index_new(FanGroup *group, const LiveMount *mount, const ScopeSet *scopes, DirTree *tree,
                  const LaterEvents *later, DirIndex **ret_index) {
        DirIndex *x = calloc(1, sizeof(*x));
        int r;

        if (!x)
                return -ENOMEM;
        x->group = group;
        x->scopes = scopes;
        x->tree = tree;
        x->opener = (DirOpener){.root_fd = live_mount_fd(mount), .tree = tree, .later = later};
        x->round = 1;
        r = new_directories_new(&x->new_directories);
        if (r >= 0)
                r = start(x);
        if (r < 0) {
                dir_index_free(x);
                return r;
        }
        dir_tree_set_max(tree, SIZE_MAX);
        *ret_index = x;
        return 0;
}

static void forget_waiting(DirIndex *x) {
        waiting_free_all(x, &x->walk);
        waiting_free_all(x, &x->fresh);
        waiting_free_all(x, &x->astray);
}

static void end_listing(DirIndex *x) {
        if (x->listing)
                closedir(x->listing);
        x->listing = NULL;
        x->listed = waiting_free(x, x->listed);
}

void dir_index_stop(DirIndex *x) {
        end_listing(x);
        forget_waiting(x);
        new_directories_stop(x->new_directories);
        x->opener.root_fd = -1;
        x->is_stopped = true;
}

DirIndex *dir_index_free(DirIndex *x) {
        if (!x)
                return NULL;
        end_listing(x);
        forget_waiting(x);
        new_directories_free(x->new_directories);
        dir_opener_done(&x->opener);
        buffer_done(&x->path);
        buffer_done(&x->visible);
        free(x->gap_path);
        free(x);
        return NULL;
}

int dir_index_fd(const DirIndex *x) {
        return new_directories_fd(x->new_directories);
}

void dir_index_walk_again(DirIndex *x) {
        if (x->is_stopped)
                return;
        x->round++;
        note_mounts_outside(x);
        dir_tree_root(x->tree)->round = x->round;
        /* Without memory the next loss asks for it again; there is nothing to lose but that. */
        (void)push_unopened(x, dir_tree_root(x->tree), true);
}

/* Puts a name into a directory whose node is known. Return: 0, -ENOMEM. */
static int follow_one(DirIndex *x, const FanName *name) {
        _cleanup_close_ int fd = -1;
        DirNode *parent = dir_tree_find(x->tree, &name->directory);
        char text[256];

        /* Not marked is what an event told of that came with the mark's end. */
        if (!parent || !parent->is_marked || name->n_name >= sizeof(text))
                return 0;
        /* Where it is not found now, it is looked for until it is, and then listed. */
        if (dir_opener_open(&x->opener, parent, &fd) < 0)
                return push_unopened(x, parent, false);
        memcpy(text, name->name, name->n_name);
        text[name->n_name] = '\0';
        return add(x, fd, parent, text, NULL);
}

int dir_index_follow(DirIndex *x) {
        FanName name;
        int r = 0;

        for (size_t i = 0; i < FOLLOW_MAX_EVENTS && !x->is_stopped; i++) {
                r = new_directories_next(x->new_directories, &name);
                if (r == 0)
                        break;
                if (r == -EBADMSG || (r > 0 && !name.directory.bytes)) {
                        dir_index_walk_again(x);
                        continue;
                }
                if (r > 0)
                        r = follow_one(x, &name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_out_of_sight(const DirNode *n) {
        for (size_t depth = 0; depth < DIR_TREE_MAX_DEPTH && !n->is_root; depth++) {
                if (n->is_outside || !n->parent)
                        return true;
                n = n->parent;
        }
        return false;
}

/* Not where it is thought to be. */
static void put_astray(DirIndex *x, Waiting *w, int error) {
        DirNode *n = waiting_node(x, w);
        uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);

        if (w->since_nsec == 0)
                w->since_nsec = now;
        /* Out of sight it cannot be opened: until it returns. */
        if (!n || error == -ENOENT || is_out_of_sight(n)) {
                if (n)
                        n->is_unlisted = true;
                waiting_free(x, w);
                return;
        }
        if (error != -ESTALE || now - w->since_nsec > ASTRAY_MAX_NSEC) {
                note_gap(x, error, n, "", 0);
                waiting_free(x, w);
                return;
        }
        put_on(&x->astray, w);
}

/* The next to be listed, by turns of those that were there and those that have come. */
static Waiting *take_next(DirIndex *x) {
        Waiting **stack = x->is_walk_turn ? &x->walk : &x->fresh, *w;

        x->is_walk_turn = !x->is_walk_turn;
        if (!*stack)
                stack = x->walk ? &x->walk : &x->fresh;
        w = *stack;
        if (w)
                *stack = w->next;
        return w;
}

/* Opens the next listing. Return: 1, 0 nothing waits, -EAGAIN try the next one, -ENOMEM. */
static int begin_listing(DirIndex *x) {
        Waiting *w = take_next(x);
        int fd = -1, r;

        if (!w)
                return 0;
        if (w->fd >= 0) {
                fd = take_fd(&w->fd);
                x->n_open--;
        } else {
                DirNode *n = waiting_node(x, w);

                r = n ? dir_opener_open(&x->opener, n, &fd) : -ESTALE;
                if (r == -ENOMEM) {
                        waiting_free(x, w);
                        return r;
                }
                if (r < 0) {
                        put_astray(x, w, r);
                        return -EAGAIN;
                }
        }
        x->listing = fdopendir(fd);
        if (!x->listing) {
                close(fd);
                waiting_free(x, w);
                return -ENOMEM;
        }
        x->listed = w;
        return 1;
}

static bool may_be_directory(const struct dirent *e) {
        if (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN)
                return false;
        return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Some names of the listing. Return: 1 there may be more, 0 that was all, -ENOMEM. */
static int list_some(DirIndex *x) {
        DirNode *n = waiting_node(x, x->listed);

        if (!n)
                return 0; /* it has been removed */
        for (size_t i = 0; i < LIST_MAX_NAMES; i++) {
                struct dirent *e;
                int r;

                errno = 0;
                e = readdir(x->listing);
                if (!e) {
                        if (errno != 0 && !is_no_directory(-errno))
                                note_gap(x, -errno, n, "", 0);
                        return 0;
                }
                r = 0;
                if (may_be_directory(e))
                        r = add(x, dirfd(x->listing), n, e->d_name, x->listed);
                if (r < 0)
                        return r;
        }
        return 1;
}

int dir_index_walk(DirIndex *x, uint64_t until_nsec) {
        int r;

        do {
                r = x->listing ? 1 : begin_listing(x);
                if (r == 0)
                        break;
                if (r == -EAGAIN)
                        continue;
                if (r > 0)
                        r = list_some(x);
                if (r <= 0)
                        end_listing(x);
                if (r < 0)
                        return r;
        } while (clock_now_nsec(CLOCK_MONOTONIC) < until_nsec);

        if (x->walk || x->fresh || x->listing)
                return 1;
        x->fresh = TAKE_PTR(x->astray);
        return x->fresh ? 1 : 0;
}

bool dir_index_is_walking(const DirIndex *x) {
        return x->walk || x->fresh || x->astray || x->listing;
}

uint64_t dir_index_n_walks(const DirIndex *x) {
        return x->n_walks;
}

size_t dir_index_n_directories(const DirIndex *x) {
        return dir_tree_n_marked(x->tree);
}

bool dir_index_take_gaps(DirIndex *x, DirIndexGaps *ret_gaps) {
        if (x->gaps.n_directories == 0)
                return false;
        x->gaps.path = x->gap_path ? x->gap_path : "";
        *ret_gaps = x->gaps;
        x->gaps = (DirIndexGaps){0};
        return true;
}
