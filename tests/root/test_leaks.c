/* SPDX-License-Identifier: MIT */

/*
 * Must hold 7: after 100,000 events the monitor has as many descriptors as before, and memory
 * that does not grow with the events. Invalid accesses and leaks at exit are the business of the
 * sanitizer builds, in which every test of this suite asks for exit status 0.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "tree.h"
#include "truth.h"

#define GROWTH_MAX_BYTES (4.0 * 1024 * 1024)

/* Makes a tree and has rm remove it, while the monitor watches. */
static void one_round(const Filesystem *fs, size_t n_dirs, size_t n_files) {
        _cleanup_free_ char *tree = harness_format("%s/tree", fs->path);
        _cleanup_truth_ Truth t = {0};

        tree_make(tree, n_dirs, n_files, &t, NULL);
        process_run(PROCESS_ARGS("rm", "-rf", tree));
}

/* Descriptors may be open for a moment after the last record; they must come back. */
static size_t settled_fds(const Monitor *m, size_t n_wanted) {
        size_t n = process_count_fds(m->pid);

        for (int i = 0; i < 100 && n != n_wanted; i++) {
                harness_sleep(0.02);
                n = process_count_fds(m->pid);
        }
        return n;
}

START_TEST(nothing_is_left_behind) {
        /* The sanitizers are to see a whole storm once, whatever the scale. */
        bool is_whole = harness_is_sanitized() && _i == 0;
        size_t n_dirs = is_whole ? 1000 : harness_scale(1000, 20);
        size_t n_files = is_whole ? 100 * 1000 : harness_scale(100 * 1000, 2000);
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        size_t n_fds = process_count_fds(m.pid), n_fds_end;
        double warm, end;

        one_round(&fs, n_dirs, n_files);
        monitor_wait_until_quiet(&m, 0.5);
        warm = (double)process_rss_bytes(m.pid);
        one_round(&fs, n_dirs, n_files);
        monitor_wait_until_quiet(&m, 0.5);
        end = (double)process_rss_bytes(m.pid);
        n_fds_end = settled_fds(&m, n_fds);
        harness_note("%zu descriptors, then %zu; %.1f MiB, then %.1f MiB", n_fds, n_fds_end,
                     warm / 1048576, end / 1048576);
        ck_assert_uint_eq(n_fds_end, n_fds);
        if (!harness_is_sanitized()) /* whose freed memory waits in quarantine */
                harness_assert(end - warm <= GROWTH_MAX_BYTES, "grew by %.1f MiB in %zu events",
                               (end - warm) / 1048576, n_files);
        monitor_stop(&m);
}
END_TEST

/* Many short processes: their descriptors (pidfds, /proc) must come back, too. */
START_TEST(processes_leave_no_descriptor) {
        size_t n = harness_scale(1000, 50);
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        size_t n_fds = process_count_fds(m.pid);

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *file = harness_format("%s/file-%zu", fs.path, i);

                harness_touch(file);
                process_run(PROCESS_ARGS("rm", file));
        }
        monitor_wait_until_quiet(&m, 0.3);
        ck_assert_uint_eq(settled_fds(&m, n_fds), n_fds);
        monitor_stop(&m);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, nothing_is_left_behind, FS_TMPFS, FS_EXT4 + 1);
        tcase_add_test(tcase, processes_leave_no_descriptor);
}

int main(void) {
        return harness_main("leaks", add_tests);
}
