/* SPDX-License-Identifier: MIT */

/* Where a directory of a filesystem is visible, and whether anyone asked for it. */

#include "capture/scope.h"

#include <string.h>

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
                                                     "/dev/sda1"),
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

        ck_assert_int_eq(scope_set_add_mount(&set, "/", "/mnt", "tmpfs", "none"), 0);
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
        tcase_add_loop_test(tcase, test_wants, 0, sizeof(wanted) / sizeof(wanted[0]));
        tcase_add_test(tcase, test_wants_root);
        tcase_add_test(tcase, test_wants_below_root);
        tcase_add_test(tcase, test_wants_nothing);
        return unit_run("scope", tcase);
}
