/* SPDX-License-Identifier: MIT */

/* A walk over the real /proc, and over one that is none. */

#include "identify/process_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fixtures_process_table.h"

static ProcSource source_of(const char *path) {
        ProcSource s;

        proc_source_init(&s, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), -1);
        ck_assert_int_ge(s.proc_fd, 0);
        return s;
}

static void expect_self(void) {
        const uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);
        const ProcessWindow w = {.since = now, .until = now};

        process_answer_done(&answer);
        ck_assert_int_eq(process_table_find(table, getpid(), w, PROCESS_LIVENESS_ALIVE, &answer),
                         0);
        ck_assert_uint_ge(answer.n_ancestors, 1);
        ck_assert_int_eq(answer.ancestors[0].pid, getppid());
        ck_assert_ptr_nonnull(answer.process.facts->executable);
}

START_TEST(test_scan) {
        ProcSource s = source_of("/proc");

        ck_assert_int_eq(process_scan(table, &s), 0);
        expect_self();
        close(s.proc_fd);
}
END_TEST

/* Who is there is confirmed, who is not has ended. */
START_TEST(test_rescan) {
        ProcSource s = source_of("/proc");

        ck_assert_int_eq(process_scan(table, &s), 0);
        fork_at(10, PID(1), getpid());
        ck_assert_uint_eq(process_table_counters(table).n_dead, 0);
        ck_assert_int_eq(process_rescan(table, &s, at(20)), 0);
        ck_assert_uint_ge(process_table_counters(table).n_dead, 1);
        expect_self();
        close(s.proc_fd);
}
END_TEST

START_TEST(test_no_proc) {
        ProcSource s = source_of("/dev");

        ck_assert_int_eq(process_scan(table, &s), 0);
        ck_assert_uint_eq(process_table_counters(table).n_lives, 0);
        close(s.proc_fd);
        ck_assert_int_eq(process_scan(table, &(ProcSource){.proc_fd = -1}), -EBADF);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("process_scan");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_scan);
        tcase_add_test(tcase, test_rescan);
        tcase_add_test(tcase, test_no_proc);
        return unit_run("process_scan", tcase);
}
