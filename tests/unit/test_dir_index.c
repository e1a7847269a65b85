/* SPDX-License-Identifier: MIT */

/*
 * Which directories an index marks, and where it thinks they are, while they come and move.
 */

#include "fixtures_dir_index.h"

static Buffer path;

static void setup(void) {
        set_up_directories();
        set_up_index("/t");
}

static void teardown(void) {
        tear_down_index();
        tear_down_directories();
        buffer_done(&path);
}

/* Another target than all of it. */
static void watch(const char *watched) {
        tear_down_index();
        set_up_index(watched);
}

static void walk(void) {
        for (size_t i = 0; i < 1000; i++)
                if (dir_index_walk(dir_index, UINT64_MAX) == 0)
                        return;
        ck_abort_msg("the walk does not end");
}

static DirNode *find(const char *at) {
        FileHandle h = handle_at(at);

        return dir_tree_find(tree, &h);
}

/* What is at a path now is marked, once, and the tree has it there. */
static void expect_index(const char *at, const char *in_tree) {
        _cleanup_close_ int fd = openat(root_fd, at, O_PATH | O_CLOEXEC);
        ino_t inode = inode_of(fd);
        DirNode *n = find(at);
        size_t n_times = 0;

        for (size_t i = 0; i < n_marked; i++)
                n_times += marked[i] == inode;
        if (!n || !n->is_marked || n_times != 1)
                ck_abort_msg("%s: marked %zu times", at, n_times);
        buffer_clear(&path);
        ck_assert_int_eq(dir_tree_path(tree, n, &path), 0);
        ck_assert_str_eq(buffer_terminate(&path), in_tree);
}

static void expect_unmarked(const char *at) {
        DirNode *n = find(at);

        if (n && n->is_marked)
                ck_abort_msg("%s is marked", at);
}

START_TEST(test_walk) {
        make("a");
        make("a/b");
        make("a/b/c");
        make("d");
        ck_assert_int_eq(mknodat(root_fd, "a/file", S_IFREG | 0600, 0), 0);
        ck_assert_int_eq(symlinkat("/", root_fd, "a/link"), 0);
        start_index();
        ck_assert(dir_index_is_walking(dir_index));
        expect_index(".", "/");
        ck_assert_uint_eq(n_marked, 1);
        ck_assert_uint_eq(dir_index_n_walks(dir_index), 0);
        walk();
        ck_assert(!dir_index_is_walking(dir_index));
        ck_assert_uint_eq(dir_index_n_walks(dir_index), 1);
        expect_index("a", "/a");
        expect_index("a/b/c", "/a/b/c");
        expect_index("d", "/d");
        ck_assert_uint_eq(n_marked, 5);
        ck_assert_uint_eq(n_marked_for_new, 5);
        ck_assert_uint_eq(dir_index_n_directories(dir_index), 5);
        expect_no_gap();
}
END_TEST

/* In pieces, each as short as it can be. */
START_TEST(test_walk_in_pieces) {
        char name[16];
        size_t n_pieces = 1;

        for (unsigned i = 0; i < 100; i++) {
                snprintf(name, sizeof(name), "d%u", i);
                make(name);
        }
        start_index();
        while (dir_index_walk(dir_index, 0) > 0)
                n_pieces++;
        ck_assert_uint_gt(n_pieces, 100);
        ck_assert_uint_eq(n_marked, 101);
}
END_TEST

START_TEST(test_scope) {
        watch("/t/a/b");
        make("a");
        make("a/b");
        make("a/b/c");
        make("a/x");
        make("y");
        start_index();
        walk();
        expect_index("a", "/a");
        expect_index("a/b", "/a/b");
        expect_index("a/b/c", "/a/b/c");
        expect_unmarked("a/x");
        expect_unmarked("y");
        ck_assert(!find("a")->is_deep);
        ck_assert(find("a/b")->is_deep);
}
END_TEST

static bool is_at(int fd, const char *at) {
        struct stat st;

        ck_assert_int_eq(fstatat(root_fd, at, &st, 0), 0);
        return st.st_ino == inode_of(fd);
}

static void make_in_a(int fd) {
        if (is_at(fd, "a"))
                make("a/just now");
}

/* Made right behind the mark, nobody needs to tell of it: the listing comes after. */
START_TEST(test_marked_before_listed) {
        make("a");
        on_mark = make_in_a;
        start_index();
        walk();
        expect_index("a/just now", "/a/just now");
}
END_TEST

