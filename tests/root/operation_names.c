/* SPDX-License-Identifier: MIT */

/*
 * See operation.h: what one process does to names.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "operation.h"

static int rename_with(const char *from, const char *to, unsigned flags) {
        return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags) < 0 ? -errno : 0;
}

static void assert_fails(int r, int error, const char *what) {
        harness_assert(r == -error, "%s: %s", what, strerror(-r));
}

static void link_to(const char *from, const char *to) {
        harness_assert(link(from, to) == 0, "link %s %s: %m", from, to);
}

/* A move that replaces nothing. */
static void move(OperationPlace *p, const char *from, const char *to) {
        struct stat was = operation_look(from);

        harness_assert(rename(from, to) == 0, "rename %s %s: %m", from, to);
        operation_expect_move(p, from, to, &was, &p->own);
}

/* A move that replaces something. */
static void move_over(OperationPlace *p, const char *from, const char *to) {
        struct stat was = operation_look(to);

        harness_assert(rename(from, to) == 0, "rename %s %s: %m", from, to);
        operation_expect_overwrite(p, to, from, &was, &p->own);
}

static void remove_directory(OperationPlace *p, const char *path) {
        struct stat was = operation_look(path);

        harness_assert(rmdir(path) == 0, "rmdir %s: %m", path);
        operation_expect(p, "rmdir", path, &was, &p->own);
}

static void unlink_the_last_link(OperationPlace *p) {
        operation_unlink(p, operation_file(p, "a"));
}

static void unlink_one_of_two_links(OperationPlace *p) {
        char *a = operation_file(p, "a"), *b = operation_path(p, "b");

        link_to(a, b);
        operation_unlink(p, a);
        operation_unlink(p, b);
}

static void unlink_an_open_file(OperationPlace *p) {
        char *a = operation_file(p, "a");
        int fd = open(a, O_RDWR | O_CLOEXEC);

        operation_unlink(p, a);
        harness_assert(write(fd, "x", 1) == 1, "%s: %m", a);
        close(fd);
}

static void unlink_what_is_no_file(OperationPlace *p) {
        char *link = operation_path(p, "symlink"), *fifo = operation_path(p, "fifo");
        char *device = operation_path(p, "device"), *socket = operation_path(p, "socket");

        ck_assert_int_eq(symlink("nowhere", link), 0);
        ck_assert_int_eq(mkfifo(fifo, 0600), 0);
        ck_assert_int_eq(mknod(device, S_IFCHR | 0600, makedev(1, 3)), 0);
        ck_assert_int_eq(mknod(socket, S_IFSOCK | 0600, 0), 0);
        operation_unlink(p, link);
        operation_unlink(p, fifo);
        operation_unlink(p, device);
        operation_unlink(p, socket);
}

/* Each time another file. */
static void unlink_one_name_again_and_again(OperationPlace *p) {
        for (int i = 0; i < 5; i++)
                operation_unlink(p, operation_file(p, "a"));
}

static void rmdir_empty(OperationPlace *p) {
        remove_directory(p, operation_directory(p, "d"));
}

static void rmdir_after_its_files(OperationPlace *p) {
        char *d = operation_directory(p, "d");

        operation_unlink(p, operation_file(p, "d/a"));
        operation_unlink(p, operation_file(p, "d/b"));
        remove_directory(p, d);
}

static void move_within(OperationPlace *p) {
        char *a = operation_file(p, "a"), *b = operation_path(p, "b");
        char *c = operation_path(p, "d/c");

        operation_directory(p, "d");
        move(p, a, b);
        move(p, b, c);
        operation_unlink(p, c);
}

static void move_out_and_in(OperationPlace *p) {
        char *a = operation_file(p, "a"), *out = harness_format("%s/moved-out", p->outside);
        char *other = harness_format("%s/moved-again", p->outside), *b = operation_path(p, "b");

        move(p, a, out);
        ck_assert_int_eq(rename(out, other), 0); /* nobody watches there */
        if (!p->is_by_directory)                 /* else it comes from where nobody looks */
                move(p, other, b);
}

static void move_a_directory(OperationPlace *p) {
        char *d = operation_directory(p, "d"), *e = operation_path(p, "e");

        operation_file(p, "d/a");
        operation_file(p, "d/b");
        operation_unlink(p, operation_path(p, "d/a"));
        move(p, d, e);
        operation_unlink(p, operation_path(p, "e/b"));
        remove_directory(p, e);
}

static void move_over_a_file(OperationPlace *p) {
        move_over(p, operation_file(p, "new"), operation_file(p, "old"));
}

