/* SPDX-License-Identifier: MIT */

/* What was told of processes, told again to another table. */

#include "identify/process_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "identify/process_table.h"
#include "unit.h"

/* Pids that no process has: 2^22 is the kernel's limit. */
#define PARENT 5000001
#define CHILD 5000002
#define NSEC (clock_now_nsec(CLOCK_MONOTONIC) - 1000000)

static ProcessLog *log_;
static ProgramPaths *paths;

static void setup(void) {
        ck_assert_int_eq(process_log_new(&log_), 0);
        ck_assert_int_eq(program_paths_new(-1, &paths), 0);
}

static void teardown(void) {
        log_ = process_log_free(log_);
        paths = program_paths_free(paths);
}

static ProcessFacts *facts_of(const char *comm, const char *executable, pid_t ppid) {
        ProcessFactsParts p = {
                .facts = {.login_uid = 1000, .session_id = PROCESS_ID_UNSET, .ppid = ppid},
                .executable = executable,
                .n_executable = strlen(executable),
                .working_directory = "/srv/ with\nnewline",
                .n_working_directory = strlen("/srv/ with\nnewline"),
                .args = "rm\0-r\0\0",
                .n_args_bytes = 7,
        };

        snprintf(p.facts.comm, sizeof(p.facts.comm), "%s", comm);
        return process_facts_new(&p);
}

/* Another process opens it. */
static ProcessLog *reopen(void) {
        ProcessLog *l;

        ck_assert_int_eq(process_log_open(fcntl(process_log_fd(log_), F_DUPFD_CLOEXEC, 3), &l), 0);
        return l;
}

static ProcessTable *table_of(ProcessLog *l) {
        ProcessTable *t;

        ck_assert_int_eq(process_table_new(1000, &t), 0);
        process_table_recall(t, l, paths);
        return t;
}

START_TEST(test_entries) {
        ProcessFacts *f = facts_of("rm", "/bin/rm", 7);
        const ProcessLogEntry written[] = {
                {.kind = PROCESS_LOG_FORK, .pid = 8, .parent_pid = 7, .nsec = 1},
                {.kind = PROCESS_LOG_EXEC,
                 .pid = 8,
                 .nsec = 2,
                 .has_executed = true,
                 .has_facts = true,
                 .parts = process_facts_parts(f)},
                {.kind = PROCESS_LOG_RECORD,
                 .nsec = 3,
                 .record = {.pid = 8, .uid = 33, .comm = "rm", .is_whole_process = true},
                 .executable = "/bin/rm"},
                {.kind = PROCESS_LOG_EXIT, .pid = 8, .nsec = 4},
        };
        ProcessLogEntry e;
        ProcessLog *l;
        uint64_t at = 0;

        for (size_t i = 0; i < 4; i++)
                process_log_append(log_, &written[i]);
        l = reopen();
        for (size_t i = 0; i < 4; i++) {
                ck_assert_int_eq(process_log_next(l, &at, &e), 1);
                ck_assert_int_eq(e.kind, written[i].kind);
                ck_assert_int_eq(e.pid, written[i].pid);
                ck_assert_int_eq(e.parent_pid, written[i].parent_pid);
                ck_assert_uint_eq(e.nsec, i + 1);
                if (i == 1) {
                        ck_assert(e.has_facts && e.has_executed);
                        ck_assert_str_eq(e.parts.facts.comm, "rm");
                        ck_assert_uint_eq(e.parts.facts.login_uid, 1000);
                        ck_assert_str_eq(e.parts.executable, "/bin/rm");
                        ck_assert_str_eq(e.parts.working_directory, f->working_directory);
                        ck_assert_ptr_null(e.parts.cgroup);
                        ck_assert_uint_eq(e.parts.n_args_bytes, 7);
                        ck_assert_mem_eq(e.parts.args, f->args, 7);
                }
                if (i == 2) {
                        ck_assert_int_eq(e.record.pid, 8);
                        ck_assert_uint_eq(e.record.uid, 33);
                        ck_assert_str_eq(e.executable, "/bin/rm");
                }
        }
        ck_assert_int_eq(process_log_next(l, &at, &e), 0);
        process_log_free(l);
        process_facts_unref(f);
}
END_TEST

/* More arguments than are kept are cut anywhere. */
START_TEST(test_cut_arguments) {
        ProcessFacts *f = facts_of("rm", "/bin/rm", 7);
        ProcessLogEntry e = {.kind = PROCESS_LOG_EXEC, .has_facts = true};
        uint64_t at = 0;

        e.parts = process_facts_parts(f);
        e.parts.facts.is_args_cut = true;
        e.parts.n_args_bytes = 4;
        process_log_append(log_, &e);
        process_log_append(log_, &(ProcessLogEntry){.kind = PROCESS_LOG_EXIT, .pid = 3});
        ck_assert_int_eq(process_log_next(log_, &at, &e), 1);
        ck_assert(e.parts.facts.is_args_cut);
        ck_assert_mem_eq(e.parts.args, "rm\0-\0", 5);
        ck_assert_int_eq(process_log_next(log_, &at, &e), 1);
        ck_assert_int_eq(e.pid, 3);
        process_facts_unref(f);
}
END_TEST

