/* SPDX-License-Identifier: MIT */

/*
 * See group.h.  The hierarchy is that of which the program reads the names: systemd's own of
 * version 1, else that of version 2.
 */

#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"

#define TOP "whodunlink_behalf.slice"

static const char *const mounts[] = {"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified",
                                     "/sys/fs/cgroup"};

#define N_MOUNTS (sizeof(mounts) / sizeof(*mounts))

static const char *find_mount(void) {
        for (size_t i = 0; i < N_MOUNTS; i++) {
                _cleanup_free_ char *procs = harness_format("%s/cgroup.procs", mounts[i]);

                if (access(procs, W_OK) == 0)
                        return mounts[i];
        }
        harness_skip("no control groups");
}

char *group_make(const char *name) {
        char *path = harness_format("%s/" TOP "/%s/", find_mount(), name);

        for (char *slash = strstr(path, TOP) + strlen(TOP); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        harness_skip("no control group can be made: %s: %m", path);
                *slash = '/';
        }
        path[strlen(path) - 1] = '\0';
        return path;
}

void group_enter(const char *path) {
        _cleanup_free_ char *procs = harness_format("%s/cgroup.procs", path);
        _cleanup_close_ int fd = open(procs, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, "0", 1) != 1) {
                harness_note("%s: %s", procs, strerror(errno));
                _exit(126);
        }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)ftw;
        if (type == FTW_DP)
                (void)rmdir(path);
        return 0;
}

/* The groups have the same names in each program that makes some. */
static void lock_groups(void) {
        static int fd = -1;

        for (size_t i = 0; i < N_MOUNTS && fd < 0; i++)
                fd = open(mounts[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
                (void)flock(fd, LOCK_EX);
}

void group_remove_all(void) {
        lock_groups();
        for (size_t i = 0; i < N_MOUNTS; i++) {
                char path[64];

                snprintf(path, sizeof(path), "%s/" TOP, mounts[i]);
                (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        }
}
