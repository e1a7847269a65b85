/* SPDX-License-Identifier: MIT */

/* More have ended than are kept: the oldest go, counted, and nothing is told of another instead. */

#include "identify/process_table.h"

#include <errno.h>
#include <unistd.h>

#include "fixtures_process_table.h"

static void limit_to(size_t n) {
        table = process_table_free(table);
        ck_assert_int_eq(process_table_new(n, &table), 0);
}

static void live_at(double seconds, pid_t pid, const char *comm) {
        fork_at(seconds, pid, INIT);
        exec_at(seconds, pid, comm);
        exit_at(seconds + 0.5, pid);
}

static void expect_dead(pid_t pid, double since, double until, const char *comm) {
        ck_assert_int_eq(find_in(pid, since, until, PROCESS_LIVENESS_REAPED), 0);
        ck_assert_str_eq(answer.process.facts->comm, comm);
}

START_TEST(test_oldest_go) {
        static const int limits[] = {1, 2, 1000, PROCESS_TABLE_DEAD_MAX_DEFAULT};
        const int limit = limits[_i], n = limit + 10;

        limit_to((size_t)limit);
        for (int i = 1; i <= n; i++) {
                fork_at(10, PID(i), INIT);
                exit_at(11, PID(i));
        }
        ck_assert_uint_eq(process_table_counters(table).n_lives, (size_t)limit);
        ck_assert_uint_eq(process_table_counters(table).n_dead, (size_t)limit);
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 10);
        ck_assert_uint_eq(process_table_counters(table).n_forks, (uint64_t)n);
        for (int i = 1; i <= 11; i++)
                ck_assert_int_eq(find_in(PID(i), 10, 12, PROCESS_LIVENESS_REAPED),
                                 i <= 10 ? -ESRCH : 0);
        ck_assert_int_eq(find_in(PID(n), 10, 12, PROCESS_LIVENESS_REAPED), 0);
        /* What is released is not evicted. */
        process_table_release(table, at(100));
        ck_assert_uint_eq(process_table_counters(table).n_lives, 0);
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 10);
}
END_TEST

/* However many there are, the living stay; and a child still names its evicted parent. */
START_TEST(test_not_the_living) {
        limit_to(1);
        for (int i = 1; i <= 100; i++)
                fork_at(i, PID(i), i > 1 ? PID(i - 1) : INIT);
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 0);
        exit_at(200, PID(99));
        exit_at(201, PID(98));
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 1);
        expect_alive(PID(100), 202, NULL);
        ck_assert_uint_eq(answer.n_ancestors, PROCESS_TABLE_ANCESTORS_MAX);
        ck_assert_int_eq(answer.ancestors[0].pid, PID(99));
        ck_assert_int_eq(answer.ancestors[1].pid, PID(98));
}
END_TEST

/* The pid comes round: the one before the life that is still known may have done it. */
START_TEST(test_earlier_life_forgotten) {
        limit_to(2);
        live_at(10, PID(1), "first");
        live_at(20, PID(2), "other");
        live_at(30, PID(1), "second");
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 1);
        ck_assert_int_eq(find_in(PID(1), 5, 40, PROCESS_LIVENESS_REAPED), -ENOTUNIQ);
        ck_assert_int_eq(find_in(PID(1), 10.2, 40, PROCESS_LIVENESS_UNKNOWN), -ENOTUNIQ);
        /* It had ended before. */
        expect_dead(PID(1), 15, 40, "second");
        ck_assert(answer.is_only_life);
        /* Another pid has nothing to do with it. */
        expect_dead(PID(2), 5, 40, "other");
        ck_assert(answer.is_only_life);
}
END_TEST

/* Whose pid answers is the last life for sure; but another event of that pid may be the other's. */
START_TEST(test_alive_is_sure) {
        limit_to(1);
        live_at(10, PID(1), "first");
        live_at(20, PID(2), "other");
        fork_at(30, PID(1), INIT);
        exec_at(30, PID(1), "second");
        ck_assert_int_eq(find_in(PID(1), 5, 40, PROCESS_LIVENESS_ALIVE), 0);
        ck_assert_str_eq(answer.process.facts->comm, "second");
        ck_assert(!answer.is_only_life);
        ck_assert_int_eq(find_in(PID(1), 5, 40, PROCESS_LIVENESS_UNKNOWN), -ENOTUNIQ);
        ck_assert_int_eq(find_in(PID(1), 11, 40, PROCESS_LIVENESS_ALIVE), 0);
        ck_assert(answer.is_only_life);
}
END_TEST

/* A life that began before the window is alone with its pid in it. */
START_TEST(test_begun_before) {
        limit_to(1);
        live_at(10, PID(1), "first");
        live_at(20, PID(2), "other");
        fork_at(30, PID(1), INIT);
        exec_at(30, PID(1), "second");
        exit_at(50, PID(1));
        expect_dead(PID(1), 31, 60, "second");
        /* Not even when the same pid's earlier lives went in the window's time. */
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 2);
}
END_TEST

