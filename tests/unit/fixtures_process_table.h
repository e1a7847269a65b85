/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A table of processes, fed by hand.
 *
 * Times are seconds after a moment that lies in the middle of a clock tick, so that the start times
 * computed from them are the same each time.  Pids are larger than any the kernel gives: the table
 * asks it whether the dead still answer.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "identify/process_life.h"
#include "identify/process_table.h"
#include "unit.h"

#define PID(n) ((pid_t)5000000 + (n))
#define INIT PID(0)
#define USER 1000

static ProcessTable *table;
static ProcessAnswer answer; /* large */
static uint64_t base_nsec;

static inline uint64_t at(double seconds) {
        return base_nsec + (uint64_t)(int64_t)(seconds * (double)CLOCK_NSEC_PER_SEC);
}

static inline uint64_t ticks(double seconds) {
        return process_ticks(clock_monotonic_to_boottime(at(seconds)));
}

static inline void setup(void) {
        uint64_t tick = process_ticks_to_nsec(1);

        base_nsec = 1000 * CLOCK_NSEC_PER_SEC;
        base_nsec += tick + tick / 2 - clock_monotonic_to_boottime(base_nsec) % tick;
        ck_assert_int_eq(process_table_new(PROCESS_TABLE_DEAD_MAX_DEFAULT, &table), 0);
}

static inline void teardown(void) {
        process_answer_done(&answer);
        table = process_table_free(table);
}

/* A program that runs as USER in /home, of the login USER, read after a start at that time. */
static inline ProcessFacts *program_started(const char *comm, uint64_t start_ticks, pid_t ppid) {
        ProcessFactsParts p = {
                .facts = {.has_ids = true,
                          .ids = {USER, USER, USER, USER},
                          .login_uid = USER,
                          .session_id = 7,
                          .start_ticks = start_ticks,
                          .ppid = ppid},
                .executable = "/bin/x",
                .n_executable = 6,
                .working_directory = "/home",
                .n_working_directory = 5,
                .cgroup = "/user.slice",
                .n_cgroup = 11,
                .args = comm,
                .n_args_bytes = strlen(comm) + 1,
        };
        ProcessFacts *f;

        strncpy(p.facts.comm, comm, sizeof(p.facts.comm) - 1);
        f = process_facts_new(&p);
        ck_assert_ptr_nonnull(f);
        return f;
}

/* The same, when the start was not read. */
static inline ProcessFacts *program(const char *comm) {
        return program_started(comm, 0, 0);
}

static inline void fork_at(double seconds, pid_t pid, pid_t parent) {
        ck_assert_int_eq(process_table_fork(table, pid, parent, at(seconds)), 0);
}

static inline void exec_at(double seconds, pid_t pid, const char *comm) {
        ck_assert_int_eq(
                process_table_exec(table, pid, at(seconds), comm ? program(comm) : NULL, NULL), 0);
}

static inline void exit_at(double seconds, pid_t pid) {
        process_table_exit(table, pid, at(seconds));
}

static inline void change_uid(double seconds, pid_t pid, uid_t real, uid_t effective) {
        const ProcEvent e = {.type = PROC_EVENT_TYPE_UID,
                             .pid = pid,
                             .monotonic_nsec = at(seconds),
                             .real_id = real,
                             .effective_id = effective};

        ck_assert_int_eq(process_table_change(table, &e), 0);
}

static inline void change_gid(double seconds, pid_t pid, gid_t real, gid_t effective) {
        const ProcEvent e = {.type = PROC_EVENT_TYPE_GID,
                             .pid = pid,
                             .monotonic_nsec = at(seconds),
                             .real_id = real,
                             .effective_id = effective};

        ck_assert_int_eq(process_table_change(table, &e), 0);
}

static inline void change_comm(double seconds, pid_t pid, const char *comm) {
        ProcEvent e = {.type = PROC_EVENT_TYPE_COMM, .pid = pid, .monotonic_nsec = at(seconds)};

        snprintf(e.comm, sizeof(e.comm), "%s", comm);
        ck_assert_int_eq(process_table_change(table, &e), 0);
}

/* Read from /proc at `seconds`, having started at `started`. */
static inline void found_at(double seconds, pid_t pid, const char *comm, double started,
                            pid_t ppid) {
        ck_assert_int_eq(process_table_found(table, pid, at(seconds),
                                             program_started(comm, ticks(started), ppid)),
                         0);
}

/* Events were lost in that time. */
static inline void rescan_begin(double since, double until) {
        process_table_begin_rescan(table, (ProcessWindow){.since = at(since), .until = at(until)});
}

static inline int find_in(pid_t pid, double since, double until, ProcessLiveness liveness) {
        const ProcessWindow w = {.since = at(since), .until = at(until)};

        process_answer_done(&answer);
        memset(&answer, 0, sizeof(answer));
        return process_table_find(table, pid, w, liveness, &answer);
}

/* Asks for a process that is alive at the time, and for what it is called then. */
static inline void expect_alive(pid_t pid, double seconds, const char *comm) {
        ck_assert_int_eq(find_in(pid, seconds, seconds, PROCESS_LIVENESS_ALIVE), 0);
        ck_assert_int_eq(answer.process.pid, pid);
        if (!comm) {
                ck_assert_ptr_null(answer.process.facts);
                return;
        }
        ck_assert_ptr_nonnull(answer.process.facts);
        ck_assert_str_eq(answer.process.facts->comm, comm);
}

/* Names of the ancestors of the last answer, "?" for one without facts. */
static inline void expect_ancestors(const char *const *names) {
        size_t n = 0;

        for (; names[n]; n++) {
                ck_assert_uint_lt(n, answer.n_ancestors);
                ck_assert_str_eq(answer.ancestors[n].facts ? answer.ancestors[n].facts->comm : "?",
                                 names[n]);
        }
        ck_assert_uint_eq(answer.n_ancestors, n);
}

#define EXPECT_ANCESTORS(...) expect_ancestors((const char *const[]){__VA_ARGS__, NULL})
#define EXPECT_NO_ANCESTORS() expect_ancestors((const char *const[]){NULL})