static void spoil(int fd) {
        _cleanup_close_ int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (is_at(fd, "a"))
                ck_assert_int_eq(dup2(file, fd), fd);
}

/* A descriptor that has become no good is no reason to end: the directory is opened again. */
START_TEST(test_opened_in_vain) {
        make("a");
        make("a/b");
        on_mark = spoil;
        start_index();
        walk();
        expect_index("a/b", "/a/b");
        expect_no_gap();
}
END_TEST

START_TEST(test_follow) {
        make("a");
        start_index();
        walk();
        make("a/new");
        make("a/new/below");
        tell_new(1, name_in(handle_at("a"), "new"));
        tell_new(1, name_in(handle_at("a"), "gone again"));
        ck_assert_int_eq(dir_index_follow(dir_index), 0);
        expect_index("a/new", "/a/new");
        expect_unmarked("a/new/below");
        walk();
        expect_index("a/new/below", "/a/new/below");
        ck_assert_uint_eq(dir_index_n_walks(dir_index), 1);
        expect_no_gap();
        tell_new(-EIO, (FanName){0});
        ck_assert_int_eq(dir_index_follow(dir_index), -EIO);
}
END_TEST

/* The parent is not where the tree has it: it is found by the event that says so, and listed. */
START_TEST(test_follow_into_moved) {
        FileHandle a;

        make("a");
        make("b");
        start_index();
        walk();
        a = handle_at("a");
        make("a/new");
        move("a", "b/a");
        tell_new(1, name_in(a, "new"));
        ck_assert_int_eq(dir_index_follow(dir_index), 0);
        expect_unmarked("b/a/new");
        ck_assert_int_eq(dir_index_walk(dir_index, UINT64_MAX), 1);
        ck_assert(dir_index_is_walking(dir_index));
        add_later(FAN_RENAME, a, name_in(handle_at("."), "a"), name_in(handle_at("b"), "a"));
        walk();
        expect_index("b/a/new", "/a/new");
        expect_no_gap();
}
END_TEST

/* Out of sight it waits for its return. */
START_TEST(test_return) {
        FlightEvent e;
        FileHandle a;

        make("a");
        start_index();
        walk();
        a = handle_at("a");
        make("a/new");
        move("a", "b");
        tell_new(1, name_in(a, "new"));
        ck_assert_int_eq(dir_index_follow(dir_index), 0);
        e = add_later(FAN_RENAME, a, name_in(handle_at("."), "a"), (FanName){0});
        walk();
        expect_unmarked("b/new");
        ck_assert(find("b")->is_unlisted);
        later_events_remove(&later, &e);
        ck_assert_int_eq(dir_tree_set(tree, find("b"), dir_tree_root(tree), "b", 1), 0);
        walk();
        expect_unmarked("b/new");
        ck_assert_int_eq(dir_index_return(dir_index, &a), 0);
        walk();
        expect_index("b/new", "/b/new");
        expect_no_gap();
}
END_TEST

/* Events were lost, in any of the ways: what is there is walked once more. */
START_TEST(test_loss) {
        static const int results[] = {1, -EBADMSG};

        make("a");
        start_index();
        walk();
        for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
                const char *name = i == 0 ? "a/x" : "a/y";

                make(name);
                walk();
                expect_unmarked(name);
                tell_new(results[i], (FanName){0});
                ck_assert_int_eq(dir_index_follow(dir_index), 0);
                ck_assert(dir_index_is_walking(dir_index));
                walk();
                ck_assert_uint_eq(dir_index_n_walks(dir_index), i + 2);
        }
        expect_index("a/x", "/a/x");
        expect_index("a/y", "/a/y");
        expect_index("a", "/a");
        /* Nobody told of this either: a walk after a loss believes what it sees … */
        move("a/x", "x");
        dir_index_walk_again(dir_index);
        walk();
        expect_index("x", "/x");
        /* … unless an event in flight will say so in its turn. */
        move("x", "z");
        add_later(FAN_RENAME, handle_at("z"), name_in(handle_at("."), "x"),
                  name_in(handle_at("."), "z"));
        dir_index_walk_again(dir_index);
        walk();
        expect_index("z", "/x");
}
END_TEST

