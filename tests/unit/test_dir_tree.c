/* SPDX-License-Identifier: MIT */

/* What is known of directories: paths that follow renames, cycles refused, a bound kept. */

#include "locate/dir_tree.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static DirTree *tree;
static Buffer path;

/* The handle of directory `id`; 0 is the root. Its bytes are good until the next call but one. */
static FileHandle handle(uint64_t id) {
        static uint64_t ids[2];
        static unsigned i;

        i ^= 1;
        ids[i] = id;
        return (FileHandle){
                .type = 1, .n_bytes = sizeof(ids[i]), .bytes = (const uint8_t *)&ids[i]};
}

static DirNode *node(uint64_t id) {
        FileHandle h = handle(id);
        DirNode *n;

        /* check writes each passed assertion to a file: too slow for trees of full size. */
        if (dir_tree_get(tree, &h, &n) != 0)
                ck_abort_msg("dir_tree_get");
        return n;
}

static bool is_there(uint64_t id) {
        FileHandle h = handle(id);

        return dir_tree_find(tree, &h) != NULL;
}

static void set(uint64_t id, uint64_t parent, const char *name) {
        if (dir_tree_set(tree, node(id), node(parent), name, strlen(name)) != 0)
                ck_abort_msg("dir_tree_set");
}

static void expect_path(uint64_t id, const char *expected) {
        buffer_clear(&path);
        ck_assert_int_eq(dir_tree_path(tree, node(id), &path), 0);
        ck_assert_str_eq(buffer_terminate(&path), expected);
}

static void expect_unknown(uint64_t id) {
        buffer_clear(&path);
        ck_assert_int_eq(dir_tree_path(tree, node(id), &path), -ENOENT);
        ck_assert_uint_eq(path.n_bytes, 0);
}

static void setup(void) {
        FileHandle root = handle(0);

        ck_assert_int_eq(dir_tree_new(&root, &tree), 0);
}

static void teardown(void) {
        tree = dir_tree_free(tree);
        buffer_done(&path);
        ck_assert_ptr_null(dir_tree_free(NULL));
}

START_TEST(test_root) {
        expect_path(0, "/");
        ck_assert(dir_node_is_known(node(0)));
        ck_assert_uint_eq(dir_tree_n_nodes(tree), 1);
        ck_assert_uint_ne(dir_tree_epoch(tree), 0);
        ck_assert_int_eq(dir_tree_set(tree, node(0), node(1), "x", 1), -ELOOP);
        dir_tree_forget(tree, node(0));
        dir_tree_forget_all(tree);
        expect_path(0, "/");
}
END_TEST

START_TEST(test_paths) {
        set(3, 2, "c");
        set(2, 1, "b b");
        expect_unknown(3);
        ck_assert(dir_node_is_known(node(3)));
        ck_assert(!dir_node_is_known(node(1)));
        set(1, 0, "\n\xff");
        expect_path(1, "/\n\xff");
        expect_path(3, "/\n\xff/b b/c");
        /* Behind what is there. */
        buffer_clear(&path);
        buffer_append_string(&path, "before");
        ck_assert_int_eq(dir_tree_path(tree, node(2), &path), 0);
        ck_assert_str_eq(buffer_terminate(&path), "before/\n\xff/b b");
        /* The name is counted and copied. */
        ck_assert_int_eq(dir_tree_set(tree, node(4), node(1), "abc", 2), 0);
        expect_path(4, "/\n\xff/ab");
        ck_assert_uint_eq(dir_tree_n_nodes(tree), 5);
}
END_TEST

/* Of a mount that shows a directory of its filesystem. */
START_TEST(test_root_path) {
        uint64_t before;

        set(1, 0, "a");
        before = dir_tree_epoch(tree);
        ck_assert_int_eq(dir_tree_set_root_path(tree, "/part/of it"), 0);
        ck_assert_uint_ne(dir_tree_epoch(tree), before);
        expect_path(0, "/part/of it");
        expect_path(1, "/part/of it/a");
        ck_assert_int_eq(dir_tree_set_root_path(tree, "/"), 0);
        expect_path(0, "/");
        expect_path(1, "/a");
}
END_TEST

/* Marked directories are counted until they are gone. */
START_TEST(test_marked) {
        set(1, 0, "a");
        set(2, 1, "b");
        dir_tree_set_marked(tree, node(1));
        dir_tree_set_marked(tree, node(1));
        dir_tree_set_marked(tree, node(2));
        ck_assert_uint_eq(dir_tree_n_marked(tree), 2);
        dir_tree_remove(tree, node(1));
        ck_assert_uint_eq(dir_tree_n_marked(tree), 1);
        dir_tree_remove(tree, node(2));
        dir_tree_remove(tree, node(3));
        ck_assert_uint_eq(dir_tree_n_marked(tree), 0);
}
END_TEST

