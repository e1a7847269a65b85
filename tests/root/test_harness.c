/* SPDX-License-Identifier: MIT */

/*
 * The harness itself: its comparison finds each kind of lie, its decoders are right, and the
 * filesystems come and go without the monitor.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

static Monitor canned(const char *const *records) {
        Monitor m = {.pid = 1, .pipe_fd = -1, .output_path = harness_path("canned")};
        _cleanup_fclose_ FILE *f = fopen(m.output_path, "we");
        int n = 1;

        fprintf(f, "{\"event\":{\"dataset\":\"whodunlink.status\",\"action\":\"start\","
                   "\"id\":\"1\",\"sequence\":1}}\n");
        for (; records[n - 1]; n++)
                fprintf(f,
                        "{\"event\":{\"dataset\":\"whodunlink.deletion\",\"action\":\"unlink\","
                        "\"id\":\"%d\",\"sequence\":%d},%s}\n",
                        n + 1, n + 1, records[n - 1]);
        fprintf(f,
                "{\"event\":{\"dataset\":\"whodunlink.status\",\"action\":\"stop\","
                "\"id\":\"%d\",\"sequence\":%d}}\n",
                n + 1, n + 1);
        return m;
}

#define FILE_A "\"file\":{\"path\":\"/t/a\",\"name\":\"a\",\"directory\":\"/t\"}"
#define FILE_B "\"file\":{\"path\":\"/t/b\",\"name\":\"b\",\"directory\":\"/t\"}"
#define SOURCE "\"whodunlink\":{\"path_source\":\"handle\"}"
#define PROCESS "\"process\":{\"pid\":7,\"args\":[\"rm\",\"x\"],\"args_count\":2}"

static TruthDiff compare(const char *const *records) {
        _cleanup_truth_ Truth t = {0};
        const Process process = {.pid = 7, .args = PROCESS_ARGS("rm", "x")};
        Monitor m = canned(records);

        truth_add(&t, "unlink", "/t/a", &process);
        truth_add(&t, "unlink", "/t/b", &process);
        return truth_compare(&t, &m);
}

START_TEST(compare_finds_nothing_in_the_truth) {
        TruthDiff diff =
                compare(MONITOR_ARGS(FILE_B "," SOURCE "," PROCESS, FILE_A "," SOURCE "," PROCESS));

        truth_assert(&diff, 0);
}
END_TEST

START_TEST(compare_finds_missing_and_doubled) {
        TruthDiff diff =
                compare(MONITOR_ARGS(FILE_A "," SOURCE "," PROCESS, FILE_A "," SOURCE "," PROCESS));

        ck_assert_uint_eq(diff.n_missing, 1);
        ck_assert_uint_eq(diff.n_doubled, 1);
        ck_assert_uint_eq(diff.n_wrong + diff.n_unknown + diff.n_unexpected, 0);
}
END_TEST

START_TEST(compare_finds_wrong_unknown_unexpected) {
        TruthDiff diff = compare(MONITOR_ARGS(
                FILE_A "," SOURCE ",\"process\":{\"pid\":7,\"args\":[\"rm\",\"y\"]}",
                FILE_B "," SOURCE ",\"process\":{\"pid\":7}",
                "\"file\":{\"path\":\"/t/c\",\"name\":\"c\",\"directory\":\"/t\"}," SOURCE));

        ck_assert_uint_eq(diff.n_wrong, 1);
        ck_assert_uint_eq(diff.n_unknown, 1);
        ck_assert_uint_eq(diff.n_unexpected, 1);
        ck_assert_uint_eq(diff.n_missing + diff.n_doubled + diff.n_unresolved, 0);
}
END_TEST

START_TEST(compare_finds_unresolved) {
        TruthDiff diff = compare(MONITOR_ARGS(FILE_A "," PROCESS, FILE_B "," PROCESS));

        ck_assert_uint_eq(diff.n_unresolved, 2);
}
END_TEST

START_TEST(encodings_are_right) {
        static const struct {
                const char *bytes, *lossy;
        } table[] = {
                {"a\xff"
                 "b",
                 "a\xef\xbf\xbd"
                 "b"},
                {"\xe2\x82\xac", "\xe2\x82\xac"},
                {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
                {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
                {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        };
        static const char *const base64[][2] = {
                {"YQ==", "a"}, {"YWI=", "ab"}, {"YWJj", "abc"}, {"/+8=", "\xff\xef"}};
        bool is_valid;

        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                _cleanup_free_ char *lossy =
                        record_lossy(table[i].bytes, strlen(table[i].bytes), &is_valid).data;

                ck_assert_str_eq(lossy, table[i].lossy);
                ck_assert_int_eq(is_valid, strcmp(table[i].bytes, table[i].lossy) == 0);
        }
        for (size_t i = 0; i < sizeof(base64) / sizeof(*base64); i++) {
                _cleanup_free_ char *bytes = record_base64_decode(base64[i][0]).data;

                ck_assert_str_eq(bytes, base64[i][1]);
        }
}
END_TEST

START_TEST(filesystem_comes_and_goes) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        _cleanup_free_ char *file = harness_format("%s/file", fs.path);

        harness_touch(file);
        harness_unlink(file);
        harness_assert(umount2(fs.path, 0) == 0, "umount %s: %m", fs.path);
        for (int i = 0; i < 100 && fs.loop_index >= 0 && fs_is_loop_attached(&fs); i++)
                harness_sleep(0.02);
        ck_assert(fs.loop_index < 0 || !fs_is_loop_attached(&fs));
}
END_TEST

START_TEST(ancestors_end_at_init) {
        pid_t pids[PROCESS_ANCESTORS_MAX];
        size_t n = process_ancestors(getpid(), pids);

        ck_assert_uint_gt(n, 0);
        ck_assert_int_eq(pids[0], getppid());
        ck_assert_int_eq(pids[n - 1], 1);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, compare_finds_nothing_in_the_truth);
        tcase_add_test(tcase, compare_finds_missing_and_doubled);
        tcase_add_test(tcase, compare_finds_wrong_unknown_unexpected);
        tcase_add_test(tcase, compare_finds_unresolved);
        tcase_add_test(tcase, encodings_are_right);
        tcase_add_loop_test(tcase, filesystem_comes_and_goes, 0, FS_KINDS);
        tcase_add_test(tcase, ancestors_end_at_init);
}

int main(void) {
        return harness_main("harness", add_tests);
}
