/* SPDX-License-Identifier: MIT */

/*
 * Must hold 1: a large tree removed by one `rm -rf`, on each filesystem. By the time an event is
 * read, its directory is mostly gone; every record must have its path all the same.
 */

#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "tree.h"
#include "truth.h"

START_TEST(rm_rf_is_told_whole) {
        size_t n_dirs = harness_scale(1000, 20), n_files = harness_scale(100 * 1000, 2000);
        Filesystem fs = fs_new((FsKind)_i, "fs");
        _cleanup_free_ char *tree = harness_format("%s/tree", fs.path);
        const char *const *args = PROCESS_ARGS("rm", "-rf", tree);
        Process rm = process_child_truth(args);
        _cleanup_truth_ Truth t = {0};
        double seconds;
        Monitor m;

        tree_make(tree, n_dirs, n_files, &t, &rm);
        ck_assert_uint_eq(t.n_items, n_dirs + n_files + 1);
        m = monitor_start(MONITOR_ARGS(tree));
        seconds = harness_now();
        rm.pid = process_run(args);
        seconds = harness_now() - seconds;
        truth_check(&t, &m, 0);
        harness_note("%s: rm -rf of %zu took %.2f s", fs_kind_name(fs.kind), t.n_items, seconds);
}
END_TEST

/* The same tree removed by two processes, each one half: their events alternate. */
START_TEST(two_rm_rf_at_once_are_told_apart) {
        size_t n_dirs = harness_scale(200, 10), n_files = harness_scale(20 * 1000, 500);
        Filesystem fs = fs_new((FsKind)_i, "fs");
        _cleanup_truth_ Truth t = {0};
        const char *args[2][4] = {{"rm", "-rf"}, {"rm", "-fr"}};
        Process rm[2];
        Monitor m;

        for (int i = 0; i < 2; i++) {
                args[i][2] = harness_format("%s/tree-%d", fs.path, i);
                rm[i] = process_child_truth(args[i]);
                tree_make(args[i][2], n_dirs, n_files, &t, &rm[i]);
        }
        m = monitor_start(MONITOR_ARGS(fs.path));
        for (int i = 0; i < 2; i++)
                rm[i].pid = process_spawn(args[i]);
        for (int i = 0; i < 2; i++)
                ck_assert_int_eq(process_wait(rm[i].pid, 60), 0);
        truth_check(&t, &m, 0);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, rm_rf_is_told_whole, 0, FS_KINDS);
        tcase_add_loop_test(tcase, two_rm_rf_at_once_are_told_apart, 0, FS_KINDS);
}

int main(void) {
        return harness_main("bulk", add_tests);
}
