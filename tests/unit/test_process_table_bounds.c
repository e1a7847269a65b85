/* SPDX-License-Identifier: MIT */

/* What the table forgets, and when: the dead, long chains, old phases. */

#include "identify/process_table.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "fixtures_process_table.h"

static size_t n_lives(void) {
        return process_table_counters(table).n_lives;
}

/* A daemon that forks itself anew for ever, the parent ending each time. */
START_TEST(test_long_chain) {
        const int n = 4 * PROCESS_TABLE_ANCESTORS_MAX;

        found_at(0, INIT, "init", -500, 0);
        for (int i = 1; i <= n; i++) {
                fork_at(i, PID(i), PID(i - 1));
                if (i > 1)
                        exit_at(i, PID(i - 1));
        }
        process_table_release(table, at(n));
        expect_alive(PID(n), n, "init");
        ck_assert_uint_eq(answer.n_ancestors, PROCESS_TABLE_ANCESTORS_MAX);
        /* The near ones and where it all began; what is left out lies between. */
        for (int i = 0; i < PROCESS_TABLE_ANCESTORS_MAX - 1; i++)
                ck_assert_int_eq(answer.ancestors[i].pid, PID(n - 1 - i));
        ck_assert_int_eq(answer.ancestors[PROCESS_TABLE_ANCESTORS_MAX - 1].pid, INIT);
}
END_TEST

/* The living are all kept; an answer holds the nearest. */
START_TEST(test_long_chain_of_the_living) {
        const int n = 2 * PROCESS_TABLE_ANCESTORS_MAX;

        found_at(0, INIT, "init", -500, 0);
        for (int i = 1; i <= n; i++)
                fork_at(i, PID(i), PID(i - 1));
        expect_alive(PID(n), n, "init");
        ck_assert_uint_eq(answer.n_ancestors, PROCESS_TABLE_ANCESTORS_MAX);
        for (int i = 0; i < PROCESS_TABLE_ANCESTORS_MAX; i++)
                ck_assert_int_eq(answer.ancestors[i].pid, PID(n - 1 - i));
        expect_alive(PID(10), n, "init");
        ck_assert_uint_eq(answer.n_ancestors, 10);
        ck_assert_uint_eq(n_lives(), (size_t)n + 1);
}
END_TEST

/* The oldest phases go; what is left stays dated. */
START_TEST(test_phases_max) {
        const int n = 3 * PROCESS_PHASES_MAX;
        char comm[16];

        fork_at(1, PID(1), INIT);
        exec_at(2, PID(1), "0");
        for (int i = 1; i < n; i++) {
                snprintf(comm, sizeof(comm), "%d", i);
                change_comm(10 + i, PID(1), comm);
        }
        for (int i = n - PROCESS_PHASES_MAX; i < n; i++) {
                snprintf(comm, sizeof(comm), "%d", i);
                expect_alive(PID(1), 10 + i, comm);
        }
        snprintf(comm, sizeof(comm), "%d", n - PROCESS_PHASES_MAX);
        expect_alive(PID(1), 3, comm);
}
END_TEST

START_TEST(test_release) {
        fork_at(1, PID(1), INIT);
        fork_at(2, PID(2), INIT);
        fork_at(3, PID(3), INIT);
        exit_at(10, PID(1));
        exit_at(20, PID(2));
        process_table_release(table, at(10));
        ck_assert_uint_eq(n_lives(), 3);
        process_table_release(table, at(10.5));
        ck_assert_uint_eq(n_lives(), 2);
        ck_assert_int_eq(find_in(PID(1), 5, 11, PROCESS_LIVENESS_REAPED), -ESRCH);
        ck_assert_int_eq(find_in(PID(2), 5, 21, PROCESS_LIVENESS_REAPED), 0);
        process_table_release(table, at(1000));
        ck_assert_uint_eq(n_lives(), 1);
        expect_alive(PID(3), 30, NULL);
        /* More than are let go at once. */
        for (int i = 10; i < 1000; i++) {
                fork_at(40, PID(i), INIT);
                exit_at(41, PID(i));
        }
        ck_assert_uint_eq(process_table_counters(table).n_dead, 990);
        process_table_release(table, at(1000));
        ck_assert_uint_eq(n_lives(), 1);
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 0);
}
END_TEST

/* A dead leader whose pid still answers stays: this test is one. */
START_TEST(test_release_lingers) {
        fork_at(1, getpid(), INIT);
        exit_at(2, getpid());
        fork_at(3, getpid(), INIT);
        exec_at(4, getpid(), "leader");
        exit_at(5, getpid());
        process_table_release(table, at(100));
        ck_assert_uint_eq(n_lives(), 1);
        ck_assert_uint_eq(process_table_counters(table).n_dead, 1);
        process_table_release(table, at(100));
        ck_assert_int_eq(find_in(getpid(), 50, 60, PROCESS_LIVENESS_ALIVE), 0);
        ck_assert_str_eq(answer.process.facts->comm, "leader");
        /* Another thread of it executes. */
        exec_at(70, getpid(), "again");
        ck_assert_uint_eq(process_table_counters(table).n_dead, 0);
        expect_alive(getpid(), 71, "again");
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("process_table_bounds");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_long_chain);
        tcase_add_test(tcase, test_long_chain_of_the_living);
        tcase_add_test(tcase, test_phases_max);
        tcase_add_test(tcase, test_release);
        tcase_add_test(tcase, test_release_lingers);
        return unit_run("process_table_bounds", tcase);
}
