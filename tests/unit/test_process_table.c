/* SPDX-License-Identifier: MIT */

/* What one life of a process is told to be: facts, phases, ancestors. */

#include "identify/process_table.h"

#include <errno.h>

#include "fixtures_process_table.h"

START_TEST(test_fork_inherits) {
        found_at(0, INIT, "init", -500, 0);
        fork_at(10, PID(1), INIT);
        expect_alive(PID(1), 11, "init");
        ck_assert(!answer.has_executed);
        ck_assert(answer.is_only_life);
        ck_assert_uint_eq(answer.process.start_ticks, ticks(10));
        ck_assert_uint_ne(answer.process.start_realtime_nsec, 0);
        EXPECT_ANCESTORS("init");
        ck_assert_int_eq(answer.ancestors[0].pid, INIT);
        ck_assert_ptr_eq(answer.ancestors[0].facts, answer.process.facts);
}
END_TEST

/* The facts of its phase, by the end of the window. */
START_TEST(test_exec_replaces) {
        found_at(0, INIT, "init", -500, 0);
        fork_at(10, PID(1), INIT);
        exec_at(20, PID(1), "sh");
        exec_at(30, PID(1), "rm");
        expect_alive(PID(1), 19, "init");
        ck_assert(!answer.has_executed);
        expect_alive(PID(1), 20, "sh");
        ck_assert(answer.has_executed);
        expect_alive(PID(1), 29, "sh");
        ck_assert_int_eq(find_in(PID(1), 12, 31, PROCESS_LIVENESS_UNKNOWN), 0);
        ck_assert_str_eq(answer.process.facts->comm, "rm");
        EXPECT_ANCESTORS("init");
        ck_assert_uint_eq(process_table_counters(table).n_execs, 2);
        ck_assert_uint_eq(process_table_counters(table).n_execs_unread, 0);
}
END_TEST

/* Whose program it was is not known, but who ran it is. */
START_TEST(test_unread_exec) {
        const ProcessFacts *f;

        found_at(0, INIT, "init", -500, 0);
        fork_at(10, PID(1), INIT);
        exec_at(20, PID(1), "sh");
        exec_at(30, PID(1), NULL);
        expect_alive(PID(1), 31, "");
        f = answer.process.facts;
        ck_assert(answer.has_executed);
        ck_assert_ptr_null(f->executable);
        ck_assert_ptr_null(f->args);
        ck_assert_uint_eq(f->n_args_bytes, 0);
        ck_assert(f->has_ids);
        ck_assert_uint_eq(f->ids.effective_uid, USER);
        ck_assert_uint_eq(f->login_uid, USER);
        ck_assert_str_eq(f->working_directory, "/home");
        ck_assert_str_eq(f->cgroup, "/user.slice");
        EXPECT_ANCESTORS("init");
        ck_assert_uint_eq(process_table_counters(table).n_execs_unread, 1);
        expect_alive(PID(1), 29, "sh");
}
END_TEST

START_TEST(test_unread_exec_of_unknown) {
        exec_at(30, PID(1), NULL);
        expect_alive(PID(1), 31, "");
        ck_assert(!answer.process.facts->has_ids);
        ck_assert_uint_eq(answer.process.facts->login_uid, PROCESS_ID_UNSET);
        ck_assert_uint_eq(answer.process.facts->session_id, PROCESS_ID_UNSET);
        EXPECT_NO_ANCESTORS();
}
END_TEST

/* What was read after the pid had changed hands is not this life's. */
START_TEST(test_exec_of_a_later_life) {
        fork_at(10, PID(1), INIT);
        ck_assert_int_eq(process_table_exec(table, PID(1), at(11),
                                            program_started("later", ticks(12), 0), NULL),
                         0);
        expect_alive(PID(1), 11, "");
        ck_assert_uint_eq(process_table_counters(table).n_execs_unread, 1);
        ck_assert_uint_eq(answer.process.start_ticks, ticks(10));
}
END_TEST

START_TEST(test_fork_of_unknown) {
        fork_at(10, PID(1), PID(2));
        expect_alive(PID(1), 11, NULL);
        EXPECT_NO_ANCESTORS();
        ck_assert(!answer.has_executed);
}
END_TEST