/* The tree is as old as the oldest event: what is seen elsewhere is only kept in mind. */
START_TEST(test_seen_twice) {
        make("a");
        make("c");
        start_index();
        ck_assert_int_eq(dir_index_walk(dir_index, 0), 1);
        make("a/x");
        tell_new(1, name_in(handle_at("a"), "x"));
        ck_assert_int_eq(dir_index_follow(dir_index), 0);
        move("a/x", "c/y");
        walk();
        expect_index("c/y", "/a/x");
        ck_assert_ptr_nonnull(find("c/y")->found);
        ck_assert_int_eq(dir_tree_use_found(tree, find("c/y")), 0);
        expect_index("c/y", "/c/y");
}
END_TEST

/* So it is with one that an event has put into the tree before the walk came to it. */
START_TEST(test_known_before) {
        FileHandle h;
        DirNode *n;

        make("c");
        make("c/y");
        start_index();
        h = handle_at("c/y");
        ck_assert_int_eq(dir_tree_get(tree, &h, &n), 0);
        ck_assert_int_eq(dir_tree_set(tree, n, dir_tree_root(tree), "x", 1), 0);
        walk();
        expect_index("c/y", "/x");
        ck_assert_ptr_nonnull(n->found);
}
END_TEST

START_TEST(test_gap) {
        struct stat st;
        DirIndex *none = NULL;
        FileHandle root;

        make("a");
        make("a/b");
        ck_assert_int_eq(fstatat(root_fd, "a/b", &st, 0), 0);
        refused = st.st_ino;
        refusal = -ENOSPC;
        start_index();
        walk();
        expect_index("a", "/a");
        expect_unmarked("a/b");
        expect_gap(-ENOSPC, "/a/b");
        /* Once there is room, the next walk gets it. */
        refused = 0;
        dir_index_walk_again(dir_index);
        walk();
        expect_index("a/b", "/a/b");
        expect_no_gap();
        /* Without the root there is nothing at all. */
        dir_index = dir_index_free(dir_index);
        dir_tree_free(tree);
        root = handle_at(".");
        ck_assert_int_eq(dir_tree_new(&root, &tree), 0);
        refused = inode_of(root_fd);
        refusal = -EOPNOTSUPP;
        ck_assert_int_eq(dir_index_new(NULL, NULL, &scopes, tree, &later, &none), -EOPNOTSUPP);
        ck_assert_ptr_null(none);
}
END_TEST

/* Of a mount that shows a part, what is mounted of the rest is out of reach. */
START_TEST(test_mount_outside) {
        ck_assert_int_eq(dir_tree_set_root_path(tree, "/part"), 0);
        scopes.mounts[0].n_root = 5;
        free(scopes.mounts[0].root);
        scopes.mounts[0].root = strdup("/part");
        ck_assert_int_eq(scope_set_add_mount(&scopes, "/other", "/t/other", "ext4", "/dev/x", NULL),
                         0);
        make("a");
        start_index();
        walk();
        expect_index("a", "/part/a");
        expect_gap(-EXDEV, "/other");
        /* It is said once. */
        dir_index_walk_again(dir_index);
        walk();
        expect_no_gap();
}
END_TEST

START_TEST(test_stop) {
        make("a");
        start_index();
        ck_assert_int_eq(dir_index_walk(dir_index, 0), 1);
        dir_index_stop(dir_index);
        ck_assert(is_stopped);
        ck_assert(!dir_index_is_walking(dir_index));
        tell_new(1, name_in(handle_at("."), "a"));
        ck_assert_int_eq(dir_index_follow(dir_index), 0);
        ck_assert_uint_eq(n_news_taken, 0);
        dir_index_walk_again(dir_index);
        ck_assert_int_eq(dir_index_walk(dir_index, UINT64_MAX), 0);
        ck_assert(!dir_index_is_walking(dir_index));
        ck_assert_ptr_null(dir_index_free(NULL));
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("dir_index");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_walk);
        tcase_add_test(tcase, test_walk_in_pieces);
        tcase_add_test(tcase, test_scope);
        tcase_add_test(tcase, test_marked_before_listed);
        tcase_add_test(tcase, test_opened_in_vain);
        tcase_add_test(tcase, test_follow);
        tcase_add_test(tcase, test_follow_into_moved);
        tcase_add_test(tcase, test_return);
        tcase_add_test(tcase, test_loss);
        tcase_add_test(tcase, test_seen_twice);
        tcase_add_test(tcase, test_known_before);
        tcase_add_test(tcase, test_gap);
        tcase_add_test(tcase, test_mount_outside);
        tcase_add_test(tcase, test_stop);
        return unit_run("dir_index", tcase);
}
