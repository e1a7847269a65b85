/* SPDX-License-Identifier: MIT */

/* See held.h.  The threads are halted by ptrace(2), since SIGSTOP would halt all of them. */

#include "held.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"

char *held_vanish(void) {
        const char *worker = harness_worker();
        char *path = harness_format("%.*s/vanish", (int)(strrchr(worker, '/') - worker), worker);

        if (access(path, X_OK) < 0)
                harness_skip("vanish is not built for this machine");
        return path;
}

/* More while nobody looks, and what is held or the numbers of processes are used up. */
#define FORKS_MAX 2000

#define THREADS_MAX 128

static unsigned long n_forks_before;
static pid_t halted[THREADS_MAX];
static size_t n_halted;

static void halt(pid_t tid) {
        int status;

        ck_assert_int_eq(ptrace(PTRACE_SEIZE, tid, NULL, NULL), 0);
        ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL), 0);
        ck_assert_int_eq(waitpid(tid, &status, __WALL), tid);
}

static void go_on(pid_t tid) {
        ck_assert_int_eq(ptrace(PTRACE_DETACH, tid, NULL, NULL), 0);
}

/* Processes started on this machine since it was booted. */
static unsigned long count_forks(void) {
        _cleanup_free_ char *stat = harness_read_file("/proc/stat", NULL);
        const char *line = strstr(stat, "\nprocesses ");

        return line ? strtoul(line + sizeof("\nprocesses ") - 1, NULL, 10) : 0;
}

/* Is this the thread that holds programs? */
static bool is_holding(pid_t pid, const char *tid) {
        _cleanup_free_ char *path = harness_format("/proc/%d/task/%s/comm", (int)pid, tid);
        _cleanup_free_ char *comm = harness_read_file(path, NULL);

        return strcmp(comm, "exec-hold\n") == 0;
}

void held_blindfold(const Monitor *m) {
        _cleanup_free_ char *path = harness_format("/proc/%d/task", (int)m->pid);
        _cleanup_closedir_ DIR *d = opendir(path);

        harness_assert(d, "%s: %m", path);
        n_forks_before = count_forks();
        for (struct dirent *e = readdir(d); e; e = readdir(d)) {
                if (e->d_name[0] == '.' || is_holding(m->pid, e->d_name))
                        continue;
                harness_assert(n_halted < THREADS_MAX, "too many threads");
                halted[n_halted] = (pid_t)strtol(e->d_name, NULL, 10);
                halt(halted[n_halted++]);
        }
}

void held_unblindfold(const Monitor *m) {
        for (size_t i = 0; i < n_halted; i++)
                if (halted[i] != m->pid)
                        go_on(halted[i]);
        harness_sleep(harness_is_sanitized() ? 3 : 0.5);
        go_on(m->pid);
        n_halted = 0;
}

void held_stop(Monitor *m) {
        unsigned long n_forks = n_forks_before > 0 ? count_forks() - n_forks_before : 0;

        harness_assert(!monitor_has_output(m, "no longer holding"), "%s", monitor_errors(m));
        monitor_stop(m);
        if (n_forks > FORKS_MAX)
                harness_skip("others started %lu processes meanwhile", n_forks);
}

void held_check(Truth *t, Monitor *m) {
        TruthDiff diff;

        held_stop(m);
        diff = truth_compare(t, m);
        truth_assert(&diff, 0);
}
