/* SPDX-License-Identifier: MIT */

/* The mount namespaces of all processes, each looked at once. */

#include "capture/foreign_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "capture/coverage.h"

typedef struct Namespaces {
        ino_t *inodes;
        size_t n;
} Namespaces;

static void namespaces_done(Namespaces *n) {
        free(n->inodes);
}

static bool has_device(const MountTable *t, dev_t device) {
        for (size_t i = 0; i < t->n_mounts; i++)
                if (t->mounts[i].device == device)
                        return true;
        return false;
}

static bool is_seen(const dev_t *seen, size_t n_seen, dev_t device) {
        for (size_t i = 0; i < n_seen; i++)
                if (seen[i] == device)
                        return true;
        return false;
}

static int take_example(ForeignMounts *f, const Mount *m, pid_t pid) {
        f->point = strdup(m->point);
        f->fstype = strdup(m->fstype);
        if (!f->point || !f->fstype)
                return -ENOMEM;
        f->pid = pid;
        return 0;
}

int foreign_mounts_add(ForeignMounts *f, const MountTable *own, const MountTable *other, pid_t pid,
                       dev_t **seen, size_t *n_seen) {
        for (size_t i = 0; i < other->n_mounts; i++) {
                const Mount *m = &other->mounts[i];
                dev_t *grown;

                if (coverage_is_pseudo(m->fstype) || has_device(own, m->device) ||
                    is_seen(*seen, *n_seen, m->device))
                        continue;
                grown = reallocarray(*seen, *n_seen + 1, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                *seen = grown;
                grown[(*n_seen)++] = m->device;
                f->n_filesystems++;
                if (!f->point && take_example(f, m, pid) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Return: 1 not met before, 0 met before, -ENOMEM. */
static int meet(Namespaces *met, ino_t inode) {
        ino_t *grown;

        for (size_t i = 0; i < met->n; i++)
                if (met->inodes[i] == inode)
                        return 0;
        grown = reallocarray(met->inodes, met->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        met->inodes = grown;
        grown[met->n++] = inode;
        return 1;
}

/* Return: 1 with the inode of its namespace, 0 it is gone, -EACCES it is somebody else's. */
static int namespace_of(int proc_fd, const char *name, ino_t *ret_inode) {
        struct stat st;
        char path[32];

        snprintf(path, sizeof(path), "%.16s/ns/mnt", name);
        if (fstatat(proc_fd, path, &st, 0) < 0)
                return errno == EACCES || errno == EPERM ? -EACCES : 0;
        *ret_inode = st.st_ino;
        return 1;
}

static int look_at(int proc_fd, const char *name, const MountTable *own, Namespaces *met,
                   dev_t **seen, size_t *n_seen, ForeignMounts *f) {
        _cleanup_mount_table_ MountTable other = {0};
        pid_t pid = (pid_t)strtol(name, NULL, 10);
        ino_t inode;
        int r;

        r = namespace_of(proc_fd, name, &inode);
        if (r == -EACCES) {
                f->n_unreadable++;
                return 0;
        }
        if (r > 0)
                r = meet(met, inode);
        if (r <= 0)
                return r;
        r = mount_table_read_of(proc_fd, pid, &other);
        if (r < 0) {
                /* Gone meanwhile, perhaps: another process of the namespace may still be met. */
                met->n--;
                f->n_unreadable += r == -EACCES || r == -EPERM;
                return r == -ENOMEM ? r : 0;
        }
        f->n_namespaces++;
        return foreign_mounts_add(f, own, &other, pid, seen, n_seen);
}

int foreign_mounts_find(int proc_fd, const MountTable *own, ForeignMounts *ret) {
        _cleanup_foreign_mounts_ ForeignMounts f = {0};
        _cleanup_closedir_ DIR *d = NULL;
        _cleanup_free_ dev_t *seen = NULL;
        _cleanup_(namespaces_done) Namespaces met = {0};
        size_t n_seen = 0;
        struct dirent *e;
        ino_t inode;
        int fd, r = 0;

        fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        d = fd < 0 ? NULL : fdopendir(fd);
        if (!d) {
                r = -errno;
                cleanup_close(&fd);
                return r;
        }
        if (namespace_of(proc_fd, "self", &inode) > 0)
                r = meet(&met, inode);
        while (r >= 0 && (e = readdir(d)))
                if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
                        r = look_at(proc_fd, e->d_name, own, &met, &seen, &n_seen, &f);
        if (r < 0)
                return r;
        *ret = f;
        f = (ForeignMounts){0};
        return 0;
}

void foreign_mounts_done(ForeignMounts *f) {
        free(f->point);
        free(f->fstype);
        *f = (ForeignMounts){0};
}
