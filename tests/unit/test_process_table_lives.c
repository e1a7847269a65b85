/* SPDX-License-Identifier: MIT */

/* Which life of a pid an event was by, and that two are never mixed. */

#include "identify/process_table.h"

#include <errno.h>

#include "fixtures_process_table.h"

#define A PID(1)

typedef struct Case {
        double since, until;
        ProcessLiveness liveness;
        const char *expected; /* NULL: .error */
        int error;
        bool is_only_life;
} Case;

#define ALIVE PROCESS_LIVENESS_ALIVE
#define REAPED PROCESS_LIVENESS_REAPED
#define UNKNOWN PROCESS_LIVENESS_UNKNOWN

/* One pid: "first" from 10 to 20, "second" from 30 to 40, "third" from 50 on. */
static const Case cases[] = {
        /* Before anyone had it. */
        {1, 5, ALIVE, NULL, -ESRCH, false},
        {1, 5, REAPED, NULL, -ESRCH, false},
        {1, 5, UNKNOWN, NULL, -ESRCH, false},
        /* Within one life. */
        {12, 15, ALIVE, "first", 0, true},
        {12, 15, UNKNOWN, "first", 0, true},
        {12, 15, REAPED, NULL, -ESRCH, true},
        {12, 20, REAPED, NULL, -ESRCH, true},
        {5, 15, UNKNOWN, "first", 0, true},
        {31, 35, ALIVE, "second", 0, true},
        {31, 35, UNKNOWN, "second", 0, true},
        {31, 35, REAPED, NULL, -ESRCH, true},
        {51, 99, ALIVE, "third", 0, true},
        {51, 99, UNKNOWN, "third", 0, true},
        {51, 99, REAPED, NULL, -ESRCH, true},
        /* Past its exit, before the next: its threads, or the zombie. */
        {12, 25, ALIVE, "first", 0, true},
        {12, 25, UNKNOWN, "first", 0, true},
        {12, 25, REAPED, "first", 0, true},
        {22, 25, ALIVE, "first", 0, true},
        {22, 25, UNKNOWN, "first", 0, true},
        {22, 25, REAPED, "first", 0, true},
        {42, 45, REAPED, "second", 0, true},
        /* Over a change of hands: the first was dead before the window began. */
        {22, 35, ALIVE, "second", 0, false},
        {22, 35, UNKNOWN, "second", 0, false},
        {22, 35, REAPED, NULL, -ESRCH, false},
        {22, 45, REAPED, "second", 0, false},
        {22, 45, ALIVE, "second", 0, false},
        /* … it was not: only its end or its successor's life tells them apart. */
        {12, 35, ALIVE, "second", 0, false},
        {12, 35, REAPED, "first", 0, false},
        {12, 35, UNKNOWN, NULL, -ENOTUNIQ, false},
        {12, 45, ALIVE, "second", 0, false},
        {12, 45, REAPED, NULL, -ENOTUNIQ, false},
        {12, 45, UNKNOWN, NULL, -ENOTUNIQ, false},
        /* All three. */
        {12, 60, ALIVE, "third", 0, false},
        {12, 60, REAPED, NULL, -ENOTUNIQ, false},
        {12, 60, UNKNOWN, NULL, -ENOTUNIQ, false},
        {22, 60, REAPED, "second", 0, false},
        {22, 60, UNKNOWN, NULL, -ENOTUNIQ, false},
        {42, 60, UNKNOWN, "third", 0, false},
        {42, 60, REAPED, NULL, -ESRCH, false},
        /* Edges count for both. */
        {30, 35, ALIVE, "second", 0, false},
        {25, 30, ALIVE, "second", 0, false},
        {10, 10, UNKNOWN, "first", 0, true},
};

#define N_CASES ((int)(sizeof(cases) / sizeof(cases[0])))

static void check_case(const Case *c) {
        ck_assert_int_eq(find_in(A, c->since, c->until, c->liveness), c->error);
        if (c->expected) {
                ck_assert_str_eq(answer.process.facts->comm, c->expected);
                ck_assert_int_eq(answer.is_only_life, c->is_only_life);
        }
}

START_TEST(test_lives) {
        fork_at(10, A, INIT);
        exec_at(10, A, "first");
        exit_at(20, A);
        fork_at(30, A, INIT);
        exec_at(30, A, "second");
        exit_at(40, A);
        fork_at(50, A, INIT);
        exec_at(50, A, "third");
        check_case(&cases[_i]);
}
END_TEST

