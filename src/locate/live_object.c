/* SPDX-License-Identifier: MIT */

/*
 * open_by_handle_at(2) of what is no directory.
 *
 * Its handle does not say where it is: what /proc/self/fd shows is any name that is in the kernel's
 * cache, deleted ones and none at all included.  So a path counts only when it leads back to the
 * object.
 */

#include "locate/live_object.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"

static bool leads_to(int fd, const char *path, const struct stat *st) {
        struct stat found;

        return fstatat(fd, path, &found, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) >= 0 &&
               found.st_dev == st->st_dev && found.st_ino == st->st_ino;
}

/* Another name in a directory. Return: was one found? */
static bool find_name(int directory_fd, const struct stat *st, char ret_name[static NAME_MAX + 1]) {
        _cleanup_closedir_ DIR *d = directory_list(directory_fd, ".");
        const struct dirent *e;

        for (size_t i = 0; d && i < LIVE_OBJECT_SCAN_MAX && (e = readdir(d)); i++) {
                if (e->d_ino != st->st_ino || !leads_to(directory_fd, e->d_name, st))
                        continue;
                snprintf(ret_name, NAME_MAX + 1, "%s", e->d_name);
                return true;
        }
        return false;
}

static void find_beside(const LiveMount *m, const FileHandle *directory, const struct stat *st,
                        char ret_path[static PATH_MAX]) {
        _cleanup_close_ int fd = live_mount_open(m, directory);
        char name[NAME_MAX + 1];
        int n;

        if (fd < 0 || !find_name(fd, st, name))
                return;
        n = live_mount_path_of(fd, ret_path);
        if (n <= 0 || (size_t)n + 1 + strlen(name) >= PATH_MAX) {
                ret_path[0] = '\0';
                return;
        }
        snprintf(ret_path + n, PATH_MAX - (size_t)n, "%s%s", n > 1 ? "/" : "", name);
}

int live_object_read(const LiveMount *m, const FileHandle *object, const FileHandle *directory,
                     LiveObject *ret_object) {
        _cleanup_close_ int fd = live_mount_open(m, object);
        const struct stat *st = &ret_object->status;
        char *path = ret_object->path;

        if (fd < 0)
                return fd;
        if (fstat(fd, &ret_object->status) < 0)
                return -errno;
        path[0] = '\0';
        if (st->st_nlink == 0)
                return 0;
        if (live_mount_path_of(fd, path) <= 1 || !leads_to(live_mount_fd(m), path + 1, st)) {
                path[0] = '\0';
                if (directory->bytes)
                        find_beside(m, directory, st, path);
                if (path[0] != '\0' && !leads_to(live_mount_fd(m), path + 1, st))
                        path[0] = '\0';
        }
        return 0;
}