/*
 * The other link is made by another process: the kernel merges what it says of one file's number of
 * links, as long as it waits in the queue and is by the same process, and puts it first.
 */
static void move_over_one_of_two_links(OperationPlace *p) {
        char *old = operation_file(p, "old"), *other = operation_path(p, "other");

        process_run(PROCESS_ARGS("ln", old, other));
        move_over(p, operation_file(p, "new"), old);
        operation_unlink(p, other);
}

static void move_over_an_open_file(OperationPlace *p) {
        char *old = operation_file(p, "old");
        int fd = open(old, O_RDWR | O_CLOEXEC);

        move_over(p, operation_file(p, "new"), old);
        close(fd);
}

static void move_over_a_symlink(OperationPlace *p) {
        char *old = operation_path(p, "old");

        ck_assert_int_eq(symlink("nowhere", old), 0);
        move_over(p, operation_file(p, "new"), old);
}

/* The kernel leaves both names as they are, and says that all went well. */
static void move_over_another_link_of_it(OperationPlace *p) {
        char *a, *b;

        if (p->fs.kind == FS_FUSE)
                return; /* there the kernel cannot know that both are one file */
        a = operation_file(p, "a");
        b = operation_path(p, "b");
        link_to(a, b);
        ck_assert_int_eq(rename(a, b), 0);
        operation_unlink(p, a);
        operation_unlink(p, b);
}

static void move_over_an_empty_directory(OperationPlace *p) {
        char *new = operation_directory(p, "new"), *old = operation_directory(p, "old");
        char *gone = operation_file(p, "old/gone"), *kept = operation_path(p, "old/kept");

        operation_file(p, "new/kept");
        operation_unlink(p, gone); /* where the directory is unknown as soon as it is replaced */
        move_over(p, new, old);
        operation_unlink(p, kept);
}

/* What an editor does, and a package manager. */
static void replace_by_a_temporary_file(OperationPlace *p) {
        char *old = operation_file(p, "document");

        for (int i = 0; i < 3; i++)
                move_over(p, operation_file(p, ".document.tmp"), old);
}

static void move_over_from_outside(OperationPlace *p) {
        char *old = operation_file(p, "old"), *new = harness_format("%s/new", p->outside);

        if (p->is_by_directory)
                return;
        harness_touch(new);
        move_over(p, new, old);
}

/* Nobody watches what is lost, but what took its place vanishes from view. */
static void move_over_something_outside(OperationPlace *p) {
        char *a = operation_file(p, "a"), *old = harness_format("%s/old", p->outside);

        harness_touch(old);
        move(p, a, old);
}

/* Return: whether this filesystem can do that. */
static bool exchange(OperationPlace *p, const char *a, const char *b) {
        struct stat a_was = operation_look(a), b_was = operation_look(b);
        int r = rename_with(a, b, RENAME_EXCHANGE);

        if (r == -EINVAL)
                harness_note("no RENAME_EXCHANGE on %s", fs_kind_name(p->fs.kind));
        if (r == -EINVAL)
                return false;
        harness_assert(r == 0, "exchange: %s", strerror(-r));
        operation_expect_move(p, a, b, &a_was, &p->own);
        operation_expect_move(p, b, a, &b_was, &p->own);
        return true;
}

static void exchange_files(OperationPlace *p) {
        exchange(p, operation_file(p, "a"), operation_file(p, "b"));
}

static void exchange_a_file_and_a_directory(OperationPlace *p) {
        char *a = operation_file(p, "a"), *d = operation_directory(p, "d");

        operation_file(p, "d/x");
        if (exchange(p, a, d))
                operation_unlink(p, operation_path(p, "a/x"));
}

static void move_only_if_nothing_is_there(OperationPlace *p) {
        char *a = operation_file(p, "a"), *b = operation_file(p, "b"), *c = operation_path(p, "c");
        struct stat was = operation_look(a);

        assert_fails(rename_with(a, b, RENAME_NOREPLACE), EEXIST, "RENAME_NOREPLACE");
        if (rename_with(a, c, RENAME_NOREPLACE) < 0)
                harness_note("no RENAME_NOREPLACE on %s", fs_kind_name(p->fs.kind));
        else
                operation_expect_move(p, a, c, &was, &p->own);
}

/* As overlayfs does it: a device 0:0 is left behind. */
static void move_with_a_whiteout(OperationPlace *p) {
        char *a = operation_file(p, "a"), *b = operation_path(p, "b");
        struct stat was = operation_look(a);

        if (rename_with(a, b, RENAME_WHITEOUT) < 0) {
                harness_note("no RENAME_WHITEOUT on %s", fs_kind_name(p->fs.kind));
                return;
        }
        operation_expect_move(p, a, b, &was, &p->own);
        operation_unlink(p, a);
}