START_TEST(test_ancestry_is_as_at_the_fork) {
        found_at(0, INIT, "init", -500, 0);
        fork_at(10, PID(1), INIT);
        exec_at(11, PID(1), "sh");
        fork_at(12, PID(2), PID(1));
        exec_at(13, PID(1), "python");
        fork_at(14, PID(3), PID(1));
        exec_at(15, PID(2), "rm");
        exec_at(15, PID(3), "rm");

        expect_alive(PID(2), 16, "rm");
        EXPECT_ANCESTORS("sh", "init");
        expect_alive(PID(3), 16, "rm");
        EXPECT_ANCESTORS("python", "init");
        /* Dead, let go, and its pid another's. */
        exit_at(17, PID(1));
        process_table_release(table, at(100));
        fork_at(18, PID(1), INIT);
        exec_at(19, PID(1), "other");
        expect_alive(PID(2), 20, "rm");
        EXPECT_ANCESTORS("sh", "init");
        ck_assert_int_eq(answer.ancestors[0].pid, PID(1));
        expect_alive(PID(3), 20, "rm");
        EXPECT_ANCESTORS("python", "init");
}
END_TEST

START_TEST(test_double_fork) {
        found_at(0, INIT, "init", -500, 0);
        fork_at(10, PID(1), INIT);
        exec_at(11, PID(1), "cron");
        fork_at(12, PID(2), PID(1));
        fork_at(13, PID(3), PID(2));
        exit_at(14, PID(2));
        exec_at(15, PID(3), "job");
        exit_at(16, PID(1));
        process_table_release(table, at(100));
        ck_assert_uint_eq(process_table_counters(table).n_lives, 2);
        ck_assert_uint_eq(process_table_counters(table).n_dead, 0);
        ck_assert_int_eq(find_in(PID(2), 0, 13, PROCESS_LIVENESS_UNKNOWN), -ESRCH);

        expect_alive(PID(3), 20, "job");
        EXPECT_ANCESTORS("cron", "cron", "init");
        ck_assert_int_eq(answer.ancestors[0].pid, PID(2));
        ck_assert_int_eq(answer.ancestors[1].pid, PID(1));
        fork_at(21, PID(4), PID(3));
        expect_alive(PID(4), 22, "job");
        EXPECT_ANCESTORS("job", "cron", "cron", "init");
}
END_TEST

static void expect_ids(double seconds, uid_t real, uid_t effective, gid_t gid) {
        expect_alive(PID(1), seconds, "su");
        ck_assert_uint_eq(answer.process.facts->ids.real_uid, real);
        ck_assert_uint_eq(answer.process.facts->ids.effective_uid, effective);
        ck_assert_uint_eq(answer.process.facts->ids.real_gid, gid);
        ck_assert_uint_eq(answer.process.facts->ids.effective_gid, gid);
}

START_TEST(test_changes) {
        _cleanup_process_facts_ ProcessFacts *facts = NULL;

        fork_at(10, PID(1), INIT);
        exec_at(11, PID(1), "su");
        change_uid(12, PID(1), USER, 0);
        change_gid(13, PID(1), 5, 5);
        change_comm(14, PID(1), "renamed");
        expect_ids(11, USER, USER, USER);
        expect_ids(12, USER, 0, USER);
        expect_ids(13, USER, 0, 5);
        expect_alive(PID(1), 14, "renamed");
        ck_assert(answer.has_executed);
        ck_assert_str_eq(answer.process.facts->executable, "/bin/x");
        facts = process_table_facts(table, PID(1));
        ck_assert_uint_eq(facts->ids.effective_uid, 0);
        ck_assert_uint_eq(facts->ids.effective_gid, 5);

        /* Of nobody known: nothing to change. */
        fork_at(20, PID(2), PID(3));
        change_uid(21, PID(2), 0, 0);
        change_comm(21, PID(9), "x");
        expect_alive(PID(2), 22, NULL);
        ck_assert_ptr_null(process_table_facts(table, PID(2)));
        ck_assert_ptr_null(process_table_facts(table, PID(9)));
}
END_TEST

/* A child that changes its user without an exec does not change its parent's. */
START_TEST(test_change_of_the_child) {
        found_at(0, INIT, "init", -500, 0);
        fork_at(10, PID(1), INIT);
        change_uid(12, PID(1), 5, 5);
        expect_alive(PID(1), 13, "init");
        ck_assert_uint_eq(answer.process.facts->ids.real_uid, 5);
        ck_assert(!answer.has_executed);
        ck_assert_uint_eq(answer.ancestors[0].facts->ids.real_uid, USER);
        expect_alive(INIT, 13, "init");
        ck_assert_uint_eq(answer.process.facts->ids.real_uid, USER);
}
END_TEST

