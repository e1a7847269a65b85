/* SPDX-License-Identifier: MIT */

/* Where a directory of a filesystem is visible, and whether anyone asked for it. */

#include "capture/scope.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "unit.h"

#define TARGETS_MAX 3
#define MOUNTS_MAX 4

typedef struct Classified {
        const char *fs_path;
        ScopeClass class;
        const char *visible; /* "": not visible */
} Classified;

typedef struct Layout {
        const char *mounts[MOUNTS_MAX][2]; /* root, point */
        const char *targets[TARGETS_MAX];
        Classified expected[10];
} Layout;

static const Layout layouts[] = {
        /* All of a filesystem, one target in it. */
        {.mounts = {{"/", "/mnt"}},
         .targets = {"/mnt/a/b"},
         .expected = {{"/", SCOPE_SOME, "/mnt"},
                      {"/a", SCOPE_SOME, "/mnt/a"},
                      {"/a/b", SCOPE_ALL, "/mnt/a/b"},
                      {"/a/b/c", SCOPE_ALL, "/mnt/a/b/c"},
                      {"/a/bc", SCOPE_NONE, "/mnt/a/bc"},
                      {"/a/c", SCOPE_NONE, "/mnt/a/c"},
                      {"/x/a/b", SCOPE_NONE, "/mnt/x/a/b"}}},
        /* The root filesystem. */
        {.mounts = {{"/", "/"}},
         .targets = {"/a"},
         .expected = {{"/", SCOPE_SOME, "/"},
                      {"/a", SCOPE_ALL, "/a"},
                      {"/a/b", SCOPE_ALL, "/a/b"},
                      {"/ab", SCOPE_NONE, "/ab"}}},
        {.mounts = {{"/", "/"}},
         .targets = {"/"},
         .expected = {{"/", SCOPE_ALL, "/"}, {"/a/b", SCOPE_ALL, "/a/b"}}},
        /* A part of one, over the root and elsewhere. */
        {.mounts = {{"/sub", "/"}},
         .targets = {"/a"},
         .expected = {{"/", SCOPE_NONE, ""},
                      {"/sub", SCOPE_SOME, "/"},
                      {"/sub/a", SCOPE_ALL, "/a"},
                      {"/subway", SCOPE_NONE, ""},
                      {"/a", SCOPE_NONE, ""}}},
        {.mounts = {{"/sub/deep", "/mnt/x"}},
         .targets = {"/mnt"},
         .expected = {{"/sub", SCOPE_NONE, ""},
                      {"/sub/deep", SCOPE_ALL, "/mnt/x"},
                      {"/sub/deep/y", SCOPE_ALL, "/mnt/x/y"},
                      {"/sub/deeper", SCOPE_NONE, ""}}},
        /* Of several visible paths: the one inside a target, then the one above it, then any. */
        {.mounts = {{"/", "/one"}, {"/d", "/two"}, {"/d/e", "/three"}},
         .targets = {"/two/e"},
         .expected = {{"/", SCOPE_NONE, "/one"},
                      {"/d", SCOPE_SOME, "/two"},
                      {"/d/e", SCOPE_ALL, "/two/e"},
                      {"/d/e/f", SCOPE_ALL, "/two/e/f"},
                      {"/d/g", SCOPE_NONE, "/one/d/g"}}},
        {.mounts = {{"/", "/one"}, {"/d", "/two"}, {"/d/e", "/three"}},
         .targets = {"/three", "/one/d"},
         .expected = {{"/", SCOPE_SOME, "/one"},
                      {"/d", SCOPE_ALL, "/one/d"},
                      {"/d/e", SCOPE_ALL, "/one/d/e"},
                      {"/c", SCOPE_NONE, "/one/c"}}},
        {.mounts = {{"/x", "/a"}, {"/x", "/b"}},
         .targets = {"/b/f"},
         .expected = {{"/x", SCOPE_SOME, "/b"},
                      {"/x/f", SCOPE_ALL, "/b/f"},
                      {"/x/g", SCOPE_NONE, "/a/g"}}},
        /* Nowhere. */
        {.targets = {"/"}, .expected = {{"/", SCOPE_NONE, ""}, {"/a", SCOPE_NONE, ""}}},
        {.mounts = {{"/", "/mnt"}}, .expected = {{"/a", SCOPE_NONE, "/mnt/a"}}},
};

