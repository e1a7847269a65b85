/* SPDX-License-Identifier: MIT */

/* Exit records: which life they are of, and what they add to it. */

#include "identify/process_exit.h"

#include <errno.h>

#include "fixtures_process_table.h"

#define A PID(1)

/* A record of a life that began at that time, as the kernel makes it: cut to the next second. */
static TaskstatsRecord record_of(pid_t pid, const char *comm, double began) {
        uint64_t realtime = clock_boottime_to_realtime(clock_monotonic_to_boottime(at(began)));
        TaskstatsRecord r = {
                .pid = pid,
                .tgid = pid,
                .ppid = INIT,
                .uid = 5,
                .gid = 6,
                .begin_realtime_sec = realtime / CLOCK_NSEC_PER_SEC + 1,
                .is_whole_process = true,
                .has_exe = true,
        };

        strcpy(r.comm, comm);
        return r;
}

static void put(TaskstatsRecord r, const char *executable, double seconds) {
        ck_assert_int_eq(process_table_exit_record(table, &r, executable, at(seconds)), 0);
}

static void expect_reaped(double since, double until, const char *comm) {
        ck_assert_int_eq(find_in(A, since, until, PROCESS_LIVENESS_REAPED), 0);
        ck_assert_ptr_nonnull(answer.process.facts);
        ck_assert_str_eq(answer.process.facts->comm, comm);
}

static void begin(void) {
        setup();
        found_at(0, INIT, "init", -500, 0);
}

/* The program ended before anything could be read. */
START_TEST(test_unread) {
        fork_at(10, A, INIT);
        exec_at(10, A, NULL);
        exit_at(11, A);
        put(record_of(A, "rm", 10), "/bin/rm", 11);
        expect_reaped(10, 12, "rm");
        ck_assert(answer.is_from_exit && answer.has_executed);
        ck_assert_str_eq(answer.process.facts->name, "rm");
        ck_assert_str_eq(answer.process.facts->executable, "/bin/rm");
        ck_assert_ptr_null(answer.process.facts->args);
        /* What was followed stands. */
        ck_assert_uint_eq(answer.process.facts->ids.effective_uid, USER);
        ck_assert_str_eq(answer.process.facts->cgroup, "/user.slice");
        EXPECT_ANCESTORS("init");
        ck_assert_uint_eq(process_table_counters(table).n_exits_used, 1);
}
END_TEST

/* The record may be read before the exit is. */
START_TEST(test_before_the_exit) {
        fork_at(10, A, INIT);
        exec_at(10, A, NULL);
        put(record_of(A, "rm", 10), NULL, 11);
        expect_alive(A, 11, "rm");
        ck_assert(answer.is_from_exit);
        ck_assert_ptr_null(answer.process.facts->executable);
        exit_at(11, A);
        expect_reaped(10, 12, "rm");
}
END_TEST

static ProcessFacts *partly(bool has_args) {
        ProcessFactsParts p = {
                .facts = {.comm = "rm", .login_uid = USER, .session_id = 7},
                .args = has_args ? "rm\0-f" : NULL,
                .n_args_bytes = has_args ? 6 : 0,
        };

        return process_facts_new(&p);
}

/* The program's path went before it could be read, or its arguments too. */
START_TEST(test_partly_read) {
        fork_at(10, A, INIT);
        ck_assert_int_eq(process_table_exec(table, A, at(10), partly(_i), NULL), 0);
        exit_at(11, A);
        put(record_of(A, "other", 10), "/bin/rm", 11);
        expect_reaped(10, 12, "rm");
        ck_assert_int_eq(answer.is_from_exit, _i == 0);
        ck_assert_str_eq(answer.process.facts->executable, "/bin/rm");
        ck_assert_int_eq(answer.process.facts->args != NULL, _i);
        ck_assert(!answer.process.facts->has_ids && answer.process.facts->has_real_ids);
        ck_assert_uint_eq(answer.process.facts->ids.real_uid, 5);
}
END_TEST

