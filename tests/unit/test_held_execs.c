/* SPDX-License-Identifier: MIT */

/* Which of what was held belongs to a program that has started, and what the table makes of it. */

#include <string.h>

#include "fixtures_process_table.h"
#include "identify/held_execs.h"

static HeldExecs *execs;
static HeldExec taken;

static void setup_execs(void) {
        setup();
        ck_assert_int_eq(held_execs_new(&execs), 0);
}

static void teardown_execs(void) {
        execs = held_execs_free(execs);
        teardown();
}

static HeldExec held(pid_t pid, uint64_t nsec, const char *name) {
        HeldExec e = {.pid = pid, .nsec = nsec, .n_executable = strlen(name)};

        strncpy(e.comm, name, sizeof(e.comm) - 1);
        memcpy(e.executable, name, e.n_executable);
        e.n_args_bytes = e.n_executable + 1;
        memcpy(e.args, name, e.n_args_bytes);
        return e;
}

static void put(pid_t pid, uint64_t nsec, const char *name) {
        HeldExec e = held(pid, nsec, name);

        held_execs_put(execs, &e);
}

/* NULL: nothing. */
static void expect_taken(pid_t pid, uint64_t nsec, const char *name) {
        ck_assert_int_eq(held_execs_take(execs, pid, nsec, &taken), name != NULL);
        if (!name)
                return;
        ck_assert_str_eq(taken.comm, name);
        ck_assert_uint_eq(taken.n_executable, strlen(name));
        ck_assert_mem_eq(taken.executable, name, strlen(name));
        ck_assert_str_eq(taken.args, name);
}

START_TEST(test_take_once) {
        put(1, 100, "rm");
        expect_taken(2, 110, NULL);
        expect_taken(1, 110, "rm");
        expect_taken(1, 110, NULL);
}
END_TEST

/* Of one that is told late: what was held after it is the next one's. */
START_TEST(test_in_order) {
        put(1, 100, "sh");
        put(1, 200, "rm");
        expect_taken(1, 99, NULL);
        expect_taken(1, 110, "sh");
        expect_taken(1, 199, NULL);
        expect_taken(1, 200, "rm");
}
END_TEST

/* One that failed is neither given to the next nor kept. */
START_TEST(test_failed) {
        put(1, 100, "missing");
        put(1, 200, "rm");
        expect_taken(1, 210, "rm");
        expect_taken(1, 220, NULL);
        put(1, 300, "missing");
        expect_taken(1, 300 + HELD_EXECS_AGE_MAX_NSEC + 1, NULL);
        put(1, 400, "rm");
        expect_taken(1, 400 + HELD_EXECS_AGE_MAX_NSEC, "rm");
}
END_TEST

START_TEST(test_end_of_process) {
        put(1, 100, "missing");
        put(2, 100, "other");
        put(1, 300, "next life");
        held_execs_forget(execs, 1, 200);
        expect_taken(1, 250, NULL);
        expect_taken(1, 310, "next life");
        expect_taken(2, 110, "other");
}
END_TEST

/* A thread executes a program: the leading one ends before that starts. */
START_TEST(test_end_of_leader) {
        HeldExec e = held(1, 100, "rm");

        e.is_by_thread = true;
        held_execs_put(execs, &e);
        put(1, 90, "missing");
        held_execs_forget(execs, 1, 105);
        expect_taken(1, 95, NULL);
        expect_taken(1, 110, "rm");
}
END_TEST

START_TEST(test_retract) {
        put(1, 100, "sh");
        put(1, 200, "rm");
        held_execs_retract(execs, 1, 200);
        expect_taken(1, 210, "sh");
}
END_TEST

/* Who fails again and again takes no one else's place; many of them take the oldest's. */
START_TEST(test_bounds) {
        put(1, 100, "first");
        for (uint64_t i = 0; i < 10 * HELD_EXECS_MAX; i++)
                put(2, 200 + i, "fails");
        ck_assert_uint_eq(held_execs_n_evicted(execs), 10 * HELD_EXECS_MAX - HELD_EXECS_OF_ONE_MAX);
        expect_taken(1, 101, "first");
        expect_taken(2, 200 + 10 * HELD_EXECS_MAX, "fails");

        for (uint64_t i = 0; i <= HELD_EXECS_MAX; i++)
                put((pid_t)(10 + i), 10000 + i, "x");
        expect_taken(10, 20000, NULL);
        expect_taken(11, 20000, "x");
        expect_taken(10 + HELD_EXECS_MAX, 20000, "x");
}
END_TEST

START_TEST(test_unread_exec) {
        const HeldExec e = held(PID(1), at(29), "/bin/rm");
        const ProcessFacts *f;

        found_at(0, INIT, "init", -500, 0);
        fork_at(10, PID(1), INIT);
        exec_at(20, PID(1), "sh");
        ck_assert_int_eq(process_table_exec(table, PID(1), at(30), NULL, &e), 0);
        expect_alive(PID(1), 31, "/bin/rm");
        f = answer.process.facts;
        ck_assert(answer.has_executed);
        ck_assert_str_eq(f->name, "/bin/rm");
        ck_assert_str_eq(f->executable, "/bin/rm");
        ck_assert_str_eq(f->args, "/bin/rm");
        ck_assert_uint_eq(f->n_args_bytes, 8);
        ck_assert_uint_eq(f->ids.effective_uid, USER);
        ck_assert_str_eq(f->working_directory, "/home");
        EXPECT_ANCESTORS("init");
}
END_TEST

/* What /proc said stands. */
START_TEST(test_read_exec) {
        const HeldExec e = held(PID(1), at(29), "held");

        found_at(0, INIT, "init", -500, 0);
        fork_at(10, PID(1), INIT);
        ck_assert_int_eq(process_table_exec(table, PID(1), at(30), program("read"), &e), 0);
        expect_alive(PID(1), 31, "read");
        ck_assert_str_eq(answer.process.facts->executable, "/bin/x");
        ck_assert_str_eq(answer.process.facts->args, "read");
}
END_TEST

/* A zombie has its name, but neither program nor arguments. */
START_TEST(test_half_read_exec) {
        HeldExec e = held(PID(1), at(29), "held");
        ProcessFactsParts p = {.facts = {.comm = "read", .session_id = 9}};

        e.is_args_cut = e.is_executable_deleted = true;
        found_at(0, INIT, "init", -500, 0);
        fork_at(10, PID(1), INIT);
        ck_assert_int_eq(process_table_exec(table, PID(1), at(30), process_facts_new(&p), &e), 0);
        expect_alive(PID(1), 31, "read");
        ck_assert_uint_eq(answer.process.facts->session_id, 9);
        ck_assert_str_eq(answer.process.facts->executable, "held");
        ck_assert_str_eq(answer.process.facts->args, "held");
        ck_assert(answer.process.facts->is_args_cut);
        ck_assert(answer.process.facts->is_executable_deleted);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("held_execs");

        tcase_add_checked_fixture(tcase, setup_execs, teardown_execs);
        tcase_add_test(tcase, test_take_once);
        tcase_add_test(tcase, test_in_order);
        tcase_add_test(tcase, test_failed);
        tcase_add_test(tcase, test_end_of_process);
        tcase_add_test(tcase, test_end_of_leader);
        tcase_add_test(tcase, test_retract);
        tcase_add_test(tcase, test_bounds);
        tcase_add_test(tcase, test_unread_exec);
        tcase_add_test(tcase, test_read_exec);
        tcase_add_test(tcase, test_half_read_exec);
        return unit_run("held_execs", tcase);
}
