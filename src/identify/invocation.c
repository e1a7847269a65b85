/* SPDX-License-Identifier: MIT */

/*
 * What a manager leaves about the run of an active unit.
 *
 * Limits: read after the unit was started again, it is that of the later run; who asks at a
 * program's start, or while the process lives, is right.
 */

#include "identify/invocation.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "identify/cgroup.h"

#define N_DIGITS (INVOCATION_ID_BYTES - 1)
#define ATTRIBUTE "user.invocation_id"

/* Where systemd's hierarchy may be: version 2, hybrid, version 1. */
static const char *const hierarchies[] = {"sys/fs/cgroup", "sys/fs/cgroup/unified",
                                          "sys/fs/cgroup/systemd"};

/* Return: bytes, or a negative errno. */
static ssize_t read_link(int root_fd, const CgroupUnits *u, char ret_id[static N_DIGITS + 1]) {
        char path[PATH_MAX];
        ssize_t n;

        n = snprintf(path, sizeof(path), "run/systemd/units/invocation:%.*s", (int)u->n_unit,
                     u->unit);
        if ((size_t)n >= sizeof(path))
                return -ENAMETOOLONG;
        n = readlinkat(root_fd, path, ret_id, N_DIGITS + 1);
        return n < 0 ? -errno : n;
}

/* The same; the unit's own group is what stands up to its name. */
static ssize_t read_attribute(int root_fd, const char *cgroup, const CgroupUnits *u,
                              char ret_id[static N_DIGITS + 1]) {
        const int n_group = (int)(u->user_unit + u->n_user_unit - cgroup);

        for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++) {
                _cleanup_close_ int fd = -1;
                char path[PATH_MAX];
                ssize_t n;

                n = snprintf(path, sizeof(path), "%s%.*s", hierarchies[i], n_group, cgroup);
                if ((size_t)n >= sizeof(path))
                        return -ENAMETOOLONG;
                fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (fd < 0)
                        continue;
                n = fgetxattr(fd, ATTRIBUTE, ret_id, N_DIGITS + 1);
                return n < 0 ? -errno : n;
        }
        return -ENOENT;
}

int invocation_read(int root_fd, const char *cgroup, char ret_id[static INVOCATION_ID_BYTES]) {
        char id[N_DIGITS + 1] = "";
        CgroupUnits u;
        ssize_t n;

        cgroup_units_parse(cgroup, strlen(cgroup), &u);
        if (!u.unit)
                return -ENODATA;
        n = u.user_unit ? read_attribute(root_fd, cgroup, &u, id) : read_link(root_fd, &u, id);
        if (n < 0)
                return n == -ERANGE ? -EBADMSG : (int)n;
        if (n != N_DIGITS || strspn(id, "0123456789abcdef") != N_DIGITS)
                return -EBADMSG;
        memcpy(ret_id, id, INVOCATION_ID_BYTES);
        return 0;
}
