/* SPDX-License-Identifier: MIT */

/* Listing a directory without leaving a trace in it. */

#include "base/directory.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"

#define LIST_FLAGS (O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)

DIR *directory_list(int directory_fd, const char *path) {
        _cleanup_close_ int fd = openat(directory_fd, path, LIST_FLAGS | O_NOATIME);
        DIR *d;

        /* Only its owner may, and the server of a FUSE filesystem may take us for somebody else. */
        if (fd < 0 && errno == EPERM)
                fd = openat(directory_fd, path, LIST_FLAGS);
        if (fd < 0)
                return NULL;
        d = fdopendir(fd);
        if (d)
                fd = -1;
        return d;
}