#define N_LAYOUTS ((int)(sizeof(layouts) / sizeof(layouts[0])))

static ScopeTarget targets[TARGETS_MAX];
static ScopeSet set;
static Buffer visible;

static void add_target(const char *path, bool is_directory) {
        ck_assert_uint_lt(set.n_targets, TARGETS_MAX);
        targets[set.n_targets++] = (ScopeTarget){
                .path = strdup(path), .n_path = strlen(path), .is_directory = is_directory};
        set.targets = targets;
}

static void teardown(void) {
        for (size_t i = 0; i < set.n_targets; i++)
                free(targets[i].path);
        scope_set_done(&set);
        ck_assert_ptr_null(set.mounts);
        ck_assert_uint_eq(set.n_mounts, 0);
        scope_set_done(&set);
        buffer_done(&visible);
}

static ScopeClass classify(const char *fs_path, const ScopeMount **ret_mount) {
        return scope_set_classify(&set, fs_path, strlen(fs_path), &visible, ret_mount);
}

static bool wants(const char *path, ScopeEvent event) {
        return scope_set_wants(&set, path, strlen(path), event);
}

START_TEST(test_classify) {
        const Layout *l = &layouts[_i];
        const ScopeMount *m;

        for (size_t i = 0; i < MOUNTS_MAX && l->mounts[i][0]; i++)
                ck_assert_int_eq(scope_set_add_mount(&set, l->mounts[i][0], l->mounts[i][1], "ext4",
                                                     "/dev/sda1", NULL),
                                 0);
        for (size_t i = 0; i < TARGETS_MAX && l->targets[i]; i++)
                add_target(l->targets[i], true);
        /* What the buffer held before is of no matter. */
        buffer_append_string(&visible, "before");
        for (size_t i = 0; i < 10 && l->expected[i].fs_path; i++) {
                const Classified *c = &l->expected[i];

                ck_assert_int_eq(classify(c->fs_path, &m), c->class);
                ck_assert_str_eq(buffer_terminate(&visible), c->visible);
                ck_assert_int_eq(m != NULL, c->visible[0] != '\0');
                if (m)
                        ck_assert_mem_eq(m->point, c->visible, m->n_point);
        }
}
END_TEST

/* The paths are counted, not terminated. */
START_TEST(test_lengths) {
        const ScopeMount *m;

        ck_assert_int_eq(scope_set_add_mount(&set, "/", "/mnt", "tmpfs", "none", NULL), 0);
        add_target("/mnt/a", true);
        ck_assert_int_eq(scope_set_classify(&set, "/abc", 2, &visible, &m), SCOPE_ALL);
        ck_assert_str_eq(buffer_terminate(&visible), "/mnt/a");
        ck_assert_str_eq(m->fstype, "tmpfs");
        ck_assert_str_eq(m->source, "none");
        ck_assert_str_eq(m->root, "/");
        ck_assert(scope_set_wants(&set, "/mnt/abc", 6, SCOPE_EVENT_FILE_GONE));
        ck_assert(!scope_set_wants(&set, "/mnt/abc", 8, SCOPE_EVENT_FILE_GONE));
}
END_TEST

static void add_mount(const char *root, const char *point) {
        ck_assert_int_eq(scope_set_add_mount(&set, root, point, "btrfs", "/dev/sda1", "/@"), 0);
}

static int move(const char *from, const char *to, uint64_t target) {
        /* The paths are counted. */
        _cleanup_free_ char *longer = NULL;
        ScopeMove m = {.from = from, .n_from = strlen(from), .target = target};

        if (to) {
                ck_assert_int_gt(asprintf(&longer, "%sxyz", to), 0);
                m.to = longer;
                m.n_to = strlen(to);
        }
        return scope_set_move(&set, &m);
}