/* Held by --hold-exec as it was executed by its descriptor: only its name was not known. */
START_TEST(test_only_name_unknown) {
        ProcessFactsParts p = {
                .facts = {.login_uid = USER, .session_id = 7},
                .executable = "/opt/tool",
                .n_executable = 9,
                .args = "x\0-f",
                .n_args_bytes = 5,
        };

        fork_at(10, A, INIT);
        ck_assert_int_eq(process_table_exec(table, A, at(10), process_facts_new(&p), NULL), 0);
        exit_at(11, A);
        put(record_of(A, "tool", 10), _i == 1 ? "/other/tool" : NULL, 11);
        expect_reaped(10, 12, "tool");
        ck_assert(!answer.is_from_exit && answer.has_executed);
        ck_assert_str_eq(answer.process.facts->name, "tool");
        ck_assert_str_eq(answer.process.facts->executable, "/opt/tool");
        ck_assert_uint_eq(answer.process.facts->n_args_bytes, 5);
}
END_TEST

/* What was read is better, and a child that never executed is what its parent was. */
START_TEST(test_nothing_needed) {
        fork_at(10, A, INIT);
        if (_i == 1)
                exec_at(10, A, "x");
        exit_at(11, A);
        put(record_of(A, "renamed", 10), "/bin/y", 11);
        expect_reaped(10, 12, _i == 1 ? "x" : "init");
        ck_assert_str_eq(answer.process.facts->executable, "/bin/x");
        ck_assert(!answer.is_from_exit);
        ck_assert_uint_eq(process_table_counters(table).n_exits_used, 0);
}
END_TEST

/* Records of one pid come in the order of its lives; each goes to the one that began then. */
START_TEST(test_lives) {
        for (int i = 0; i < 3; i++) {
                fork_at(10 + 10 * i, A, INIT);
                exec_at(10 + 10 * i, A, NULL);
                exit_at(11 + 10 * i, A);
        }
        put(record_of(A, "first", 10), NULL, 40);
        put(record_of(A, "third", 30), NULL, 40);
        put(record_of(A, "second", 20), NULL, 40);
        expect_reaped(10, 12, "first");
        expect_reaped(20, 22, "second");
        expect_reaped(30, 32, "third");
}
END_TEST

/* Within the second that a record is exact to, the first without one is meant. */
START_TEST(test_quick_lives) {
        for (int i = 0; i < 3; i++) {
                fork_at(10 + 0.1 * i, A, INIT);
                exec_at(10 + 0.1 * i, A, NULL);
                exit_at(10.05 + 0.1 * i, A);
        }
        put(record_of(A, "first", 10), NULL, 11);
        put(record_of(A, "second", 10.1), NULL, 11);
        expect_reaped(10.01, 10.07, "first");
        expect_reaped(10.12, 10.17, "second");
        ck_assert_int_eq(find_in(A, 10.22, 10.27, PROCESS_LIVENESS_REAPED), 0);
        ck_assert_ptr_null(answer.process.facts->name);
}
END_TEST

/* Of another time: not this life's, and no other life while this one's end is to come. */
START_TEST(test_of_nobody) {
        static const double times[] = {2, 7, 13, 20};

        fork_at(10, A, INIT);
        exec_at(10, A, NULL);
        if (_i >= 4)
                exit_at(11, A);
        put(record_of(A, "other", times[_i % 4]), NULL, 12);
        ck_assert_uint_eq(process_table_counters(table).n_lives, 2);
        ck_assert_int_eq(find_in(A, 10, 15, PROCESS_LIVENESS_ALIVE), 0);
        ck_assert_ptr_null(answer.process.facts->name);
}
END_TEST