static void a_file_that_never_had_a_name(OperationPlace *p) {
        int fd = open(p->directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        char *a = operation_path(p, "a");

        if (fd < 0) {
                harness_note("no O_TMPFILE on %s", fs_kind_name(p->fs.kind));
                return;
        }
        close(fd);
        fd = open(p->directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        harness_assert(linkat(fd, "", AT_FDCWD, a, AT_EMPTY_PATH) == 0, "linkat: %m");
        close(fd);
        operation_unlink(p, a);
}

static void what_fails_is_not_told(OperationPlace *p) {
        char *a = operation_file(p, "a"), *d = operation_directory(p, "d");
        char *full = operation_directory(p, "full"), *in = operation_path(p, "d/in");
        char *none = operation_path(p, "none"), *below = operation_path(p, "none/a");

        operation_file(p, "full/x");
        ck_assert_int_lt(unlink(none), 0);
        ck_assert_int_lt(unlink(d), 0);
        ck_assert_int_lt(rmdir(a), 0);
        ck_assert_int_lt(rmdir(full), 0);
        ck_assert_int_lt(rename(none, a), 0);
        ck_assert_int_lt(rename(a, below), 0);
        ck_assert_int_lt(rename(a, d), 0);
        ck_assert_int_lt(rename(d, full), 0);
        ck_assert_int_lt(rename(d, in), 0);
        ck_assert_int_lt(rename_with(a, none, RENAME_EXCHANGE), 0);
        ck_assert_int_lt(rename(a, harness_path("elsewhere")), 0);
}

static void what_takes_nothing_away_is_not_told(OperationPlace *p) {
        char *a = operation_file(p, "a"), *b = operation_path(p, "b");
        int fd = open(a, O_RDWR | O_CLOEXEC);

        ck_assert_int_eq(write(fd, "text", 4), 4);
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        close(fd);
        ck_assert_int_eq(truncate(a, 100), 0);
        ck_assert_int_eq(chmod(a, 0600), 0);
        ck_assert_int_eq(chown(a, 1, 1), 0);
        ck_assert_int_eq(utimensat(AT_FDCWD, a, NULL, 0), 0);
        (void)setxattr(a, "user.x", "y", 1, 0); /* where there are any */
        (void)removexattr(a, "user.x");
        link_to(a, b);
        ck_assert_int_eq(chmod(p->directory, 0711), 0);
        fd = open(a, O_WRONLY | O_TRUNC | O_CLOEXEC);
        close(fd);
}

/* With all it held, of which the kernel says nothing. */
static void delete_a_btrfs_subvolume(OperationPlace *p) {
        struct btrfs_ioctl_vol_args args = {.name = "subvolume"};
        int fd = open(p->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat was;

        if (p->fs.kind != FS_BTRFS)
                return;
        ck_assert_int_eq(ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &args), 0);
        was = operation_look(operation_path(p, args.name));
        operation_file(p, "subvolume/a");
        operation_unlink(p, operation_file(p, "subvolume/b"));
        ck_assert_int_eq(ioctl(fd, BTRFS_IOC_SNAP_DESTROY, &args), 0);
        close(fd);
        operation_expect(p, "rmdir", operation_path(p, args.name), &was, &p->own);
        p->truth.items[p->truth.n_items - 1].type = "subvolume";
}

#define ROW(name)                                                                                  \
        { #name, name }

const Operation operations_on_names[] = {
        ROW(unlink_the_last_link),
        ROW(unlink_one_of_two_links),
        ROW(unlink_an_open_file),
        ROW(unlink_what_is_no_file),
        ROW(unlink_one_name_again_and_again),
        ROW(rmdir_empty),
        ROW(rmdir_after_its_files),
        ROW(move_within),
        ROW(move_out_and_in),
        ROW(move_a_directory),
        ROW(move_over_a_file),
        ROW(move_over_one_of_two_links),
        ROW(move_over_an_open_file),
        ROW(move_over_a_symlink),
        ROW(move_over_another_link_of_it),
        ROW(move_over_an_empty_directory),
        ROW(replace_by_a_temporary_file),
        ROW(move_over_from_outside),
        ROW(move_over_something_outside),
        ROW(exchange_files),
        ROW(exchange_a_file_and_a_directory),
        ROW(move_only_if_nothing_is_there),
        ROW(move_with_a_whiteout),
        ROW(a_file_that_never_had_a_name),
        ROW(what_fails_is_not_told),
        ROW(what_takes_nothing_away_is_not_told),
        ROW(delete_a_btrfs_subvolume),
        {0},
};