static void expect_roots(const char *first, const char *second, const char *third) {
        ck_assert_str_eq(set.mounts[0].root, first);
        ck_assert_str_eq(set.mounts[1].root, second);
        ck_assert_str_eq(set.mounts[2].root, third);
        for (size_t i = 0; i < 3; i++)
                ck_assert_uint_eq(set.mounts[i].n_root, strlen(set.mounts[i].root));
}

START_TEST(test_move) {
        add_mount("/", "/top");
        ck_assert(!scope_set_is_partial(&set));
        add_mount("/@home", "/home");
        add_mount("/@home/a/b", "/b");
        ck_assert(scope_set_is_partial(&set));
        ck_assert_int_eq(move("/@", "/@new", 1), 0);
        ck_assert_int_eq(move("/@home2", "/x", 1), 0);
        ck_assert_int_eq(move("/@home/a/b/c", "/x", 1), 0);
        expect_roots("/", "/@home", "/@home/a/b");
        ck_assert_int_eq(move("/@home/a", "/@home/aa", 2), 1);
        expect_roots("/", "/@home", "/@home/aa/b");
        ck_assert_int_eq(move("/@home", "/old/@h", 3), 1);
        expect_roots("/", "/old/@h", "/old/@h/aa/b");
        ck_assert_int_eq(move("/old", "/o", 4), 1);
        expect_roots("/", "/o/@h", "/o/@h/aa/b");
        ck_assert_int_eq(move("/o/@h", "/@home", 3), 1);
        expect_roots("/", "/@home", "/@home/aa/b");
        ck_assert_str_eq(set.mounts[1].subvolume, "/@");
}
END_TEST

START_TEST(test_move_back_and_forth) {
        add_mount("/a", "/1");
        add_mount("/b", "/2");
        add_mount("/a/c", "/3");
        ck_assert_int_eq(move("/a", "/d", 1), 1);
        ck_assert_int_eq(move("/d", "/a", 1), 1);
        ck_assert_int_eq(move("/a", "/d", 1), 1);
        expect_roots("/d", "/b", "/d/c");
}
END_TEST

/* Two events, and in between both are at one path. */
START_TEST(test_exchange) {
        add_mount("/a", "/1");
        add_mount("/b", "/2");
        add_mount("/a/c", "/3");
        ck_assert_int_eq(move("/a", "/b", 1), 1);
        ck_assert_int_eq(move("/b", "/a", 2), 1);
        expect_roots("/b", "/a", "/b/c");
        ck_assert_int_eq(move("/b", "/a", 1), 1);
        ck_assert_int_eq(move("/a", "/b", 2), 1);
        expect_roots("/a", "/b", "/a/c");
}
END_TEST

START_TEST(test_gone) {
        const ScopeMount *m;

        add_mount("/@home", "/home");
        add_mount("/@home/a", "/a");
        add_mount("/@", "/");
        add_target("/", true);
        ck_assert_int_eq(move("/@home", NULL, 1), 1);
        expect_roots("/@home//deleted", "/@home/a//deleted", "/@");
        /* What comes to its path is another. */
        ck_assert_int_eq(classify("/@home", &m), SCOPE_NONE);
        ck_assert_int_eq(classify("/@home/a", &m), SCOPE_NONE);
        ck_assert_int_eq(classify("/@/home", &m), SCOPE_ALL);
        ck_assert_ptr_null(scope_set_find_mount_of(&set, "/@home", 6));
        ck_assert_int_eq(move("/@home", "/@home2", 2), 0);
        ck_assert_int_eq(classify("/@home2", &m), SCOPE_NONE);
}
END_TEST