/* What was read because an event asked may not hide what the kernel told meanwhile. */
START_TEST(test_supply) {
        exec_at(10, PID(1), "a");
        exec_at(10.5, PID(1), "b");
        ck_assert_int_eq(
                process_table_supply(table, PID(1), PROCESS_SUPPLY_GAP, at(10.2), program("a")), 0);
        expect_alive(PID(1), 11, "b");
        exec_at(11.5, PID(1), NULL);
        ck_assert_int_eq(
                process_table_supply(table, PID(1), PROCESS_SUPPLY_GAP, at(11.2), program("c")), 0);
        expect_alive(PID(1), 12, "c");
}
END_TEST

/* Without anyone to tell of exits the living are kept as the dead are: bounded. */
/* A witness that lags behind will tell of its end, and until then it lives. */
START_TEST(test_supply_while_late) {
        fork_at(5, PID(1), INIT);
        exec_at(6, PID(1), "before");
        ck_assert_int_eq(
                process_table_supply(table, PID(1), PROCESS_SUPPLY_LATE, at(10), program("a")), 0);
        ck_assert_uint_eq(process_table_counters(table).n_dead, 0);
        expect_alive(PID(1), 11, "a");
        process_table_release(table, at(20));
        expect_alive(PID(1), 21, "a");
        exit_at(30, PID(1));
        ck_assert_uint_eq(process_table_counters(table).n_dead, 1);
}
END_TEST

START_TEST(test_supply_as_sole_source) {
        size_t n_lives = process_table_counters(table).n_lives;

        for (int i = 0; i < 100; i++) {
                ck_assert_int_eq(process_table_supply(table, PID(1), PROCESS_SUPPLY_SOLE,
                                                      at(10 + i), program("a")),
                                 0);
                expect_alive(PID(1), 10 + i, "a");
        }
        ck_assert_uint_eq(process_table_counters(table).n_lives, n_lives + 1);
        ck_assert_uint_eq(process_table_counters(table).n_dead, 1);
        rescan_begin(200, 200);
        process_table_end_rescan(table);
}
END_TEST

START_TEST(test_refresh) {
        const ProcessFacts *a, *b;
        uint64_t serial;

        exec_at(10, PID(1), "a");
        expect_alive(PID(1), 11, "a");
        serial = answer.process.serial;
        a = answer.process.facts;
        ck_assert_int_eq(process_table_refresh(table, PID(1), serial, a, at(12), program("b")), 0);
        expect_alive(PID(1), 11, "a");
        expect_alive(PID(1), 12, "b");
        ck_assert(answer.has_executed);
        b = answer.process.facts;
        ck_assert_int_eq(process_table_refresh(table, PID(1), serial + 1, b, at(13), program("c")),
                         0);
        ck_assert_int_eq(process_table_refresh(table, PID(2), serial, b, at(13), program("c")), 0);
        ck_assert_int_eq(process_table_refresh(table, PID(1), serial, a, at(13), program("c")), 0);
        expect_alive(PID(1), 14, "b");
        fork_at(20, PID(1), INIT);
        ck_assert_int_eq(process_table_refresh(table, PID(1), serial, b, at(21), program("c")), 0);
        expect_alive(PID(1), 22, NULL);
}
END_TEST

/* The answer is the asker's: it outlives the table. */
START_TEST(test_answer_is_owned) {
        found_at(0, INIT, "init", -500, 0);
        fork_at(10, PID(1), INIT);
        exec_at(11, PID(1), "rm");
        expect_alive(PID(1), 12, "rm");
        table = process_table_free(table);
        ck_assert_str_eq(answer.process.facts->comm, "rm");
        ck_assert_str_eq(answer.ancestors[0].facts->comm, "init");
        process_answer_done(&answer);
        ck_assert_ptr_null(answer.process.facts);
        process_answer_done(&answer);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("process_table");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_fork_inherits);
        tcase_add_test(tcase, test_exec_replaces);
        tcase_add_test(tcase, test_unread_exec);
        tcase_add_test(tcase, test_unread_exec_of_unknown);
        tcase_add_test(tcase, test_exec_of_a_later_life);
        tcase_add_test(tcase, test_fork_of_unknown);
        tcase_add_test(tcase, test_ancestry_is_as_at_the_fork);
        tcase_add_test(tcase, test_double_fork);
        tcase_add_test(tcase, test_changes);
        tcase_add_test(tcase, test_change_of_the_child);
        tcase_add_test(tcase, test_refresh);
        tcase_add_test(tcase, test_supply);
        tcase_add_test(tcase, test_supply_while_late);
        tcase_add_test(tcase, test_supply_as_sole_source);
        tcase_add_test(tcase, test_answer_is_owned);
        return unit_run("process_table", tcase);
}