/* A program that ended, and its parent that did not: known to a table that was never told. */
START_TEST(test_recall) {
        const uint64_t now = NSEC;
        ProcessTable *first = table_of(log_), *second;
        ProcessAnswer a = {0};
        ProcessLog *l;

        process_table_found(first, PARENT, now - 900000, facts_of("sh", "/bin/sh", 1));
        process_table_fork(first, CHILD, PARENT, now - 800000);
        process_table_exec(first, CHILD, now - 700000, facts_of("rm", "/bin/rm", PARENT), NULL);
        process_table_exit(first, CHILD, now - 600000);

        l = reopen();
        second = table_of(l);
        ck_assert_int_eq(process_table_find(second, CHILD,
                                            (ProcessWindow){now - 690000, now - 610000},
                                            PROCESS_LIVENESS_UNKNOWN, &a),
                         0);
        ck_assert_str_eq(a.process.facts->name, "rm");
        ck_assert(a.has_executed && a.is_only_life);
        ck_assert_uint_eq(a.n_ancestors, 1);
        ck_assert_int_eq(a.ancestors[0].pid, PARENT);
        ck_assert_str_eq(a.ancestors[0].facts->name, "sh");
        process_answer_done(&a);
        /* The program's path is known to later exit records, too. */
        process_table_free(second);
        process_log_free(l);
        process_table_free(first);
}
END_TEST

/* What a process had taken from the kernel, perhaps told and perhaps not, is told again. */
START_TEST(test_twice) {
        const uint64_t now = NSEC;
        ProcessTable *t = table_of(log_);
        ProcessAnswer a = {0};

        for (int i = 0; i < 2; i++) {
                process_table_fork(t, CHILD, PARENT, now - 800000);
                process_table_exec(t, CHILD, now - 700000,
                                   i == 0 ? facts_of("rm", "/bin/rm", PARENT) : NULL, NULL);
        }
        ck_assert_uint_eq(process_table_counters(t).n_lives, 1);
        ck_assert_int_eq(process_table_find(t, CHILD, (ProcessWindow){now - 690000, now},
                                            PROCESS_LIVENESS_UNKNOWN, &a),
                         0);
        ck_assert_str_eq(a.process.facts->name, "rm");
        process_answer_done(&a);
        for (int i = 0; i < 2; i++)
                process_table_exit(t, CHILD, now);
        ck_assert_uint_eq(process_table_counters(t).n_dead, 1);
        process_table_free(t);
}
END_TEST

/* Several times round: the newest are there, all of one piece. */
START_TEST(test_bound) {
        ProcessFacts *f = facts_of("rm", "/bin/rm", 7);
        ProcessLogEntry e = {.kind = PROCESS_LOG_EXEC, .has_facts = true};
        size_t n_bytes = 0, n = 0;
        uint64_t at = 0, last = 0;
        ProcessLog *l;

        e.parts = process_facts_parts(f);
        while (n_bytes < 3 * PROCESS_LOG_RING_BYTES) {
                e.nsec = ++n;
                e.parts.n_working_directory = n % 18;
                process_log_append(log_, &e);
                n_bytes += process_log_entry_bytes(&e);
        }
        ck_assert_uint_gt(process_log_n_dropped(log_), 0);
        l = reopen();
        while (process_log_next(l, &at, &e) > 0) {
                ck_assert(last == 0 || e.nsec == last + 1);
                ck_assert_uint_eq(e.parts.n_working_directory, e.nsec % 18);
                last = e.nsec;
        }
        ck_assert_uint_eq(last, n);
        process_log_free(l);
        process_facts_unref(f);
}
END_TEST

static int open_changed(size_t at, const void *bytes, size_t n_bytes) {
        ProcessLog *l = NULL;
        int fd = fcntl(process_log_fd(log_), F_DUPFD_CLOEXEC, 3), r;

        ck_assert_int_eq(pwrite(fd, bytes, n_bytes, (off_t)at), (ssize_t)n_bytes);
        r = process_log_open(fd, &l);
        if (r < 0)
                close(fd);
        process_log_free(l);
        return r;
}

START_TEST(test_refused) {
        const uint32_t version = PROCESS_LOG_VERSION + 1;

        ck_assert_int_eq(open_changed(0, "x", 1), -EBADMSG);
        teardown();
        setup();
        ck_assert_int_eq(open_changed(8, &version, sizeof(version)), -EPROTO);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("process_log");

        tcase_set_timeout(tcase, 60);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_entries);
        tcase_add_test(tcase, test_cut_arguments);
        tcase_add_test(tcase, test_recall);
        tcase_add_test(tcase, test_twice);
        tcase_add_test(tcase, test_bound);
        tcase_add_test(tcase, test_refused);
        return unit_run("process_log", tcase);
}
