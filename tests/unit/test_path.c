/* SPDX-License-Identifier: MIT */

/* Paths: the pure functions by tables, path_resolve() on a real tree beside realpath(3). */

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "unit.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
        const char *path, *prefix;
        bool is_within;
} withins[] = {
        {"/", "/", true},         {"/a", "/", true},          {"/a/b", "/", true},
        {"/a", "/a", true},       {"/a/b", "/a", true},       {"/ab", "/a", false},
        {"/a", "/a/b", false},    {"/", "/a", false},         {"/b", "/a", false},
        {"/a/bc", "/a/b", false}, {"/a/b/c/d", "/a/b", true}, {"/a\xff/b", "/a\xff", true},
        {"", "/", false},         {"/a", "", false},          {"", "", false},
};

/* Without a NUL, so that a look behind the end shows. */
static char *exact(const char *path) {
        size_t n = strlen(path);
        char *copy = malloc(n > 0 ? n : 1);

        ck_assert_ptr_nonnull(copy);
        return memcpy(copy, path, n);
}

START_TEST(test_within) {
        const char *path = withins[_i].path, *prefix = withins[_i].prefix;
        _cleanup_free_ char *exact_path = exact(path), *exact_prefix = exact(prefix);

        ck_assert_int_eq(path_is_within(exact_path, strlen(path), exact_prefix, strlen(prefix)),
                         withins[_i].is_within);
}
END_TEST

static const struct {
        const char *path;
        size_t n;
} directories[] = {
        {"/", 1}, {"/a", 1}, {"/a/b", 2}, {"/a/bc", 2}, {"/aa/b/c", 5}, {"/a/\xff", 2}, {"", 1},
};

START_TEST(test_directory_length) {
        const char *path = directories[_i].path;

        ck_assert_uint_eq(path_directory_length(path, strlen(path)), directories[_i].n);
}
END_TEST

/* The tree; each test runs in a process of its own and leaves nothing behind. */
static char root[PATH_MAX];

static void make_file(const char *path) {
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        close(fd);
}