START_TEST(test_same_mounts) {
        ScopeSet other = {0};

        ck_assert(scope_set_has_same_mounts(&set, &other));
        add_mount("/", "/a");
        ck_assert(!scope_set_has_same_mounts(&set, &other));
        ck_assert(!scope_set_has_same_mounts(&other, &set));
        ck_assert_int_eq(scope_set_add_mount(&other, "/", "/b", "btrfs", "/dev/sda1", "/@"), 0);
        ck_assert(!scope_set_has_same_mounts(&set, &other));
        scope_set_done(&other);
        ck_assert_int_eq(scope_set_add_mount(&other, "/x", "/a", "btrfs", "/dev/sda1", "/@"), 0);
        ck_assert(!scope_set_has_same_mounts(&set, &other));
        scope_set_done(&other);
        ck_assert_int_eq(scope_set_add_mount(&other, "/", "/a", "btrfs", "/dev/sdb1", NULL), 0);
        ck_assert(scope_set_has_same_mounts(&set, &other));
        scope_set_done(&other);
}
END_TEST

START_TEST(test_former) {
        ScopeSet now = {0};
        const ScopeMount *m;

        add_mount("/@", "/");
        add_mount("/@home", "/home");
        add_mount("/@home/a", "/a");
        add_mount("/@srv", "/srv");
        ck_assert_int_eq(scope_set_add_mount(&now, "/@", "/", "btrfs", "/dev/sda1", "/@"), 0);
        ck_assert_int_eq(scope_set_add_mount(&now, "/@new", "/srv", "btrfs", "/dev/sda1", "/@"), 0);
        ck_assert_int_eq(scope_set_keep_former(&now, &set), 0);
        scope_set_done(&set);
        set = now;
        ck_assert_uint_eq(set.n_mounts, 5);
        add_target("/", true);
        /* What is there now comes first. */
        ck_assert_int_eq(classify("/@home/a", &m), SCOPE_ALL);
        ck_assert_str_eq(buffer_terminate(&visible), "/home/a");
        classify("/@/a", &m);
        ck_assert_str_eq(buffer_terminate(&visible), "/a");
        classify("/@new/a", &m);
        ck_assert_str_eq(buffer_terminate(&visible), "/srv/a");
        classify("/@srv/a", &m);
        ck_assert_str_eq(buffer_terminate(&visible), "/srv/a");
        scope_set_truncate(&set, 2);
        ck_assert_int_eq(classify("/@home/a", &m), SCOPE_NONE);
        ck_assert_int_eq(classify("/@srv/a", &m), SCOPE_NONE);
        ck_assert_int_eq(classify("/@new/a", &m), SCOPE_ALL);
        scope_set_truncate(&set, 2);
        ck_assert_uint_eq(set.n_mounts, 2);
        scope_set_truncate(&set, 0);
}
END_TEST

START_TEST(test_former_bound) {
        ScopeSet now = {0};

        for (int i = 0; i < SCOPE_FORMER_MAX + 10; i++) {
                _cleanup_free_ char *point = NULL;

                ck_assert_int_gt(asprintf(&point, "/%d", i), 0);
                add_mount("/", point);
        }
        ck_assert_int_eq(scope_set_add_mount(&now, "/", "/", "btrfs", "/dev/sda1", NULL), 0);
        ck_assert_int_eq(scope_set_keep_former(&now, &set), 0);
        ck_assert_uint_eq(now.n_mounts, SCOPE_FORMER_MAX + 1);
        ck_assert_str_eq(now.mounts[0].point, "/");
        scope_set_done(&now);
}
END_TEST

static const char *mount_of(const char *fs_path) {
        const ScopeMount *m = scope_set_find_mount_of(&set, fs_path, strlen(fs_path));

        return m ? m->point : "";
}

