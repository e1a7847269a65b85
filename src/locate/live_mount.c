/* SPDX-License-Identifier: MIT */

/*
 * open_by_handle_at(2) on a clone of the mount.
 *
 * Names are taken from readlink of /proc/self/fd/N, parents from "..": together one walk gives
 * every (parent, name) up to a directory that is known already, so that only new directories
 * cost anything.
 *
 * Limits: a directory that is being removed can answer with ENOMEM (ext4), with ENOENT, or with a
 * path that ends in " (deleted)" while the handle still opens: all that is ESTALE here (kernel.md,
 * section 4).  A path longer than a page cannot be read by readlink; its names are then looked for
 * in each parent.
 *
 * Source: open_by_handle_at(2), open_tree(2); fs/exportfs/expfs.c, fs/namei.c of Linux 6.18.
 */

#include "locate/live_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/btrfs_tree.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "locate/btrfs_top.h"
#include "locate/handle_buffer.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif

/* A directory that is moved between each two looks is given up after so many. */
#define WALK_MAX_TRIES 8
/* Levels; a longer way up than this cannot be made by mkdir in a lifetime of ours. */
#define WALK_MAX_STEPS 16384

struct LiveMount {
        int fd;
        bool is_whole;
        HandleBuffer root;
};

/* Of a detached mount, which stays the caller's. */
static int from_tree(int tree_fd, bool is_whole, LiveMount **ret_mount) {
        LiveMount *m = malloc(sizeof(*m));
        int r;

        if (!m)
                return -ENOMEM;
        /* open_by_handle_at() refuses an O_PATH descriptor, which open_tree() gives. */
        m->fd = openat(tree_fd, ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
        m->is_whole = is_whole;
        r = m->fd < 0 ? -errno : handle_buffer_take(m->fd, &m->root);
        if (r < 0) {
                live_mount_free(m);
                return r;
        }
        *ret_mount = m;
        return 0;
}

int live_mount_new(const char *point, bool is_whole, LiveMount **ret_mount) {
        _cleanup_close_ int tree_fd = -1;

        tree_fd = (int)syscall(SYS_open_tree, AT_FDCWD, point, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        return tree_fd < 0 ? -errno : from_tree(tree_fd, is_whole, ret_mount);
}

int live_mount_new_top(const char *point, const char *source, LiveMount **ret_mount) {
        _cleanup_close_ int tree_fd = -1;
        int r;

        r = btrfs_top_clone(point, source, &tree_fd);
        return r < 0 ? r : from_tree(tree_fd, true, ret_mount);
}

LiveMount *live_mount_free(LiveMount *m) {
        if (m) {
                cleanup_close(&m->fd);
                free(m);
        }
        return NULL;
}

void live_mount_freep(LiveMount **m) {
        live_mount_free(*m);
}

int live_mount_fd(const LiveMount *m) {
        return m->fd;
}

FileHandle live_mount_root(const LiveMount *m) {
        return handle_buffer_view(&m->root);
}

int live_mount_open(const LiveMount *m, const FileHandle *h) {
        HandleBuffer b;
        int fd;

        if (h->n_bytes > HANDLE_BUFFER_MAX_BYTES)
                return -ESTALE;
        b.handle.handle_bytes = h->n_bytes;
        b.handle.handle_type = h->type;
        memcpy(b.handle.f_handle, h->bytes, h->n_bytes);

        /* While a directory dies this can fail with about anything. */
        fd = open_by_handle_at(m->fd, &b.handle, O_PATH | O_NONBLOCK | O_CLOEXEC);
        return fd >= 0 ? fd : -ESTALE;
}

int live_mount_path_of(int fd, char ret_path[static PATH_MAX]) {
        char link[32];
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, ret_path, PATH_MAX);
        if (n < 0)
                return -errno;
        if (n == PATH_MAX)
                return -ENAMETOOLONG;
        ret_path[n] = '\0';
        return (int)n;
}

static bool is_entry_of(int parent_fd, const struct dirent *e, const struct stat *directory) {
        struct stat st;

        /* btrfs lists a subvolume by its own number; its root directory has always this one. */
        if (e->d_ino != directory->st_ino && directory->st_ino != BTRFS_FIRST_FREE_OBJECTID)
                return false;
        return fstatat(parent_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
               st.st_dev == directory->st_dev && st.st_ino == directory->st_ino;
}

/* The name of a directory by looking through its parent: slow, for paths that readlink refuses. */
static int name_by_scan(int parent_fd, const struct stat *directory, char ret_name[static 256]) {
        _cleanup_closedir_ DIR *d = directory_list(parent_fd, ".");
        struct dirent *e;

        if (!d)
                return -errno;
        while ((e = readdir(d))) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                    !is_entry_of(parent_fd, e, directory))
                        continue;
                snprintf(ret_name, 256, "%s", e->d_name);
                return 0;
        }
        return -ESTALE;
}

/* Takes the last component off a path that starts with '/'. */
static int name_from_path(const char *path, int *n_path, char ret_name[static 256]) {
        int start = *n_path;
        size_t n_name;

        while (start > 0 && path[start - 1] != '/')
                start--;
        n_name = (size_t)(*n_path - start);
        if (start == 0 || n_name == 0 || n_name > NAME_MAX)
                return -EAGAIN; /* shorter than the walk upwards: it was moved meanwhile */
        memcpy(ret_name, path + start, n_name);
        ret_name[n_name] = '\0';
        *n_path = start - 1;
        return 0;
}

