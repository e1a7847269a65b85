/* SPDX-License-Identifier: MIT */

/*
 * See filesystem.h.  The image is a sparse file on the test's tmpfs, so nothing is written to a
 * disk and everything goes with the test's mount namespace.
 */

#include "filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "process.h"

#define IMAGE_BYTES (1024LL * 1024 * 1024)

static const char *const kind_names[FS_ALL_KINDS] = {
        [FS_TMPFS] = "tmpfs",     [FS_EXT4] = "ext4",
        [FS_XFS] = "xfs",         [FS_BTRFS] = "btrfs",
        [FS_OVERLAY] = "overlay", [FS_OVERLAY_EXPORT] = "overlay with nfs_export",
        [FS_FUSE] = "bindfs",
};

const char *fs_kind_name(FsKind kind) {
        return kind_names[kind];
}

static bool have_program(const char *name) {
        _cleanup_free_ char *dirs = harness_format("/usr/sbin:/sbin:/usr/bin:/bin");
        char *save = NULL;

        for (char *dir = strtok_r(dirs, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
                _cleanup_free_ char *path = harness_format("%s/%s", dir, name);

                if (access(path, X_OK) == 0)
                        return true;
        }
        return false;
}

static void make_image(FsKind kind, const char *image) {
        _cleanup_free_ char *mkfs = harness_format("mkfs.%s", kind_names[kind]);
        _cleanup_free_ char *mkfs_path = harness_format("/usr/sbin/%s", mkfs);
        const char *program = access(mkfs_path, X_OK) == 0 ? mkfs_path : mkfs;
        _cleanup_close_ int fd = -1;

        if (!have_program(mkfs))
                harness_skip("no %s", mkfs);
        fd = open(image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        harness_assert(fd >= 0 && ftruncate(fd, IMAGE_BYTES) == 0, "%s: %m", image);
        if (kind == FS_EXT4) /* room for the names of the bulk test, and no work left for later */
                process_run(PROCESS_ARGS(program, "-q", "-F", "-N", "160000", "-E",
                                         "nodiscard,lazy_itable_init=0", image));
        else
                process_run(PROCESS_ARGS(program, "-q", "-f", image));
}

/* Return: the index of the device, whose only user is *ret_fd. */
static int attach_loop(const char *image, int *ret_fd) {
        _cleanup_close_ int control_fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        _cleanup_close_ int image_fd = open(image, O_RDWR | O_CLOEXEC);
        struct loop_config config = {.fd = (uint32_t)image_fd,
                                     .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};

        if (control_fd < 0)
                harness_skip("no loop devices: /dev/loop-control: %s", strerror(errno));
        harness_assert(image_fd >= 0, "%s: %m", image);
        for (int i = 0; i < 200; i++) {
                int index = ioctl(control_fd, LOOP_CTL_GET_FREE);
                _cleanup_free_ char *device = harness_format("/dev/loop%d", index);
                _cleanup_close_ int fd = index < 0 ? -1 : open(device, O_RDWR | O_CLOEXEC);

                if (index < 0 || (fd < 0 && errno != ENOENT && errno != ENXIO))
                        harness_skip("no free loop device: %s", strerror(errno));
                if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
                        *ret_fd = take_fd(&fd);
                        return index;
                }
                harness_sleep(0.01); /* another test took it in between, or its node is coming */
        }
        harness_abort("no loop device could be had: %s", strerror(errno));
}

void fs_mount_on(const Filesystem *fs, const char *path) {
        const char *kind = kind_names[fs->kind];

        if (mount(fs->source, path, kind, 0, NULL) == 0)
                return;
        if (errno == ENODEV)
                harness_skip("this kernel has no %s", kind);
        harness_abort("mount %s on %s: %s", fs->source, path, strerror(errno));
}

Filesystem fs_prepare_overlay(FsKind kind, const char *name) {
        Filesystem fs = {.kind = kind, .path = harness_path("%s", name), .loop_index = -1};

        fs.source = harness_format("overlay");
        fs.lower = harness_path("%s.lower", name);
        fs.upper = harness_path("%s.upper", name);
        fs.work = harness_path("%s.work", name);
        harness_mkdir(fs.path);
        harness_mkdir(fs.lower);
        harness_mkdir(fs.upper);
        harness_mkdir(fs.work);
        return fs;
}

void fs_mount_overlay(const Filesystem *fs, const char *options) {
        _cleanup_free_ char *all = harness_format(
                "lowerdir=%s,upperdir=%s,workdir=%s%s%s%s", fs->lower, fs->upper, fs->work,
                fs->kind == FS_OVERLAY_EXPORT ? ",nfs_export=on,index=on" : "", options ? "," : "",
                options ? options : "");

        if (mount("overlay", fs->path, "overlay", 0, all) == 0)
                return;
        if (errno == ENODEV)
                harness_skip("this kernel has no overlay");
        harness_abort("mount overlay -o %s: %s", all, strerror(errno));
}

static Filesystem new_overlay(FsKind kind, const char *name) {
        Filesystem fs = fs_prepare_overlay(kind, name);

        fs_mount_overlay(&fs, NULL);
        return fs;
}

/*
 * The server stays our child and dies with the test.  As a daemon it would keep the test's mount
 * namespace alive by its working directory, and the namespace all that the machine has mounted.
 */
static void serve_fuse(const Filesystem *fs) {
        struct stat before, now;

        harness_assert(stat(fs->path, &before) == 0, "%s: %m", fs->path);
        process_spawn(PROCESS_ARGS("bindfs", "-f", fs->lower, fs->path));
        for (int i = 0; i < 1000; i++) {
                if (stat(fs->path, &now) == 0 && now.st_dev != before.st_dev)
                        return;
                usleep(10000);
        }
        harness_abort("%s: bindfs does not serve it", fs->path);
}

static Filesystem new_fuse(const char *name) {
        Filesystem fs = {.kind = FS_FUSE, .path = harness_path("%s", name), .loop_index = -1};

        if (!have_program("bindfs"))
                harness_skip("no bindfs");
        if (access("/dev/fuse", R_OK | W_OK) < 0)
                harness_skip("no /dev/fuse: %s", strerror(errno));
        fs.lower = harness_path("%s.lower", name);
        fs.source = harness_format("%s", fs.lower);
        harness_mkdir(fs.path);
        harness_mkdir(fs.lower);
        serve_fuse(&fs);
        return fs;
}

Filesystem fs_new(FsKind kind, const char *name) {
        Filesystem fs = {.kind = kind, .path = harness_path("%s", name), .loop_index = -1};
        _cleanup_close_ int loop_fd = -1;

        if (kind == FS_OVERLAY || kind == FS_OVERLAY_EXPORT)
                return new_overlay(kind, name);
        if (kind == FS_FUSE)
                return new_fuse(name);
        harness_mkdir(fs.path);
        if (kind == FS_TMPFS) {
                fs.source = harness_format("tmpfs");
        } else {
                _cleanup_free_ char *image = harness_path("%s.image", name);

                make_image(kind, image);
                fs.loop_index = attach_loop(image, &loop_fd);
                fs.source = harness_format("/dev/loop%d", fs.loop_index);
        }
        fs_mount_on(&fs, fs.path);
        harness_assert(chmod(fs.path, 0755) == 0, "%s: %m", fs.path);
        return fs;
}

bool fs_is_loop_attached(const Filesystem *fs) {
        _cleanup_free_ char *path =
                harness_format("/sys/block/loop%d/loop/backing_file", fs->loop_index);

        return access(path, F_OK) == 0;
}
