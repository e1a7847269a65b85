/* SPDX-License-Identifier: MIT */

/*
 * See btrfs.h.
 */

#include "btrfs.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "harness.h"

void btrfs_mount(const Btrfs *b, const char *subvolume, const char *path, const char *options) {
        _cleanup_free_ char *data = harness_format("subvol=%s", subvolume);
        unsigned long flags = options && strcmp(options, "ro") == 0 ? MS_RDONLY : 0;

        harness_assert(mount(b->fs.source, path, "btrfs", flags, data) == 0, "mount %s on %s: %m",
                       data, path);
}

void btrfs_umount(const char *path) {
        for (int i = 0; umount2(path, 0) < 0; i++) {
                harness_assert(i < 100, "umount %s for 1 s: %m", path);
                harness_sleep(0.01); /* a look-up may be under way */
        }
}

Btrfs btrfs_new(void) {
        Btrfs b = {.fs = fs_new(FS_BTRFS, "top"),
                   .root = harness_path("root"),
                   .home = harness_path("root/home")};
        _cleanup_free_ char *root = harness_format("%s/@", b.fs.path);
        _cleanup_free_ char *home = harness_format("%s/@home", b.fs.path);

        btrfs_subvolume_create(root);
        btrfs_subvolume_create(home);
        harness_mkdir(b.root);
        btrfs_mount(&b, "@", b.root, NULL);
        harness_mkdir(b.home);
        btrfs_mount(&b, "@home", b.home, NULL);
        btrfs_umount(b.fs.path);
        return b;
}

/* The directory of a path, open, and its name. */
static int open_parent(const char *path, const char **ret_name) {
        _cleanup_free_ char *parent = harness_format("%s", path);
        char *slash = strrchr(parent, '/');
        int fd;

        *slash = '\0';
        fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        harness_assert(fd >= 0, "%s: %m", parent);
        *ret_name = path + (slash - parent) + 1;
        return fd;
}

static void with_name(const char *path, unsigned long request) {
        struct btrfs_ioctl_vol_args args = {0};
        const char *name;
        _cleanup_close_ int fd = open_parent(path, &name);

        snprintf(args.name, sizeof(args.name), "%s", name);
        harness_assert(ioctl(fd, request, &args) == 0, "%s: %m", path);
}

void btrfs_subvolume_create(const char *path) {
        with_name(path, BTRFS_IOC_SUBVOL_CREATE);
}

void btrfs_subvolume_delete(const char *path) {
        with_name(path, BTRFS_IOC_SNAP_DESTROY);
}

void btrfs_snapshot(const char *from, const char *to) {
        _cleanup_close_ int from_fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct btrfs_ioctl_vol_args_v2 args = {.fd = from_fd};
        const char *name;
        _cleanup_close_ int fd = open_parent(to, &name);

        snprintf(args.name, sizeof(args.name), "%s", name);
        harness_assert(from_fd >= 0 && ioctl(fd, BTRFS_IOC_SNAP_CREATE_V2, &args) == 0,
                       "snapshot of %s at %s: %m", from, to);
}

void btrfs_hold_device(const Filesystem *fs) {
        int fd = open(fs->source, O_RDONLY | O_CLOEXEC);

        harness_assert(fd >= 0, "%s: %m", fs->source);
}

void btrfs_assert_detaches(const Filesystem *fs) {
        double end = harness_now() + 2;

        while (fs_is_loop_attached(fs)) {
                harness_assert(harness_now() < end, "%s is still in use", fs->source);
                harness_sleep(0.01);
        }
}

void btrfs_delete_as(Truth *t, const char *real, const char *path, const Process *process) {
        harness_touch(real);
        harness_unlink(real);
        if (t)
                truth_add(t, "unlink", path, process);
}

void btrfs_delete_in(Truth *t, const char *dir, const char *name, const Process *process) {
        _cleanup_free_ char *path = harness_format("%s/%s", dir, name);

        btrfs_delete_as(t, path, path, process);
}

char *btrfs_mount_table(pid_t pid) {
        _cleanup_free_ char *path = harness_format("/proc/%d/mountinfo", (int)pid);

        return harness_read_file(path, NULL);
}