/* The fork of the next life is the end of one whose exit was not told. */
START_TEST(test_exit_untold) {
        fork_at(10, A, INIT);
        exec_at(10, A, "first");
        fork_at(30, A, INIT);
        exec_at(30, A, "second");
        ck_assert_int_eq(find_in(A, 12, 25, UNKNOWN), 0);
        ck_assert_str_eq(answer.process.facts->comm, "first");
        ck_assert_int_eq(find_in(A, 12, 35, REAPED), 0);
        ck_assert_str_eq(answer.process.facts->comm, "first");
        ck_assert_int_eq(find_in(A, 12, 35, UNKNOWN), -ENOTUNIQ);
        ck_assert_int_eq(find_in(A, 31, 35, UNKNOWN), 0);
        ck_assert_str_eq(answer.process.facts->comm, "second");
        ck_assert(answer.is_only_life);
        ck_assert_uint_eq(process_table_counters(table).n_dead, 1);
}
END_TEST

/* A change that is told goes to the life that has the pid now, never to one before. */
START_TEST(test_changes_are_of_the_latest) {
        fork_at(10, A, INIT);
        exec_at(10, A, "first");
        exit_at(20, A);
        fork_at(30, A, INIT);
        exec_at(31, A, "second");
        change_uid(32, A, 7, 7);
        change_comm(33, A, "renamed");
        expect_alive(A, 15, "first");
        ck_assert_uint_eq(answer.process.facts->ids.real_uid, USER);
        expect_alive(A, 34, "renamed");
        ck_assert_uint_eq(answer.process.facts->ids.real_uid, 7);
        exit_at(40, A);
        ck_assert_int_eq(find_in(A, 12, 25, REAPED), 0);
        ck_assert_str_eq(answer.process.facts->comm, "first");
}
END_TEST

START_TEST(test_serials_differ) {
        uint64_t first, start;

        fork_at(10, A, INIT);
        expect_alive(A, 11, NULL);
        first = answer.process.serial;
        start = answer.process.start_ticks;
        ck_assert_uint_ne(first, 0);
        exit_at(20, A);
        fork_at(30, A, INIT);
        expect_alive(A, 31, NULL);
        ck_assert_uint_ne(answer.process.serial, first);
        ck_assert_uint_ne(answer.process.start_ticks, start);
        expect_alive(A, 15, NULL);
        ck_assert_uint_eq(answer.process.serial, first);
        ck_assert_uint_eq(answer.process.start_ticks, start);
}
END_TEST

/* Ticks by which the start that /proc tells may be before the one computed from the message. */
START_TEST(test_scan_before_fork) {
        const bool is_same = _i <= 1;
        const double started = 10 - _i * 0.01;

        found_at(0, INIT, "init", -500, 0);
        found_at(10, A, "rm", started, INIT);
        fork_at(10, A, INIT);
        ck_assert_uint_eq(process_table_counters(table).n_lives, is_same ? 2 : 3);
        ck_assert_int_eq(find_in(A, 12, 15, ALIVE), 0);
        ck_assert_str_eq(answer.process.facts->comm, is_same ? "rm" : "init");
        EXPECT_ANCESTORS("init");
        ck_assert_uint_eq(answer.process.start_ticks, is_same ? ticks(started) : ticks(10));
}
END_TEST

/* The parent that the scan did not know is learned from the message. */
START_TEST(test_scan_before_fork_links) {
        found_at(10, A, "rm", 10, PID(2));
        fork_at(5, PID(2), INIT);
        exec_at(6, PID(2), "sh");
        fork_at(10, A, PID(2));
        expect_alive(A, 12, "rm");
        EXPECT_ANCESTORS("sh");
        ck_assert_uint_eq(process_table_counters(table).n_lives, 2);
}
END_TEST

START_TEST(test_scan_after_fork) {
        uint64_t serial;

        fork_at(10, A, INIT);
        exec_at(11, A, NULL);
        expect_alive(A, 12, "");
        serial = answer.process.serial;
        found_at(20, A, "rm", 10, INIT);
        expect_alive(A, 21, "rm");
        ck_assert_uint_eq(answer.process.serial, serial);
        ck_assert_uint_eq(process_table_counters(table).n_lives, 1);
        expect_alive(A, 15, "");
}
END_TEST

/* What was given out as the start is part of a name, and stays. */
START_TEST(test_start_stays) {
        found_at(0, INIT, "init", -500, 0);
        fork_at(10, A, INIT);
        expect_alive(A, 11, "init");
        ck_assert_uint_eq(answer.process.start_ticks, ticks(10));
        ck_assert_int_eq(process_table_exec(table, A, at(12),
                                            program_started("rm", ticks(10) - 1, INIT), NULL),
                         0);
        expect_alive(A, 13, "rm");
        ck_assert_uint_eq(answer.process.start_ticks, ticks(10));

        fork_at(20, PID(2), INIT);
        ck_assert_int_eq(process_table_exec(table, PID(2), at(21),
                                            program_started("rm", ticks(20) - 1, INIT), NULL),
                         0);
        expect_alive(PID(2), 22, "rm");
        ck_assert_uint_eq(answer.process.start_ticks, ticks(20) - 1);
}
END_TEST