/* A life that nobody told of. */
START_TEST(test_unseen) {
        const double now = (double)(int64_t)(clock_now_nsec(CLOCK_MONOTONIC) - base_nsec) /
                           (double)CLOCK_NSEC_PER_SEC;

        put(record_of(A, "gone", now - 30), "/bin/gone", now);
        expect_reaped(now - 5, now + 1, "gone");
        ck_assert(answer.is_from_exit);
        ck_assert(!answer.process.facts->has_ids && answer.process.facts->has_real_ids);
        ck_assert_uint_eq(answer.process.facts->ids.real_uid, 5);
        ck_assert_uint_eq(answer.process.facts->ids.real_gid, 6);
        ck_assert_str_eq(answer.process.facts->executable, "/bin/gone");
        EXPECT_ANCESTORS("init");
        ck_assert_uint_eq(answer.process.start_ticks, 0);
        ck_assert_int_eq(find_in(A, now - 60, now - 40, PROCESS_LIVENESS_UNKNOWN), -ESRCH);
        ck_assert_uint_eq(process_table_counters(table).n_dead, 1);
        /* Another one. */
        put(record_of(A, "again", now - 10), NULL, now + 5);
        expect_reaped(now + 2, now + 6, "again");
}
END_TEST

/* What is told after a record is of another life, though its fork was not told. */
START_TEST(test_after_the_record) {
        fork_at(10, A, INIT);
        exec_at(10, A, "first");
        exit_at(11, A);
        put(record_of(A, "first", 10), NULL, 11);
        if (_i == 0)
                exec_at(20, A, "second");
        else
                found_at(20, A, "second", 19.5, INIT);
        expect_alive(A, 21, "second");
        expect_reaped(10, 12, "first");
        ck_assert_uint_eq(process_table_counters(table).n_dead, 1);
}
END_TEST

/* A life that only its record told of, and the one that /proc has now. */
START_TEST(test_found_after_unseen) {
        const double now = (double)(int64_t)(clock_now_nsec(CLOCK_MONOTONIC) - base_nsec) /
                           (double)CLOCK_NSEC_PER_SEC;

        put(record_of(A, "gone", now - 30), NULL, now - 20);
        found_at(now, A, "living", now - 10, INIT);
        expect_alive(A, now, "living");
        expect_reaped(now - 25, now - 15, "gone");
        ck_assert_uint_eq(process_table_counters(table).n_dead, 1);
}
END_TEST

/* The last of several threads has a name of its own. */
START_TEST(test_thread) {
        TaskstatsRecord r = record_of(A, "worker", 10);

        r.pid = PID(7);
        fork_at(10, A, INIT);
        exec_at(10, A, NULL);
        exit_at(11, A);
        put(r, _i == 0 ? "/opt/a-program-with-a-long-name" : NULL, 11);
        ck_assert_int_eq(find_in(A, 10, 12, PROCESS_LIVENESS_REAPED), 0);
        if (_i == 0) {
                ck_assert_str_eq(answer.process.facts->comm, "a-program-with-");
                ck_assert_str_eq(answer.process.facts->name, "a-program-with-a-long-name");
        } else {
                ck_assert_ptr_null(answer.process.facts->name);
        }
}
END_TEST

/* The parent of a living process ended before it could be read. */
START_TEST(test_parent) {
        fork_at(10, A, INIT);
        exec_at(10, A, NULL);
        fork_at(10.1, PID(2), A);
        exit_at(10.2, A);
        put(record_of(A, "sh", 10), "/bin/sh", 10.2);
        exec_at(10.3, PID(2), "rm");
        expect_alive(PID(2), 11, "rm");
        EXPECT_ANCESTORS("sh", "init");
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("process_exit");

        tcase_add_checked_fixture(tcase, begin, teardown);
        tcase_add_test(tcase, test_unread);
        tcase_add_test(tcase, test_before_the_exit);
        tcase_add_loop_test(tcase, test_partly_read, 0, 2);
        tcase_add_loop_test(tcase, test_only_name_unknown, 0, 2);
        tcase_add_loop_test(tcase, test_nothing_needed, 0, 2);
        tcase_add_test(tcase, test_lives);
        tcase_add_test(tcase, test_quick_lives);
        tcase_add_loop_test(tcase, test_of_nobody, 0, 8);
        tcase_add_test(tcase, test_unseen);
        tcase_add_loop_test(tcase, test_after_the_record, 0, 2);
        tcase_add_test(tcase, test_found_after_unseen);
        tcase_add_loop_test(tcase, test_thread, 0, 2);
        tcase_add_test(tcase, test_parent);
        return unit_run("process_exit", tcase);
}