/* A dead one that stays because its pid answers, while a later life of that pid goes. */
START_TEST(test_later_life_forgotten) {
        limit_to(1);
        live_at(10, getpid(), "leader");
        process_table_release(table, at(15));
        ck_assert_uint_eq(process_table_counters(table).n_dead, 1);
        live_at(20, getpid(), "later");
        live_at(30, PID(2), "other");
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 1);
        ck_assert_int_eq(find_in(getpid(), 19, 40, PROCESS_LIVENESS_REAPED), -ENOTUNIQ);
        ck_assert_int_eq(find_in(getpid(), 5, 40, PROCESS_LIVENESS_UNKNOWN), -ENOTUNIQ);
}
END_TEST

/* Pids far apart share what is remembered of the forgotten: that costs a name and tells no wrong
 * one. */
START_TEST(test_pids_share) {
        limit_to(1);
        live_at(10, PID(1), "first");
        live_at(20, PID(2), "other");
        fork_at(30, PID(1) + 65536, INIT);
        exec_at(30, PID(1) + 65536, "far");
        ck_assert_int_eq(find_in(PID(1) + 65536, 5, 40, PROCESS_LIVENESS_UNKNOWN), -ENOTUNIQ);
        ck_assert_int_eq(find_in(PID(1) + 65536, 11, 40, PROCESS_LIVENESS_UNKNOWN), 0);
}
END_TEST

/* As the kernel makes it: its begin is cut to the next second. */
static void put_exit_record(pid_t pid, const char *comm, double began, double seconds) {
        uint64_t realtime = clock_boottime_to_realtime(clock_monotonic_to_boottime(at(began)));
        TaskstatsRecord r = {
                .pid = pid,
                .tgid = pid,
                .begin_realtime_sec = realtime / CLOCK_NSEC_PER_SEC + 1,
                .is_whole_process = true,
        };

        strcpy(r.comm, comm);
        ck_assert_int_eq(process_table_exit_record(table, &r, NULL, at(seconds)), 0);
}

/* A record that is read late does not bring a forgotten life back; a later life is another's. */
START_TEST(test_exit_record_of_forgotten) {
        const double now = (double)(int64_t)(clock_now_nsec(CLOCK_MONOTONIC) - base_nsec) /
                           (double)CLOCK_NSEC_PER_SEC;

        limit_to(2);
        live_at(now - 30, PID(1), "first");
        live_at(now - 25, PID(2), "other");
        live_at(now - 25, PID(3), "other");
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 1);
        put_exit_record(PID(1), "first", now - 30, now);
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 1);
        ck_assert_int_eq(find_in(PID(1), now - 40, now, PROCESS_LIVENESS_REAPED), -ESRCH);

        put_exit_record(PID(1), "second", now - 10, now);
        expect_dead(PID(1), now - 20, now + 1, "second");
        /* When exactly it began is not known. */
        ck_assert_int_eq(find_in(PID(1), now - 40, now + 1, PROCESS_LIVENESS_REAPED), -ENOTUNIQ);
}
END_TEST

/* Two lives of a pid within the seconds that a record is exact to: it may be of the forgotten one.
 */
START_TEST(test_exit_record_of_either) {
        const double now = (double)(int64_t)(clock_now_nsec(CLOCK_MONOTONIC) - base_nsec) /
                           (double)CLOCK_NSEC_PER_SEC;

        limit_to(1);
        live_at(now - 30, PID(1), NULL);
        fork_at(now - 29, PID(1), INIT);
        exec_at(now - 29, PID(1), NULL);
        exit_at(now - 28, PID(1));
        ck_assert_uint_eq(process_table_counters(table).n_evicted, 1);
        put_exit_record(PID(1), "first", now - 30, now);
        ck_assert_int_eq(find_in(PID(1), now - 29.2, now, PROCESS_LIVENESS_REAPED), 0);
        ck_assert_ptr_null(answer.process.facts->name);
        ck_assert_uint_eq(process_table_counters(table).n_lives, 1);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("process_table_limit");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_oldest_go, 0, 4);
        tcase_add_test(tcase, test_not_the_living);
        tcase_add_test(tcase, test_earlier_life_forgotten);
        tcase_add_test(tcase, test_alive_is_sure);
        tcase_add_test(tcase, test_begun_before);
        tcase_add_test(tcase, test_later_life_forgotten);
        tcase_add_test(tcase, test_pids_share);
        tcase_add_test(tcase, test_exit_record_of_forgotten);
        tcase_add_test(tcase, test_exit_record_of_either);
        return unit_run("process_table_limit", tcase);
}