static void set_up(void) {
        char name[] = "/tmp/test_path.XXXXXX", target[32], link[32];

        ck_assert_ptr_nonnull(mkdtemp(name));
        ck_assert_ptr_nonnull(realpath(name, root));
        ck_assert_int_eq(chdir(root), 0);
        ck_assert_int_eq(mkdir("d", 0700), 0);
        ck_assert_int_eq(mkdir("d/e", 0700), 0);
        make_file("f");
        make_file("d/f");
        ck_assert_int_eq(symlink("d", "to-d"), 0);
        ck_assert_int_eq(symlink("d/", "to-d-slash"), 0);
        ck_assert_int_eq(symlink("f", "to-f"), 0);
        ck_assert_int_eq(symlink("f/", "to-f-slash"), 0);
        ck_assert_int_eq(symlink("../d/f", "d/up"), 0);
        ck_assert_int_eq(symlink("..", "d/e/parent"), 0);
        ck_assert_int_eq(symlink("/", "to-root"), 0);
        ck_assert_int_eq(symlink("to-d/e", "twice"), 0);
        ck_assert_int_eq(symlink("self", "self"), 0);
        ck_assert_int_eq(symlink("pong", "ping"), 0);
        ck_assert_int_eq(symlink("ping", "pong"), 0);
        ck_assert_int_eq(symlink("nothing/here", "dangling"), 0);
        ck_assert_int_eq(symlink("d/../nothing/../new", "dangling-up"), 0);
        ck_assert_int_eq(symlink("/no-such-root/x", "dangling-absolute"), 0);
        /* chain-1 is one link away from "d", chain-40 forty. */
        for (int i = 1; i <= PATH_SYMLINKS_MAX + 1; i++) {
                snprintf(link, sizeof(link), "chain-%d", i);
                snprintf(target, sizeof(target), i == 1 ? "d" : "chain-%d", i - 1);
                ck_assert_int_eq(symlink(target, link), 0);
        }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static void tear_down(void) {
        ck_assert_int_eq(chdir("/"), 0);
        ck_assert_int_eq(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static const struct {
        const char *path; /* relative to the tree; run absolute too */
        int r;
        const char *want; /* NULL: below the tree it is what realpath(3) says */
} resolves[] = {
        {".", 0, NULL},
        {"d", 0, NULL},
        {"./d//./e/", 0, NULL},
        {"d/e/..", 0, NULL},
        {"d/e/../../d/f", 0, NULL},
        {"d/..", 0, NULL},
        {"d///", 0, NULL},
        {"f", 0, NULL},
        {"to-d", 0, NULL},
        {"to-d/", 0, NULL},
        {"to-d/f", 0, NULL},
        {"to-d/..", 0, NULL},
        {"to-d-slash", 0, NULL},
        {"to-d-slash/e", 0, NULL},
        {"to-f", 0, NULL},
        {"to-d/up", 0, NULL},
        {"d/e/parent/e/parent/f", 0, NULL},
        {"d/e/parent/..", 0, NULL},
        {"to-root", 0, NULL},
        {"to-root/../..", 0, NULL},
        {"to-root/tmp", 0, NULL},
        {"twice", 0, NULL},
        {"twice/../f", 0, NULL},
        {"chain-40", 0, NULL},
        {"chain-20/../chain-20/e", 0, NULL},
        {"../../../../../../../../../../..", 0, NULL},
        /* a tail that is not there */
        {"new", 0, "new"},
        {"new/", 0, "new"},
        {"new//a/./b/", 0, "new/a/b"},
        {"d/new", 0, "d/new"},
        {"to-d/new/a", 0, "d/new/a"},
        {"new/..", 0, ""},
        {"new/a/..", 0, "new"},
        {"new/a/../../d", 0, "d"},
        {"new/../to-d/e", 0, "d/e"}, /* back among what exists: links count again */
        {"new/to-d", 0, "new/to-d"}, /* but not below what does not */
        {"new/a/../to-d", 0, "new/to-d"},
        {"new/../../x/../to", 0, "../to"},
        {"to-d/new/../../f", 0, "f"},
        {"dangling", 0, "nothing/here"},
        {"dangling/", 0, "nothing/here"},
        {"dangling/x", 0, "nothing/here/x"},
        {"dangling/../x", 0, "nothing/x"},
        {"to-d/../dangling", 0, "nothing/here"},
        {"dangling-up", 0, "new"},
        {"dangling-up/y", 0, "new/y"},
        {"\xff\x80\n", 0, "\xff\x80\n"},
        {"...", 0, "..."},
        {"..d", 0, "..d"},
        /* errors */
        {"self", -ELOOP, NULL},
        {"self/x", -ELOOP, NULL},
        {"ping", -ELOOP, NULL},
        {"new/../ping", -ELOOP, NULL},
        {"chain-41", -ELOOP, NULL},
        {"chain-20/../chain-21", -ELOOP, NULL},
        {"f/", -ENOTDIR, NULL},
        {"f/x", -ENOTDIR, NULL},
        {"f/.", -ENOTDIR, NULL},
        {"f/..", -ENOTDIR, NULL},
        {"f/new/x", -ENOTDIR, NULL},
        {"to-f/", -ENOTDIR, NULL},
        {"to-f/..", -ENOTDIR, NULL},
        {"to-f-slash", -ENOTDIR, NULL},
        {"to-d/f/x", -ENOTDIR, NULL},
};

static void check_resolve(const char *path, int i) {
        _cleanup_free_ char *got = NULL, *want = NULL;

        if (path_resolve(path, &got) != resolves[i].r)
                ck_abort_msg("'%s': not %d", path, resolves[i].r);
        if (resolves[i].r < 0) {
                /* libc must think the same, and nothing be given back. */
                ck_assert_ptr_null(got);
                ck_assert_ptr_null(realpath(path, NULL));
                if (!strstr(path, "new"))
                        ck_assert_int_eq(errno, -resolves[i].r);
                return;
        }
        if (!resolves[i].want)
                want = realpath(path, NULL);
        else if (strncmp(resolves[i].want, "../", 3) == 0)
                ck_assert_int_gt(asprintf(&want, "%.*s%s", (int)(strrchr(root, '/') - root), root,
                                          resolves[i].want + 2),
                                 0);
        else
                ck_assert_int_gt(asprintf(&want, "%s%s%s", root, *resolves[i].want ? "/" : "",
                                          resolves[i].want),
                                 0);
        ck_assert_ptr_nonnull(want);
        ck_assert_str_eq(got, want);
}

START_TEST(test_resolve) {
        _cleanup_free_ char *absolute = NULL;

        check_resolve(resolves[_i].path, _i);
        ck_assert_int_gt(asprintf(&absolute, "%s/%s", root, resolves[_i].path), 0);
        check_resolve(absolute, _i);
}
END_TEST

static const struct {
        const char *path;
        int r;
        const char *want;
} absolutes[] = {
        {"", -ENOENT, NULL},
        {"/", 0, "/"},
        {"//", 0, "/"},
        {"/..", 0, "/"},
        {"/../../.", 0, "/"},
        {"/no-such-root", 0, "/no-such-root"},
        {"/no-such-root/../..", 0, "/"},
        {"dangling-absolute", 0, "/no-such-root/x"},
        {"dangling-absolute/../../y", 0, "/y"},
};

START_TEST(test_resolve_absolute) {
        _cleanup_free_ char *got = NULL;

        ck_assert_int_eq(path_resolve(absolutes[_i].path, &got), absolutes[_i].r);
        if (absolutes[_i].want)
                ck_assert_str_eq(got, absolutes[_i].want);
        else
                ck_assert_ptr_null(got);

        /* The working directory "/" must not double its slash. */
        if (_i == 1) {
                _cleanup_free_ char *at_root = NULL;

                ck_assert_int_eq(chdir("/"), 0);
                ck_assert_int_eq(path_resolve("no-such-root", &at_root), 0);
                ck_assert_str_eq(at_root, "/no-such-root");
        }
}
END_TEST

START_TEST(test_resolve_long) {
        _cleanup_free_ char *got = NULL, *longest = NULL, *too_long = NULL;
        char path[PATH_MAX + 2], name[NAME_MAX + 2];

        memset(name, 'n', sizeof(name));
        name[NAME_MAX + 1] = '\0';
        ck_assert_int_eq(path_resolve(name, &got), -ENAMETOOLONG);
        snprintf(path, sizeof(path), "/no-such-root/%s", name);
        ck_assert_int_eq(path_resolve(path, &got), -ENAMETOOLONG);
        ck_assert_int_eq(path_resolve(path + strlen(path) - NAME_MAX, &got), 0);
        ck_assert_uint_eq(strlen(got), strlen(root) + 1 + NAME_MAX);

        /* As long as a path may be, one longer, and one that only a symlink makes too long. */
        for (size_t i = 0; i < sizeof(path); i++)
                path[i] = i % 100 == 0 ? '/' : 'p';
        path[PATH_MAX] = '\0';
        ck_assert_int_eq(path_resolve(path, &longest), -ENAMETOOLONG);
        path[PATH_MAX - 1] = '\0';
        ck_assert_int_eq(path_resolve(path, &longest), 0);
        ck_assert_str_eq(longest, path);
        ck_assert_int_eq(symlink("../../../../../../../../tmp/../tmp/../tmp", "long"), 0);
        memcpy(path, "long", 4);
        path[4] = '/';
        ck_assert_int_eq(path_resolve(path, &too_long), -ENAMETOOLONG);
        ck_assert_ptr_null(too_long);
}
END_TEST

START_TEST(test_resolve_in_deleted_directory) {
        char *got = NULL;

        ck_assert_int_eq(mkdir("gone", 0700), 0);
        ck_assert_int_eq(chdir("gone"), 0);
        ck_assert_int_eq(rmdir("../gone"), 0);
        ck_assert_int_eq(path_resolve("x", &got), -ENOENT);
        ck_assert_ptr_null(got);
}
END_TEST

START_TEST(test_resolve_without_permission) {
        char *got = NULL;

        ck_assert_int_eq(chmod("d", 0), 0);
        /* Root walks everywhere: become nobody, in this process only. */
        if (geteuid() == 0) {
                ck_assert_int_eq(chmod(root, 0711), 0);
                ck_assert_int_eq(seteuid(65534), 0);
        }
        ck_assert_int_eq(path_resolve("d/e", &got), -EACCES);
        ck_assert_int_eq(path_resolve("d", &got), 0);
        free(got);
        if (getuid() == 0)
                ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(chmod("d", 0700), 0);
}
END_TEST

static const struct {
        const char *path;
        size_t n;
} deleted[] = {
        {"/a (deleted)", 2},   {"/a", 2},
        {"/a (deleted) ", 13}, {"/a(deleted)", 11},
        {" (deleted)", 10},    {"/a (deleted) (deleted)", 12},
        {"(deleted)", 9},      {"", 0},
};

START_TEST(test_length_less_deleted) {
        const char *path = deleted[_i].path;

        ck_assert_uint_eq(path_length_less_deleted(path, strlen(path)), deleted[_i].n);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("path");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_loop_test(tcase, test_within, 0, N(withins));
        tcase_add_loop_test(tcase, test_directory_length, 0, N(directories));
        tcase_add_loop_test(tcase, test_length_less_deleted, 0, N(deleted));
        tcase_add_loop_test(tcase, test_resolve, 0, N(resolves));
        tcase_add_loop_test(tcase, test_resolve_absolute, 0, N(absolutes));
        tcase_add_test(tcase, test_resolve_long);
        tcase_add_test(tcase, test_resolve_in_deleted_directory);
        tcase_add_test(tcase, test_resolve_without_permission);
        return unit_run("path", tcase);
}