/* Handles are the same only with type, length and all bytes. */
START_TEST(test_handles) {
        static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
        const FileHandle handles[] = {
                {.type = 1, .n_bytes = 8, .bytes = bytes},
                {.type = 2, .n_bytes = 8, .bytes = bytes},
                {.type = 1, .n_bytes = 7, .bytes = bytes},
                {.type = 1, .n_bytes = 7, .bytes = bytes + 1},
                {.type = -1, .n_bytes = 8, .bytes = bytes},
        };
        DirNode *nodes[5];

        for (size_t i = 0; i < 5; i++) {
                ck_assert_ptr_null(dir_tree_find(tree, &handles[i]));
                ck_assert_int_eq(dir_tree_get(tree, &handles[i], &nodes[i]), 0);
        }
        for (size_t i = 0; i < 5; i++) {
                FileHandle h = dir_node_handle(nodes[i]);

                ck_assert_ptr_eq(dir_tree_find(tree, &handles[i]), nodes[i]);
                ck_assert(file_handle_equal(&h, &handles[i]));
                ck_assert_ptr_ne(h.bytes, handles[i].bytes);
        }
        ck_assert_uint_eq(dir_tree_n_nodes(tree), 6);
}
END_TEST

START_TEST(test_rename) {
        uint64_t epoch;

        set(1, 0, "a");
        set(2, 1, "b");
        set(3, 2, "c");
        set(4, 0, "other");
        epoch = dir_tree_epoch(tree);
        set(1, 0, "renamed");
        ck_assert_uint_ne(dir_tree_epoch(tree), epoch);
        expect_path(3, "/renamed/b/c");
        set(2, 4, "moved");
        expect_path(3, "/other/moved/c");
        expect_path(1, "/renamed");
        /* Up, and below what it was above. */
        set(2, 0, "x");
        set(4, 2, "y");
        expect_path(4, "/x/y");
        expect_path(3, "/x/c");
}
END_TEST

/* What nothing was derived from makes no derived place wrong: that is the steady state. */
START_TEST(test_epoch) {
        uint64_t epoch = dir_tree_epoch(tree);

        set(1, 0, "a");
        set(2, 1, "b");
        ck_assert_uint_eq(dir_tree_epoch(tree), epoch);
        dir_tree_remove(tree, node(2));
        ck_assert_uint_eq(dir_tree_epoch(tree), epoch);
        dir_tree_forget(tree, node(9));
        ck_assert_uint_eq(dir_tree_epoch(tree), epoch);
        set(3, 1, "c");
        dir_tree_forget(tree, node(1));
        ck_assert_uint_ne(dir_tree_epoch(tree), epoch);
        epoch = dir_tree_epoch(tree);
        set(1, 0, "b");
        /* With a child of which a place may be known, what goes is noticed. */
        dir_tree_remove(tree, node(1));
        ck_assert_uint_ne(dir_tree_epoch(tree), epoch);
        epoch = dir_tree_epoch(tree);
        dir_tree_bump_epoch(tree);
        ck_assert_uint_ne(dir_tree_epoch(tree), epoch);
        ck_assert_uint_ne(dir_tree_epoch(tree), 0);
}
END_TEST

START_TEST(test_cycles) {
        set(1, 0, "a");
        set(2, 1, "b");
        set(3, 2, "c");
        ck_assert_int_eq(dir_tree_set(tree, node(1), node(3), "x", 1), -ELOOP);
        expect_unknown(1);
        expect_unknown(3);
        set(1, 0, "a");
        expect_path(3, "/a/b/c");
        ck_assert_int_eq(dir_tree_set(tree, node(2), node(2), "x", 1), -ELOOP);
        expect_unknown(2);
        expect_path(1, "/a");
        /* Also among those that are not known. */
        set(11, 10, "x");
        ck_assert_int_eq(dir_tree_set(tree, node(10), node(11), "y", 1), -ELOOP);
        expect_unknown(11);
}
END_TEST

START_TEST(test_forget) {
        set(1, 0, "a");
        set(2, 1, "b");
        set(3, 2, "c");
        dir_tree_forget(tree, node(2));
        expect_unknown(2);
        expect_unknown(3);
        expect_path(1, "/a");
        set(2, 0, "again");
        expect_path(3, "/again/c");
        node(2)->is_lost = true;
        set(2, 1, "b");
        ck_assert(!node(2)->is_lost);

        node(5)->is_lost = true;
        dir_tree_forget_all(tree);
        for (uint64_t i = 1; i <= 3; i++)
                expect_unknown(i);
        ck_assert(!node(5)->is_lost);
        ck_assert_uint_eq(dir_tree_n_nodes(tree), 5);
        set(1, 0, "a");
        expect_path(1, "/a");
}
END_TEST