START_TEST(test_found_twice) {
        found_at(10, A, "a", 1, 0);
        found_at(20, A, "b", 1, 0);
        expect_alive(A, 15, "a");
        expect_alive(A, 25, "b");
        ck_assert_uint_eq(process_table_counters(table).n_lives, 1);
}
END_TEST

/* Not the process that the table thinks: what it was is over. */
START_TEST(test_found_another) {
        fork_at(10, A, INIT);
        exec_at(10, A, "first");
        found_at(50, A, "second", 45, INIT);
        ck_assert_uint_eq(process_table_counters(table).n_lives, 2);
        ck_assert_uint_eq(process_table_counters(table).n_dead, 1);
        expect_alive(A, 51, "second");
        ck_assert_uint_eq(answer.process.start_ticks, ticks(45));
        ck_assert_int_eq(find_in(A, 51, 55, UNKNOWN), 0);
        ck_assert_str_eq(answer.process.facts->comm, "second");
}
END_TEST

/* … and was it before that: an event in flight is not the new one's, which had not begun. */
START_TEST(test_found_another_then_look_back) {
        fork_at(10, A, INIT);
        exec_at(10, A, "first");
        if (_i == 1)
                exit_at(20, A);
        if (_i == 2)
                rescan_begin(48, 49);
        found_at(50, A, "second", 45, INIT);
        if (_i == 2)
                process_table_end_rescan(table);
        for (ProcessLiveness l = UNKNOWN; l <= REAPED; l++) {
                ck_assert_int_eq(find_in(A, 12, l == REAPED ? 45.5 : 15, l), 0);
                ck_assert_str_eq(answer.process.facts->comm, "first");
        }
        ck_assert_int_eq(find_in(A, 1, 5, UNKNOWN), -ESRCH);
        ck_assert_int_eq(find_in(A, 12, 50, UNKNOWN), -ENOTUNIQ);
        expect_alive(A, 46, "second");
}
END_TEST

/* A program that could not be read started when its process did, not when its parent did. */
START_TEST(test_unread_exec_start) {
        found_at(0, INIT, "init", -500, 0);
        fork_at(10, A, INIT);
        exec_at(11, A, NULL);
        found_at(12, A, "rm", 10, INIT);
        ck_assert_uint_eq(process_table_counters(table).n_lives, 2);
        expect_alive(A, 12, "rm");
        ck_assert_uint_eq(answer.process.start_ticks, ticks(10));
        EXPECT_ANCESTORS("init");
}
END_TEST

/* The parent's pid is another's by now. */
START_TEST(test_parent_younger_than_child) {
        found_at(10, A, "rm", 5, PID(2));
        fork_at(20, PID(2), INIT);
        exec_at(21, PID(2), "other");
        expect_alive(A, 22, "rm");
        EXPECT_NO_ANCESTORS();
        found_at(23, PID(3), "rm", 5, PID(2));
        expect_alive(PID(3), 24, "rm");
        EXPECT_NO_ANCESTORS();
}
END_TEST

/* /proc is read in any order: a parent that is found after its child is linked when asked. */
START_TEST(test_found_before_parent) {
        found_at(10, A, "rm", 5, PID(2));
        found_at(10, PID(2), "sh", 4, PID(3));
        found_at(10, PID(3), "init", 1, 0);
        expect_alive(A, 11, "rm");
        EXPECT_ANCESTORS("sh", "init");
}
END_TEST

/* … and at the end of the scan, since the parent may be gone when somebody asks. */
START_TEST(test_link_parents) {
        found_at(1, PID(2), "child", 0.5, PID(1));
        found_at(1, PID(1), "parent", 0.2, INIT);
        found_at(1, INIT, "init", -500, 0);
        process_table_link_parents(table);
        exit_at(2, PID(1));
        process_table_release(table, at(3));
        fork_at(4, PID(1), INIT);
        expect_alive(PID(2), 5, "child");
        EXPECT_ANCESTORS("parent", "init");
}
END_TEST