START_TEST(test_find_mount_of) {
        add_mount("/", "/top");
        add_mount("/@home", "/mnt");
        add_mount("/@home", "/home");
        add_mount("/@var/log", "/var/log");
        ck_assert_str_eq(mount_of("/@home"), "");
        add_target("/home/alice", true);
        add_target("/var", true);
        ck_assert_str_eq(mount_of("/@home"), "/home");
        ck_assert_str_eq(mount_of("/@home/alice"), "");
        ck_assert_str_eq(mount_of("/@hom"), "");
        ck_assert_str_eq(mount_of("/@var"), "/var/log");
        ck_assert_str_eq(mount_of("/@var/log"), "/var/log");
        ck_assert_str_eq(mount_of("/@var/log/a"), "");
        /* One inside a target wins over one that leads to it. */
        add_mount("/@home/alice", "/home/alice");
        ck_assert_str_eq(mount_of("/@home"), "/home/alice");
}
END_TEST

typedef struct Wanted {
        const char *path;
        bool file_gone, directory_gone, directory_moved;
} Wanted;

static const Wanted wanted[] = {
        /* The directory target and below. */
        {"/d/dir", true, true, true},
        {"/d/dir/x", true, true, true},
        {"/d/dir/x/y", true, true, true},
        {"/d/directory", false, false, false},
        {"/d/di", false, false, false},
        /* Above it: its removal says nothing new, its move does. */
        {"/d", false, false, true},
        {"/", false, false, true},
        /* The file target (or what does not exist yet), and the directory that held it. */
        {"/f/g/file", true, true, true},
        {"/f/g/file2", false, false, false},
        {"/f/g", false, true, true},
        {"/f/gg", false, false, false},
        {"/f", false, false, true},
        /* Elsewhere. */
        {"/e", false, false, false},
        {"/e/f/g", false, false, false},
};

START_TEST(test_wants) {
        const Wanted *w = &wanted[_i];

        add_target("/d/dir", true);
        add_target("/f/g/file", false);
        ck_assert_int_eq(wants(w->path, SCOPE_EVENT_FILE_GONE), w->file_gone);
        ck_assert_int_eq(wants(w->path, SCOPE_EVENT_DIRECTORY_GONE), w->directory_gone);
        ck_assert_int_eq(wants(w->path, SCOPE_EVENT_DIRECTORY_MOVED), w->directory_moved);
}
END_TEST

START_TEST(test_wants_root) {
        add_target("/", true);
        ck_assert(wants("/", SCOPE_EVENT_DIRECTORY_GONE));
        ck_assert(wants("/a", SCOPE_EVENT_FILE_GONE));
        ck_assert(wants("/a/b", SCOPE_EVENT_DIRECTORY_MOVED));
}
END_TEST

/* A file right below the root. */
START_TEST(test_wants_below_root) {
        add_target("/file", false);
        ck_assert(wants("/file", SCOPE_EVENT_FILE_GONE));
        ck_assert(wants("/", SCOPE_EVENT_DIRECTORY_GONE));
        ck_assert(!wants("/other", SCOPE_EVENT_FILE_GONE));
        ck_assert(!wants("/other", SCOPE_EVENT_DIRECTORY_GONE));
}
END_TEST

START_TEST(test_wants_nothing) {
        ck_assert(!wants("/", SCOPE_EVENT_DIRECTORY_MOVED));
        ck_assert(!wants("/a", SCOPE_EVENT_FILE_GONE));
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("scope");

        tcase_add_checked_fixture(tcase, NULL, teardown);
        tcase_add_loop_test(tcase, test_classify, 0, N_LAYOUTS);
        tcase_add_test(tcase, test_lengths);
        tcase_add_test(tcase, test_move);
        tcase_add_test(tcase, test_move_back_and_forth);
        tcase_add_test(tcase, test_exchange);
        tcase_add_test(tcase, test_gone);
        tcase_add_test(tcase, test_same_mounts);
        tcase_add_test(tcase, test_former);
        tcase_add_test(tcase, test_former_bound);
        tcase_add_test(tcase, test_find_mount_of);
        tcase_add_loop_test(tcase, test_wants, 0, sizeof(wanted) / sizeof(wanted[0]));
        tcase_add_test(tcase, test_wants_root);
        tcase_add_test(tcase, test_wants_below_root);
        tcase_add_test(tcase, test_wants_nothing);
        return unit_run("scope", tcase);
}