static int chain_add(LiveChain *c, LiveStep **ret_step) {
        if (c->n_steps == WALK_MAX_STEPS)
                return -ELOOP;
        if (c->n_steps == c->n_allocated) {
                size_t n = c->n_allocated ? 2 * c->n_allocated : 8;
                LiveStep *steps = reallocarray(c->steps, n, sizeof(*steps));

                if (!steps)
                        return -ENOMEM;
                c->steps = steps;
                c->n_allocated = n;
        }
        *ret_step = &c->steps[c->n_steps++];
        return 0;
}

static void step_set_child(LiveStep *s, const FileHandle *h) {
        s->child_type = h->type;
        s->n_child = (uint8_t)h->n_bytes;
        memcpy(s->child, h->bytes, h->n_bytes);
}

static void step_set_parent(LiveStep *s, const FileHandle *h) {
        s->parent_type = h->type;
        s->n_parent = (uint8_t)h->n_bytes;
        memcpy(s->parent, h->bytes, h->n_bytes);
}

/*
 * One level: from the directory open as *fd to its parent, which takes its place.
 * n_path < 0: the path is too long to be read, look for the name.
 */
static int walk_step(int *fd, const FileHandle *child, const char *path, int *n_path, LiveChain *c,
                     HandleBuffer *ret_parent) {
        _cleanup_close_ int parent_fd = -1;
        LiveStep *step;
        FileHandle parent;
        struct stat st;
        int r;

        parent_fd = openat(*fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (parent_fd < 0)
                return errno == ENOENT ? -EXDEV : -errno;
        r = handle_buffer_take(parent_fd, ret_parent);
        if (r < 0)
                return r;
        r = chain_add(c, &step);
        if (r < 0)
                return r;
        step_set_child(step, child);
        parent = handle_buffer_view(ret_parent);
        step_set_parent(step, &parent);

        if (*n_path >= 0) {
                r = name_from_path(path, n_path, step->name);
        } else {
                r = fstat(*fd, &st) < 0 ? -errno : name_by_scan(parent_fd, &st, step->name);
        }
        if (r < 0)
                return r;

        close(*fd);
        *fd = take_fd(&parent_fd);
        return 0;
}

static int walk_up(const LiveMount *m, int directory_fd, const FileHandle *directory,
                   const char *path, int n_path, LiveStopFunction stop, void *userdata,
                   LiveChain *ret_chain) {
        _cleanup_close_ int fd = -1;
        FileHandle root = live_mount_root(m), child = *directory;
        HandleBuffer buffers[2];

        fd = fcntl(directory_fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
                return -errno;

        for (unsigned i = 0;; i ^= 1) {
                char long_path[PATH_MAX];
                int r;

                /* Far enough up, what was too long to be read can be read. */
                if (n_path < 0) {
                        n_path = live_mount_path_of(fd, long_path);
                        if (n_path >= 0)
                                path = long_path;
                }
                r = walk_step(&fd, &child, path, &n_path, ret_chain, &buffers[i]);
                if (r < 0)
                        return r;
                /* The buffer of the level before is not needed any more. */
                child = handle_buffer_view(&buffers[i]);
                if (file_handle_equal(&child, &root) || stop(userdata, &child))
                        return 0;
        }
}

static int walk_checked(LiveMount *m, const FileHandle *directory, LiveStopFunction stop,
                        void *userdata, LiveChain *ret_chain) {
        _cleanup_close_ int fd = -1;
        char path[PATH_MAX], again[PATH_MAX];
        struct stat st;
        int r = -EAGAIN;

        fd = live_mount_open(m, directory);
        if (fd < 0)
                return fd;

        for (int i = 0; i < WALK_MAX_TRIES && r == -EAGAIN; i++) {
                int n_path, n_again;

                if (fstat(fd, &st) < 0)
                        return -errno;
                if (st.st_nlink == 0)
                        return -ESTALE;

                n_path = live_mount_path_of(fd, path);
                if (n_path < 0 && n_path != -ENAMETOOLONG)
                        return n_path;
                /* An object outside of the mount's root prints as "/" too. */
                if (n_path == 1)
                        return -EXDEV;

                ret_chain->n_steps = 0;
                r = walk_up(m, fd, directory, path, n_path, stop, userdata, ret_chain);
                if (r < 0)
                        continue;
                n_again = live_mount_path_of(fd, again);
                if (n_again != n_path || (n_path >= 0 && memcmp(path, again, (size_t)n_path) != 0))
                        r = -EAGAIN;
        }
        return r;
}

int live_mount_walk(LiveMount *m, const FileHandle *directory, LiveStopFunction stop,
                    void *userdata, LiveChain *ret_chain) {
        int r = walk_checked(m, directory, stop, userdata, ret_chain);

        if (r >= 0 || r == -ENOMEM)
                return r;
        /* Of a whole filesystem nothing lies outside: what seems to is on its way out. */
        return r == -EXDEV && !m->is_whole ? -EXDEV : -ESTALE;
}