START_TEST(test_leader_exit_then_exec) {
        uint64_t serial;

        fork_at(10, A, INIT);
        exec_at(11, A, "threaded");
        expect_alive(A, 12, "threaded");
        serial = answer.process.serial;
        exit_at(20, A);
        ck_assert_uint_eq(process_table_counters(table).n_dead, 1);
        ck_assert_int_eq(find_in(A, 22, 25, ALIVE), 0);
        exec_at(30, A, "after");
        ck_assert_uint_eq(process_table_counters(table).n_dead, 0);
        ck_assert_int_eq(find_in(A, 22, 35, REAPED), -ESRCH);
        expect_alive(A, 31, "after");
        ck_assert_uint_eq(answer.process.serial, serial);
        exit_at(40, A);
        ck_assert_int_eq(find_in(A, 22, 45, REAPED), 0);
        process_table_release(table, at(50));
        ck_assert_uint_eq(process_table_counters(table).n_lives, 0);
}
END_TEST

START_TEST(test_rescan) {
        found_at(1, INIT, "init", -500, 0);
        found_at(1, A, "gone", 0, INIT);
        found_at(1, PID(2), "stays", 0, INIT);
        fork_at(2, PID(3), INIT);
        exit_at(3, PID(3));

        rescan_begin(18, 20);
        found_at(21, INIT, "init", -500, 0);
        found_at(21, PID(2), "stays", 0, INIT);
        process_table_end_rescan(table);

        ck_assert_uint_eq(process_table_counters(table).n_dead, 2);
        ck_assert_int_eq(find_in(A, 20, 25, REAPED), 0);
        ck_assert_str_eq(answer.process.facts->comm, "gone");
        ck_assert_int_eq(find_in(A, 10, 15, REAPED), -ESRCH);
        ck_assert_int_eq(find_in(PID(2), 20, 25, REAPED), -ESRCH);
        ck_assert_int_eq(find_in(INIT, 20, 25, REAPED), -ESRCH);
        /* Its own exit stands. */
        ck_assert_int_eq(find_in(PID(3), 2, 5, REAPED), 0);
        process_table_release(table, at(30));
        ck_assert_uint_eq(process_table_counters(table).n_lives, 2);
        /* The next one starts anew. */
        rescan_begin(40, 40);
        found_at(41, INIT, "init", -500, 0);
        process_table_end_rescan(table);
        ck_assert_int_eq(find_in(PID(2), 40, 45, REAPED), 0);
}
END_TEST

typedef struct Doubt {
        double since, until;
        bool is_sure;
} Doubt;

/* Losses from 18 to 20 and 23 to 25, which count as one, and from 60 to 62. */
static const Doubt doubts[] = {
        {10, 18, true},  {10, 18.1, false}, {18.5, 19, false}, {10, 30, false},
        {21, 22, false}, {24.9, 30, false}, {25, 30, true},
};
static const Doubt later_doubts[] = {
        {10, 30, true}, {50, 60, true}, {50, 60.1, false}, {61, 70, false}, {62, 70, true},
};

static void expect_doubt(const Doubt *d) {
        ck_assert_int_eq(find_in(A, d->since, d->until, UNKNOWN), d->is_sure ? 0 : -ENOTUNIQ);
        ck_assert_int_eq(find_in(A, d->since, d->until, ALIVE), 0);
}

static void lose(double since, double until) {
        rescan_begin(since, until);
        found_at(until, A, "a", 0, INIT);
        process_table_end_rescan(table);
}

/* What happened while events were lost may have been done by a life that nobody told of. */
START_TEST(test_doubt) {
        found_at(1, A, "a", 0, INIT);
        lose(18, 20);
        lose(23, 25);
        for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++)
                expect_doubt(&doubts[i]);
        lose(60, 62);
        for (size_t i = 0; i < sizeof(later_doubts) / sizeof(later_doubts[0]); i++)
                expect_doubt(&later_doubts[i]);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("process_table_lives");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_lives, 0, N_CASES);
        tcase_add_test(tcase, test_exit_untold);
        tcase_add_test(tcase, test_changes_are_of_the_latest);
        tcase_add_test(tcase, test_serials_differ);
        tcase_add_loop_test(tcase, test_scan_before_fork, 0, 4);
        tcase_add_test(tcase, test_scan_before_fork_links);
        tcase_add_test(tcase, test_scan_after_fork);
        tcase_add_test(tcase, test_start_stays);
        tcase_add_test(tcase, test_found_twice);
        tcase_add_test(tcase, test_found_another);
        tcase_add_loop_test(tcase, test_found_another_then_look_back, 0, 3);
        tcase_add_test(tcase, test_unread_exec_start);
        tcase_add_test(tcase, test_parent_younger_than_child);
        tcase_add_test(tcase, test_found_before_parent);
        tcase_add_test(tcase, test_leader_exit_then_exec);
        tcase_add_test(tcase, test_link_parents);
        tcase_add_test(tcase, test_rescan);
        tcase_add_test(tcase, test_doubt);
        return unit_run("process_table_lives", tcase);
}
