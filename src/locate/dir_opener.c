/* SPDX-License-Identifier: MIT */

/*
 * The tree is as old as the oldest event in flight, a path must be as new as the filesystem: so the
 * last event in flight about each directory on the way up is asked first.  What is opened is then
 * compared, for there may be events which nobody has read.
 *
 * A path longer than PATH_MAX is opened in pieces.
 *
 * Under RestrictSUIDSGID= of systemd 257 there is no openat2, since a seccomp filter cannot read
 * its arguments: then each name is opened on its own, and compared with the mount that it must be
 * on.
 *
 * Source: openat2(2), Linux 5.6; STATX_MNT_ID of statx(2), Linux 5.8.
 */

#include "locate/dir_opener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "locate/handle_buffer.h"

#define READ_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define PASS_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

void dir_opener_done(DirOpener *o) {
        free(o->names);
        *o = (DirOpener){.root_fd = -1};
}

static int mount_of(int fd, uint64_t *ret_id) {
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) < 0)
                return -errno;
        if (!(st.stx_mask & STATX_MNT_ID))
                return -ENOSYS;
        *ret_id = st.stx_mnt_id;
        return 0;
}

/* As open_below(), name by name. */
static int open_by_steps(int directory_fd, const char *path, uint64_t flags, int *ret_fd) {
        _cleanup_close_ int at_fd = -1;
        uint64_t mount, other;
        int r = mount_of(directory_fd, &mount), fd;

        if (r < 0)
                return r;
        if (*path == '/')
                return -EXDEV;
        while (*path) {
                size_t n = strcspn(path, "/");
                char name[NAME_MAX + 1];

                if (n > NAME_MAX)
                        return -ENAMETOOLONG;
                memcpy(name, path, n);
                name[n] = '\0';
                if (strcmp(name, "..") == 0)
                        return -EXDEV;
                path += n + strspn(path + n, "/");
                fd = openat(at_fd >= 0 ? at_fd : directory_fd, name, PASS_FLAGS);
                if (fd < 0)
                        return -errno;
                cleanup_close(&at_fd);
                at_fd = fd;
                r = mount_of(at_fd, &other);
                if (r < 0 || other != mount)
                        return r < 0 ? r : -EXDEV;
        }
        fd = openat(at_fd >= 0 ? at_fd : directory_fd, ".", (int)flags);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

static int open_below(int directory_fd, const char *path, uint64_t flags, int *ret_fd) {
        struct open_how how = {
                .flags = flags,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
        };
        int fd = (int)syscall(SYS_openat2, directory_fd, path, &how, sizeof(how));

        if (fd < 0)
                return errno == ENOSYS ? open_by_steps(directory_fd, path, flags, ret_fd) : -errno;
        *ret_fd = fd;
        return 0;
}

int dir_opener_open_at(int directory_fd, const char *name, int *ret_fd) {
        int r = open_below(directory_fd, name, READ_FLAGS | O_NOATIME, ret_fd);

        /* A FUSE server may refuse what its own user may not do. */
        return r == -EPERM ? open_below(directory_fd, name, READ_FLAGS, ret_fd) : r;
}

static int add_name(DirOpener *o, const char *name, size_t n) {
        if (o->n_names == DIR_TREE_MAX_DEPTH)
                return -ELOOP;
        if (o->n_names == o->n_allocated) {
                size_t n_allocated = o->n_allocated ? 2 * o->n_allocated : 32;
                struct DirOpenerName *names = reallocarray(o->names, n_allocated, sizeof(*names));

                if (!names)
                        return -ENOMEM;
                o->names = names;
                o->n_allocated = n_allocated;
        }
        o->names[o->n_names++] = (struct DirOpenerName){.at = name, .n = n};
        return 0;
}

/* Fills in the names from the directory up to the root. */
static int find_names(DirOpener *o, const DirNode *n) {
        o->n_names = 0;
        while (!n->is_root) {
                FileHandle h = dir_node_handle(n);
                FanName now;
                int r;

                if (later_events_last(o->later, &h, &now)) {
                        r = now.directory.bytes ? add_name(o, now.name, now.n_name) : -ENOENT;
                        n = r < 0 ? NULL : dir_tree_find(o->tree, &now.directory);
                } else {
                        r = add_name(o, n->name, n->n_name);
                        n = n->parent;
                }
                if (r < 0)
                        return r;
                if (!n)
                        return -ESTALE;
        }
        return 0;
}

/* Puts as many names as fit, from the end of the list on. */
static void take_path(DirOpener *o, char ret_path[static PATH_MAX]) {
        size_t n = 0;

        while (o->n_names > 0) {
                const struct DirOpenerName *name = &o->names[o->n_names - 1];

                if (n + 1 + name->n >= PATH_MAX)
                        break;
                if (n > 0)
                        ret_path[n++] = '/';
                memcpy(ret_path + n, name->at, name->n);
                n += name->n;
                o->n_names--;
        }
        ret_path[n] = '\0';
}

static int open_names(DirOpener *o, int *ret_fd) {
        _cleanup_close_ int fd = -1;
        char path[PATH_MAX];
        int r;

        if (o->n_names == 0)
                return dir_opener_open_at(o->root_fd, ".", ret_fd);
        for (;;) {
                int from = fd >= 0 ? fd : o->root_fd, next = -1;

                take_path(o, path);
                if (o->n_names == 0)
                        return dir_opener_open_at(from, path, ret_fd);
                r = open_below(from, path, PASS_FLAGS, &next);
                if (r < 0)
                        return r;
                cleanup_close(&fd);
                fd = next;
        }
}

int dir_opener_open(DirOpener *o, const DirNode *n, int *ret_fd) {
        _cleanup_close_ int fd = -1;
        FileHandle is, wanted = dir_node_handle(n);
        HandleBuffer b;
        int r;

        r = find_names(o, n);
        if (r < 0)
                return r;
        r = open_names(o, &fd);
        if (r >= 0)
                r = handle_buffer_take(fd, &b);
        /* Another one has taken its place, or a link. */
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                return -ESTALE;
        if (r < 0)
                return r;
        is = handle_buffer_view(&b);
        if (!file_handle_equal(&is, &wanted))
                return -ESTALE;
        *ret_fd = take_fd(&fd);
        return 0;
}
