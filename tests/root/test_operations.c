/* SPDX-License-Identifier: MIT */

/*
 * Must hold 1: each operation by which a name can vanish, and those by which none can, gives
 * exactly the records that a person would expect, in the order of what happened: no more, no less.
 * On each kind of filesystem, while the monitor reads along, and when all is over before it reads.
 */

#include <signal.h>

#include "filesystem.h"
#include "harness.h"
#include "operation.h"
#include "truth.h"

static void run(FsKind kind, bool is_late) {
        OperationPlace p = {.fs = fs_new(kind, "fs"), .own = process_own_truth()};
        Monitor m;

        p.is_by_directory = kind == FS_OVERLAY || kind == FS_FUSE;
        p.truth.is_ordered = true;
        p.watched = harness_format("%s/watched", p.fs.path);
        p.outside = harness_format("%s/outside", p.fs.path);
        harness_mkdir(p.watched);
        harness_mkdir(p.outside);
        m = monitor_start(MONITOR_ARGS(p.watched));
        p.monitor = m.pid;
        if (is_late)
                ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        operation_do_all(&p, operations_on_names);
        if (is_late)
                ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        else
                operation_do_all(&p, operations_by_ways);
        truth_check(&p.truth, &m, harness_unknown_allowed(p.truth.n_items));
        truth_done(&p.truth);
}

START_TEST(each_operation) {
        run((FsKind)_i, false);
}
END_TEST

START_TEST(each_operation_read_late) {
        run((FsKind)_i, true);
}
END_TEST

/* An overlay's lower layer, as containers have it. */
START_TEST(each_operation_on_layers) {
        FsKind kind = _i == 0 ? FS_OVERLAY : FS_OVERLAY_EXPORT;
        OperationPlace p = {.fs = fs_prepare_overlay(kind, "fs"),
                            .is_by_directory = kind == FS_OVERLAY,
                            .own = process_own_truth()};
        char *lower = harness_format("%s/watched", p.fs.lower);
        Monitor m;

        p.truth.is_ordered = true;
        p.watched = harness_format("%s/watched", p.fs.path);
        p.outside = harness_format("%s/outside", p.fs.path);
        harness_mkdir(lower);
        operation_fill_layer(lower, operations_on_layers);
        fs_mount_overlay(&p.fs, "redirect_dir=on");
        m = monitor_start(MONITOR_ARGS(p.watched));
        p.monitor = m.pid;
        operation_do_all(&p, operations_on_layers);
        truth_check(&p.truth, &m, harness_unknown_allowed(p.truth.n_items));
        truth_done(&p.truth);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, each_operation, 0, FS_ALL_KINDS);
        tcase_add_loop_test(tcase, each_operation_read_late, 0, FS_KINDS);
        tcase_add_loop_test(tcase, each_operation_read_late, FS_OVERLAY_EXPORT,
                            FS_OVERLAY_EXPORT + 1);
        tcase_add_loop_test(tcase, each_operation_on_layers, 0, 2);
}

int main(void) {
        return harness_main("operations", add_tests);
}
