/* SPDX-License-Identifier: MIT */

/*
 * What is lost is said: with the kernel's own bound on the queue and a monitor that stands still,
 * events are dropped, and a loss record stands in the stream in their place.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

#define QUEUE 64

static char *file_of(const Filesystem *fs, size_t i) {
        return harness_format("%s/file-%zu", fs->path, i);
}

static void delete_some(const Filesystem *fs, size_t from, size_t to) {
        for (size_t i = from; i < to; i++) {
                _cleanup_free_ char *file = file_of(fs, i);

                harness_touch(file);
                harness_unlink(file);
        }
}

/* All records up to the loss are the first deletions, those behind it the last. */
static void check_records(const Monitor *m, const Filesystem *fs, size_t n) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        _cleanup_free_ char *last = file_of(fs, n - 1), *seen = NULL;
        struct json_object *record;
        size_t n_losses = 0, n_deletions = 0;

        while ((record = record_next(&r))) {
                const char *action = record_string(record, "event.action");

                if (strcmp(action, "loss") == 0) {
                        n_losses++;
                        ck_assert(record_string(record, "whodunlink.loss.where"));
                        harness_assert(n_deletions >= QUEUE / 2, "loss before any deletion");
                }
                if (strcmp(record_string(record, "event.dataset"), "whodunlink.deletion") != 0)
                        continue;
                n_deletions++;
                free(seen);
                seen = strdup(record_string(record, "file.path"));
        }
        ck_assert_uint_ge(n_losses, 1);
        ck_assert_uint_lt(n_deletions, n);
        harness_assert(seen && strcmp(seen, last) == 0, "the last record is of %s",
                       seen ? seen : "nothing");
}

START_TEST(a_full_queue_is_told) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        long bound = harness_sysctl_get("fs/fanotify/max_queued_events");
        Monitor m;

        harness_sysctl_set("fs/fanotify/max_queued_events", QUEUE);
        m = monitor_start(MONITOR_ARGS("--queue=bounded", fs.path));
        harness_sysctl_set("fs/fanotify/max_queued_events", bound);
        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        delete_some(&fs, 0, 2000);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        monitor_wait_for_output(&m, "\"action\":\"loss\"", 10);
        delete_some(&fs, 2000, 2001);
        monitor_stop(&m);
        check_records(&m, &fs, 2001);
}
END_TEST

/* Without the option the queue has no bound, whatever the sysctl says. */
START_TEST(nothing_is_lost_by_default) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        long bound = harness_sysctl_get("fs/fanotify/max_queued_events");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m;

        harness_sysctl_set("fs/fanotify/max_queued_events", QUEUE);
        m = monitor_start(MONITOR_ARGS(fs.path));
        harness_sysctl_set("fs/fanotify/max_queued_events", bound);
        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        delete_some(&fs, 0, 2000);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        for (size_t i = 0; i < 2000; i++) {
                _cleanup_free_ char *file = file_of(&fs, i);

                truth_add(&t, "unlink", file, &own);
        }
        truth_check(&t, &m, 0);
        ck_assert_uint_eq(record_count_status(m.output_path, "loss"), 0);
}
END_TEST

#define LOST_DIRS 200

/*
 * Directories whose files' deletions were seen and whose own removal fell to the overflow: that
 * their names will not come any more is found out for all of them at once.
 */
START_TEST(lost_directories_do_not_add_up) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        long bound = harness_sysctl_get("fs/fanotify/max_queued_events");
        double start;
        Monitor m;

        for (size_t i = 0; i < LOST_DIRS; i++) {
                _cleanup_free_ char *dir = harness_format("%s/dir-%zu", fs.path, i);
                _cleanup_free_ char *file = harness_format("%s/file", dir);

                harness_mkdir(dir);
                harness_touch(file);
        }
        /* Each unlink() is two events. */
        harness_sysctl_set("fs/fanotify/max_queued_events", 2 * LOST_DIRS);
        m = monitor_start(MONITOR_ARGS("--queue=bounded", fs.path));
        harness_sysctl_set("fs/fanotify/max_queued_events", bound);
        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        for (size_t i = 0; i < LOST_DIRS; i++) {
                _cleanup_free_ char *file = harness_format("%s/dir-%zu/file", fs.path, i);

                harness_unlink(file);
        }
        for (size_t i = 0; i < LOST_DIRS; i++) {
                _cleanup_free_ char *dir = harness_format("%s/dir-%zu", fs.path, i);

                ck_assert_int_eq(rmdir(dir), 0);
        }
        start = harness_now();
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        monitor_stop(&m);
        harness_note("ended after %.2f s", harness_now() - start);
        harness_assert(harness_now() - start < 2, "took %.1f s", harness_now() - start);
        ck_assert_uint_eq(record_count_deletions(m.output_path), LOST_DIRS);
        ck_assert_uint_eq(record_count_status(m.output_path, "loss"), 1);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, a_full_queue_is_told);
        tcase_add_test(tcase, nothing_is_lost_by_default);
        tcase_add_test(tcase, lost_directories_do_not_add_up);
}

int main(void) {
        return harness_main_alone("loss", add_tests);
}
