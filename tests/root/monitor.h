/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The program under test, as a process of the test.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MONITOR_TIMEOUT_SEC 90.0

typedef struct Monitor {
        pid_t pid;
        int pipe_fd;       /* reading end of its stdout, -1 when stdout is the file */
        char *output_path; /* its stdout */
        char *error_path;  /* its stderr */
} Monitor;

/* Runs `whodunlink` with these arguments and nothing else; does not wait for anything. */
Monitor monitor_spawn(const char *const *args);
/* The same with stdout on a pipe that nobody reads until monitor_pump(). */
Monitor monitor_spawn_piped(const char *const *args);
/* `watch --output=json ARGS`, and waits for the record that says that everything is armed. */
Monitor monitor_start(const char *const *args);
/* `watch --output=json ARGS` with stdout on a pipe; armed, too, its start record in output_path. */
Monitor monitor_start_piped(const char *const *args);
/* `watch --output=text ARGS`, and waits until it says on stderr that it watches a filesystem. */
Monitor monitor_start_text(const char *const *args);

/* Waits until a file of the monitor holds a text; fails the test if it ends or takes too long. */
void monitor_wait_for_output(const Monitor *m, const char *text, double timeout_sec);
void monitor_wait_for_error(const Monitor *m, const char *text, double timeout_sec);
/* Whether its output holds a text now. */
bool monitor_has_output(const Monitor *m, const char *text);
/* Waits until its stdout has not grown for quiet_sec. */
void monitor_wait_until_quiet(const Monitor *m, double quiet_sec);
/* Copies what comes from the pipe into output_path until its end. */
void monitor_pump(Monitor *m);

/* SIGTERM, then all of its output; fails the test unless it exits with 0. */
void monitor_stop(Monitor *m);
/* Waits for its own end. Return: exit status. */
int monitor_wait(Monitor *m, double timeout_sec);
/* How many files and directories a monitor has marked one by one. */
size_t monitor_count_marks(pid_t pid);
/* Its stderr, for messages; newly allocated. */
char *monitor_errors(const Monitor *m);
/* Runs `why ARGS` to its end, which must have that exit status. Return: its stdout, newly
 * allocated. */
char *monitor_why(int expected_status, double timeout_sec, const char *const *args);

#define MONITOR_ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
