/* SPDX-License-Identifier: MIT */

/*
 * From a mounted subvolume to the whole btrfs.
 *
 * Neither a mark on all of a btrfs nor a path across its subvolumes can be had from the mount of a
 * subvolume.  But its top level is always there, below every mount: its handle opens through any of
 * them, and what was opened so can be cloned as a mount of its own, with the superblock, the device
 * and the options of the one the user has.  No device is named or opened, so it makes no difference
 * what it is called, how many there are, and whether the filesystem is read-only.
 *
 * Where that fails (an unbindable mount, a forbidden ioctl), the filesystem is mounted a second
 * time, detached: that finds the device by the name that it has in mountinfo.  It is asked for
 * read-only, since asking for a writable mount of a read-only superblock would make it writable;
 * an existing superblock ignores all else.  It is kept in use meanwhile, so that none is made.
 *
 * Limits: for some microseconds the mount is busy for umount(8), as for any look-up of a path.
 *
 * Source: fs/btrfs/export.c, fs/btrfs/super.c (btrfs_get_tree_subvol), fs/namespace.c
 * (__do_loopback) of Linux 6.18; before 6.15 only a mount of our own namespace can be cloned, so it
 * is that and no clone of it that the handle is opened through.
 */

#include "locate/btrfs_top.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/reader.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif

/* What <sys/mount.h> has since glibc 2.36, and <linux/mount.h>, which cannot stand beside it. */
#define FSOPEN_WITH_CLOEXEC 1
#define FSMOUNT_WITH_CLOEXEC 1
#define FSCONFIG_FLAG 0
#define FSCONFIG_STRING 1
#define FSCONFIG_CREATE 6
#define ATTRIBUTES (0x1 | 0x2 | 0x4 | 0x8 | 0x10) /* RDONLY, NOSUID, NODEV, NOEXEC, NOATIME */

typedef union TopHandle {
        struct file_handle handle;
        uint8_t room[sizeof(struct file_handle) + BTRFS_TOP_HANDLE_BYTES];
} TopHandle;

int btrfs_top_make_handle(const void *items, size_t n_bytes, uint32_t n_items,
                          uint8_t ret_handle[static BTRFS_TOP_HANDLE_BYTES]) {
        const uint64_t object = BTRFS_FIRST_FREE_OBJECTID, root = BTRFS_FS_TREE_OBJECTID;
        Reader r = reader_make(items, n_bytes);
        struct btrfs_ioctl_search_header header;
        uint64_t generation;
        uint32_t generation32;

        /* The generation is the inode's first member. */
        if (n_items != 1 || reader_copy(&r, &header, sizeof(header)) < 0 ||
            header.objectid != object || header.type != BTRFS_INODE_ITEM_KEY ||
            header.len < sizeof(generation) || reader_u64(&r, &generation) < 0)
                return -EBADMSG;
        generation32 = (uint32_t)le64toh(generation);
        memcpy(ret_handle, &object, 8);
        memcpy(ret_handle + 8, &root, 8);
        memcpy(ret_handle + 16, &generation32, 4);
        return 0;
}

static int read_handle(int fd, TopHandle *ret) {
        struct btrfs_ioctl_search_args args = {
                .key =
                        {
                                .tree_id = BTRFS_FS_TREE_OBJECTID,
                                .min_objectid = BTRFS_FIRST_FREE_OBJECTID,
                                .max_objectid = BTRFS_FIRST_FREE_OBJECTID,
                                .min_type = BTRFS_INODE_ITEM_KEY,
                                .max_type = BTRFS_INODE_ITEM_KEY,
                                .max_transid = UINT64_MAX,
                                .nr_items = 1,
                        },
        };

        if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &args) < 0)
                return -errno;
        ret->handle.handle_bytes = BTRFS_TOP_HANDLE_BYTES;
        ret->handle.handle_type = BTRFS_TOP_HANDLE_TYPE;
        return btrfs_top_make_handle(args.buf, sizeof(args.buf), args.key.nr_items,
                                     ret->room + offsetof(struct file_handle, f_handle));
}

static int clone_by_handle(int fd, int *ret_fd) {
        _cleanup_close_ int top_fd = -1;
        TopHandle h;
        int r;

        r = read_handle(fd, &h);
        if (r < 0)
                return r;
        top_fd = open_by_handle_at(fd, &h.handle, O_PATH | O_CLOEXEC);
        if (top_fd < 0)
                return -errno;
        r = (int)syscall(SYS_open_tree, top_fd, "",
                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        if (r < 0)
                return -errno;
        *ret_fd = r;
        return 0;
}

/*
 * Is this the name of a device of the filesystem? What it was mounted from may be called otherwise
 * by now, and the name be another's, which must not be mounted.
 */
static bool is_device_of(int fd, const char *source) {
        struct btrfs_ioctl_fs_info_args info = {0};
        char id[2 * sizeof(info.fsid) + 5] = "", path[PATH_MAX], target[PATH_MAX];
        struct stat st;
        ssize_t n;

        if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) < 0 || stat(source, &st) < 0 ||
            !S_ISBLK(st.st_mode))
                return false;
        for (size_t i = 0; i < sizeof(info.fsid); i++)
                snprintf(id + strlen(id), 4, "%s%02x",
                         i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", info.fsid[i]);
        snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
        n = readlink(path, target, sizeof(target) - 1);
        if (n < 0)
                return false;
        target[n] = '\0';
        n = snprintf(path, sizeof(path), "/sys/fs/btrfs/%s/devices/%s", id, basename(target));
        return (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

static int mount_detached(int fd, const char *source, int *ret_fd) {
        _cleanup_close_ int context_fd = -1;
        int r;

        if (!is_device_of(fd, source))
                return -EXDEV;
        context_fd = (int)syscall(SYS_fsopen, "btrfs", FSOPEN_WITH_CLOEXEC);
        if (context_fd < 0)
                return -errno;
        if (syscall(SYS_fsconfig, context_fd, FSCONFIG_STRING, "source", source, 0) < 0 ||
            syscall(SYS_fsconfig, context_fd, FSCONFIG_STRING, "subvolid", "5", 0) < 0 ||
            syscall(SYS_fsconfig, context_fd, FSCONFIG_FLAG, "ro", NULL, 0) < 0 ||
            syscall(SYS_fsconfig, context_fd, FSCONFIG_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        r = (int)syscall(SYS_fsmount, context_fd, FSMOUNT_WITH_CLOEXEC, ATTRIBUTES);
        if (r < 0)
                return -errno;
        *ret_fd = r;
        return 0;
}

int btrfs_top_clone(const char *point, const char *source, int *ret_fd) {
        _cleanup_close_ int fd = -1;
        int r;

        fd = open(point, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = clone_by_handle(fd, ret_fd);
        /* What the first way said is the reason to be told. */
        return r < 0 && mount_detached(fd, source, ret_fd) == 0 ? 0 : r;
}