START_TEST(test_remove) {
        set(1, 0, "a");
        for (uint64_t i = 2; i < 6; i++)
                set(i, 1, "b");
        /* The first, a middle and the last of the children. */
        dir_tree_remove(tree, node(5));
        dir_tree_remove(tree, node(3));
        dir_tree_remove(tree, node(2));
        ck_assert(!is_there(3));
        ck_assert_uint_eq(dir_tree_n_nodes(tree), 3);
        expect_path(4, "/a/b");
        dir_tree_remove(tree, node(1));
        ck_assert(!is_there(1));
        expect_unknown(4);
        /* Made anew, nothing of before is known. */
        expect_unknown(1);
        set(1, 0, "new");
        expect_unknown(4);
}
END_TEST

START_TEST(test_deep) {
        /* From below, so that no walk up is long. */
        for (uint64_t i = DIR_TREE_MAX_DEPTH; i > 0; i--)
                set(i, i - 1, "d");
        buffer_clear(&path);
        ck_assert_int_eq(dir_tree_path(tree, node(DIR_TREE_MAX_DEPTH), &path), 0);
        ck_assert_uint_eq(path.n_bytes, 2 * DIR_TREE_MAX_DEPTH);
        set(DIR_TREE_MAX_DEPTH + 1, DIR_TREE_MAX_DEPTH, "d");
        buffer_clear(&path);
        ck_assert_int_eq(dir_tree_path(tree, node(DIR_TREE_MAX_DEPTH + 1), &path), -ELOOP);
        /* A cycle too long to be noticed does no harm but that. */
        set(DIR_TREE_MAX_DEPTH + 2, DIR_TREE_MAX_DEPTH + 1, "d");
        (void)dir_tree_set(tree, node(1), node(DIR_TREE_MAX_DEPTH + 2), "d", 1);
        ck_assert_int_ne(dir_tree_path(tree, node(2), &path), 0);
}
END_TEST

/* The least recently used leaves go, and no more than must. */
START_TEST(test_evict) {
        const uint64_t n = DIR_TREE_MAX_NODES + 100;
        DirNode *keep;

        set(1, 0, "old");
        set(2, 1, "leaf");
        for (uint64_t i = 3; i < n; i++)
                set(i, 0, "x");
        ck_assert(is_there(5));
        keep = node(n);
        ck_assert_uint_eq(dir_tree_n_nodes(tree), n + 1);
        dir_tree_evict(tree, keep);
        ck_assert_uint_eq(dir_tree_n_nodes(tree), DIR_TREE_MAX_NODES);
        ck_assert_uint_eq(dir_tree_n_evicted(tree), n + 1 - DIR_TREE_MAX_NODES);
        ck_assert(!is_there(2) && !is_there(3) && !is_there(4) && !is_there(6));
        /* Used since; above a leaf that went later than it was asked for; asked to be kept. */
        ck_assert(is_there(5) && is_there(0) && is_there(n) && is_there(n - 1));
        expect_path(0, "/");
        expect_path(5, "/x");
        dir_tree_evict(tree, NULL);
        ck_assert_uint_eq(dir_tree_n_nodes(tree), DIR_TREE_MAX_NODES);
}
END_TEST

/* Neither what is kept nor what it hangs from goes, however long ago it was used. */
START_TEST(test_evict_keeps) {
        const uint64_t n = DIR_TREE_MAX_NODES + 100;
        DirNode *keep;

        set(1, 0, "a");
        set(2, 1, "b");
        set(3, 2, "c");
        keep = node(3);
        for (uint64_t i = 4; i < n; i++)
                set(i, 0, "x");
        dir_tree_evict(tree, keep);
        ck_assert_uint_eq(dir_tree_n_nodes(tree), DIR_TREE_MAX_NODES);
        ck_assert_uint_eq(dir_tree_n_evicted(tree), n - DIR_TREE_MAX_NODES);
        expect_path(3, "/a/b/c");
        ck_assert_ptr_eq(node(3), keep);
}
END_TEST

/* A chain of which nothing may go: it ends all the same. */
START_TEST(test_evict_nothing) {
        const uint64_t n = DIR_TREE_MAX_NODES + 10;

        for (uint64_t i = n - 1; i > 0; i--)
                set(i, i - 1, "d");
        /* A chain has one leaf. */
        dir_tree_evict(tree, node(n - 1));
        ck_assert_uint_eq(dir_tree_n_nodes(tree), n);
        ck_assert_uint_eq(dir_tree_n_evicted(tree), 0);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("dir_tree");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_root);
        tcase_add_test(tcase, test_paths);
        tcase_add_test(tcase, test_handles);
        tcase_add_test(tcase, test_root_path);
        tcase_add_test(tcase, test_marked);
        tcase_add_test(tcase, test_rename);
        tcase_add_test(tcase, test_epoch);
        tcase_add_test(tcase, test_cycles);
        tcase_add_test(tcase, test_forget);
        tcase_add_test(tcase, test_remove);
        tcase_add_test(tcase, test_deep);
        tcase_add_test(tcase, test_evict);
        tcase_add_test(tcase, test_evict_keeps);
        tcase_add_test(tcase, test_evict_nothing);
        return unit_run("dir_tree", tcase);
}
