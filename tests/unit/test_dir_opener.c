/* SPDX-License-Identifier: MIT */

/*
 * A directory of the tree is opened where it is now, and nothing else is ever taken for it.
 */

#include "locate/dir_opener.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fixtures_directories.h"

static DirOpener opener;

static void setup(void) {
        set_up_directories();
        opener = (DirOpener){.root_fd = root_fd, .tree = tree, .later = &later};
}

static void teardown(void) {
        dir_opener_done(&opener);
        ck_assert_int_eq(opener.root_fd, -1);
        tear_down_directories();
}

static DirNode *node_of(FileHandle h) {
        DirNode *n;

        ck_assert_int_eq(dir_tree_get(tree, &h, &n), 0);
        return n;
}

/* A directory that is there, and known to be. */
static DirNode *known(const char *parent, const char *name) {
        char path[64];
        DirNode *n;

        snprintf(path, sizeof(path), "%s/%s", parent, name);
        make(path);
        n = node_of(handle_at(path));
        ck_assert_int_eq(dir_tree_set(tree, n, node_of(handle_at(parent)), name, strlen(name)), 0);
        return n;
}

static void expect_opens(const DirNode *n) {
        FileHandle is, wanted = dir_node_handle(n);
        _cleanup_close_ int fd = -1;
        int flags;

        ck_assert_int_eq(dir_opener_open(&opener, n, &fd), 0);
        is = handle_of(fd);
        ck_assert(file_handle_equal(&is, &wanted));
        /* To be listed, without a trace. */
        flags = fcntl(fd, F_GETFL);
        ck_assert_int_eq(flags & (O_ACCMODE | O_PATH | O_NOATIME), O_RDONLY | O_NOATIME);
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void expect_error(const DirNode *n, int error) {
        int fd = -12;

        ck_assert_int_eq(dir_opener_open(&opener, n, &fd), error);
        ck_assert_int_eq(fd, -12);
}

START_TEST(test_depths) {
        DirNode *a = known(".", "a"), *b = known("a", "b"), *c = known("a/b", "c");

        expect_opens(c);
        expect_opens(dir_tree_root(tree));
        expect_opens(a);
        expect_opens(b);
}
END_TEST

/* More than one openat2() can take, and longer than the first room for names. */
START_TEST(test_longer_than_path_max) {
        char name[201];
        DirNode *parent = dir_tree_root(tree);
        int at = root_fd;

        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        for (size_t depth = 0; depth < 50; depth++) {
                DirNode *n;
                int fd;

                ck_assert_int_eq(mkdirat(at, name, 0700), 0);
                fd = openat(at, name, O_PATH | O_CLOEXEC);
                if (at != root_fd)
                        close(at);
                at = fd;
                n = node_of(handle_of(fd));
                ck_assert_int_eq(dir_tree_set(tree, n, parent, name, strlen(name)), 0);
                parent = n;
        }
        close(at);
        expect_opens(parent);
}
END_TEST

/* The tree has the old place, an event in flight the new one. */
START_TEST(test_moved) {
        DirNode *a = known(".", "a"), *b = known("a", "b"), *c = known("a/b", "c");
        DirNode *d = known(".", "d");

        move("a/b", "d/e");
        expect_error(c, -ESTALE);
        expect_error(b, -ESTALE);
        add_later(FAN_RENAME, dir_node_handle(b), name_in(dir_node_handle(a), "b"),
                  name_in(dir_node_handle(a), "between"));
        expect_error(c, -ESTALE);
        add_later(FAN_RENAME, dir_node_handle(b), name_in(dir_node_handle(a), "between"),
                  name_in(dir_node_handle(d), "e"));
        expect_opens(c);
        expect_opens(b);
        expect_opens(d);
}
END_TEST

START_TEST(test_gone) {
        DirNode *a = known(".", "a"), *b = known("a", "b");

        add_later(FAN_DELETE, dir_node_handle(b), name_in(dir_node_handle(a), "b"), (FanName){0});
        expect_error(b, -ENOENT);
        expect_opens(a);
        /* Out of sight is as good as gone, for all below. */
        add_later(FAN_RENAME, dir_node_handle(a), name_in(handle_at("."), "a"), (FanName){0});
        expect_error(a, -ENOENT);
        expect_error(known("a", "c"), -ENOENT);
}
END_TEST

/* Where the tree has it there is another thing, and no event tells of it yet. */
START_TEST(test_not_there) {
        DirNode *a = known(".", "a"), *b = known("a", "b");

        ck_assert_int_eq(unlinkat(root_fd, "a/b", AT_REMOVEDIR), 0);
        expect_error(b, -ESTALE);
        ck_assert_int_eq(mknodat(root_fd, "a/b", S_IFREG | 0600, 0), 0);
        expect_error(b, -ESTALE);
        ck_assert_int_eq(unlinkat(root_fd, "a/b", 0), 0);
        ck_assert_int_eq(symlinkat("../a", root_fd, "a/b"), 0);
        expect_error(b, -ESTALE);
        /* Not even one that leads to it. */
        move("a", "moved");
        ck_assert_int_eq(symlinkat("moved", root_fd, "a"), 0);
        expect_error(a, -ESTALE);
        ck_assert_int_eq(unlinkat(root_fd, "a", 0), 0);
        make("a");
        expect_error(a, -ESTALE);
}
END_TEST

START_TEST(test_not_known) {
        DirNode *a = known(".", "a"), *b = known("a", "b");
        uint64_t nowhere = 0;
        FileHandle unknown = {1, sizeof(nowhere), (const uint8_t *)&nowhere};

        dir_tree_forget(tree, a);
        expect_error(a, -ESTALE);
        expect_error(b, -ESTALE);
        add_later(FAN_RENAME, dir_node_handle(b), name_in(dir_node_handle(a), "b"),
                  name_in(unknown, "b"));
        expect_error(b, -ESTALE);
}
END_TEST

/* Each in the other: the walk up ends. */
START_TEST(test_contradiction) {
        DirNode *a = known(".", "a"), *b = known("a", "b");

        add_later(FAN_RENAME, dir_node_handle(a), name_in(handle_at("."), "a"),
                  name_in(dir_node_handle(b), "a"));
        expect_error(b, -ELOOP);
        expect_error(a, -ELOOP);
}
END_TEST

static void expect_at(int directory_fd, const char *name, int error) {
        int fd = -12;

        ck_assert_int_eq(dir_opener_open_at(directory_fd, name, &fd), error);
        ck_assert_int_eq(fd, -12);
}

START_TEST(test_open_at) {
        _cleanup_close_ int slash = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
        FileHandle is, a;
        int not_opened, r;

        make("a");
        a = handle_at("a");
        ck_assert_int_eq(mknodat(root_fd, "file", S_IFREG | 0600, 0), 0);
        ck_assert_int_eq(symlinkat("a", root_fd, "link"), 0);
        ck_assert_int_eq(dir_opener_open_at(root_fd, "a", &fd), 0);
        is = handle_of(fd);
        ck_assert(file_handle_equal(&is, &a));
        expect_at(root_fd, "file", -ENOTDIR);
        r = dir_opener_open_at(root_fd, "link", &not_opened);
        ck_assert(r == -ENOTDIR || r == -ELOOP);
        expect_at(root_fd, "none", -ENOENT);
        expect_at(root_fd, "..", -EXDEV);
        expect_at(slash, "proc", -EXDEV);
}
END_TEST

/* What systemd's RestrictSUIDSGID= does; for the rest of this process. */
START_TEST(test_forbid_openat2) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

        ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
        ck_assert(syscall(SYS_openat2, -1, NULL, NULL, 0) < 0 && errno == ENOSYS);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, test_depths);
        tcase_add_test(tcase, test_longer_than_path_max);
        tcase_add_test(tcase, test_moved);
        tcase_add_test(tcase, test_gone);
        tcase_add_test(tcase, test_not_there);
        tcase_add_test(tcase, test_not_known);
        tcase_add_test(tcase, test_contradiction);
        tcase_add_test(tcase, test_open_at);
}

int main(void) {
        TCase *tcase = tcase_create("dir_opener");

        tcase_add_checked_fixture(tcase, setup, teardown);
        add_tests(tcase);
        tcase_add_test(tcase, test_forbid_openat2);
        add_tests(tcase);
        return unit_run("dir_opener", tcase);
}
