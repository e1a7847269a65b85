/* SPDX-License-Identifier: MIT */

/*
 * --hold-exec must not keep a program waiting for longer than its bound, whatever is done to the
 * monitor.  The margins are wide, since the machine may be busy: what goes wrong here waits for
 * ever.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "monitor.h"
#include "process.h"
#include "record.h"

#define HOLD "--hold-exec=100ms"
#define MARGIN_SEC 2.0
#define LONG_SEC 20
#define N_EXECS 5

/* Starts a program that does nothing. Return: how long that took. */
static double run_true(void) {
        double begin = harness_now();

        process_run(PROCESS_ARGS("true"));
        return harness_now() - begin;
}

/* None of a few programs waits for longer than the bound, and all that a busy machine takes. */
static void assert_quick(const char *when) {
        for (int i = 0; i < N_EXECS; i++) {
                double took = run_true();

                harness_assert(took < MARGIN_SEC, "%s: program %d took %.3f s", when, i, took);
                if (i == 0)
                        harness_note("%s: the first program took %.3f s", when, took);
        }
}

static Monitor start(void) {
        Monitor m = monitor_start(MONITOR_ARGS(HOLD, harness_work()));

        assert_quick("held");
        harness_assert(!monitor_has_output(&m, "no longer holding"), "dropped at once: %s",
                       monitor_errors(&m));
        return m;
}

/* The only child that the monitor has. */
static pid_t watchdog_of(const Monitor *m) {
        _cleanup_free_ char *path =
                harness_format("/proc/%d/task/%d/children", (int)m->pid, (int)m->pid);
        _cleanup_free_ char *children = harness_read_file(path, NULL);
        pid_t pid = (pid_t)strtol(children, NULL, 10);

        harness_assert(pid > 0, "no watchdog: %s", children);
        return pid;
}

static char state_of(pid_t pid) {
        _cleanup_free_ char *path = harness_format("/proc/%d/stat", (int)pid);
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        char state = 'X';

        if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
                return 'X';
        return state;
}

/* Waits until a process is in one of these states; gone is X. */
static void wait_for_state(pid_t pid, const char *states) {
        double end = harness_now() + LONG_SEC;

        while (!strchr(states, state_of(pid))) {
                harness_assert(harness_now() < end, "process %d is %c, not one of %s", (int)pid,
                               state_of(pid), states);
                harness_sleep(0.005);
        }
}

static void stop(pid_t pid) {
        ck_assert_int_eq(kill(pid, SIGSTOP), 0);
        wait_for_state(pid, "T");
}

/* It says that it holds nothing any more, once, watches on, and ends as always. */
static void assert_dropped(Monitor *m, const char *reason) {
        _cleanup_free_ char *file = harness_path("file"), *output = NULL;
        const char *said;

        monitor_wait_for_output(m, "no longer holding programs", LONG_SEC);
        harness_touch(file);
        process_run(PROCESS_ARGS("rm", file));
        monitor_wait_for_output(m, file, LONG_SEC);
        monitor_stop(m);
        output = harness_read_file(m->output_path, NULL);
        said = strstr(output, "no longer holding programs");
        harness_assert(strstr(said, reason), "not for this reason: %s", said);
        harness_assert(!strstr(said + 1, "no longer holding programs"), "said twice");
        ck_assert_uint_eq(record_count_status(m->output_path, "coverage"), 2);
        ck_assert(strstr(monitor_errors(m), "no longer holding programs"));
}

START_TEST(monitor_stopped) {
        Monitor m = start();

        stop(m.pid);
        assert_quick("monitor stopped");
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        assert_dropped(&m, "nothing moved");
}
END_TEST

static void pause_for_ever(void *userdata) {
        (void)userdata;
        for (;;)
                pause();
}

/* As Ctrl-Z does it: all of its process group, in which the test is only as the monitor starts. */
START_TEST(group_stopped) {
        pid_t own = getpgrp(), group = process_fork(pause_for_ever, NULL);
        Monitor m;

        ck_assert_int_eq(setpgid(group, group), 0);
        ck_assert_int_eq(setpgid(0, group), 0);
        m = start();
        ck_assert_int_eq(setpgid(0, own), 0);
        ck_assert_int_ne(getpgrp(), group);
        ck_assert_int_eq(kill(-group, SIGSTOP), 0);
        wait_for_state(m.pid, "T");
        assert_quick("process group stopped");
        ck_assert_int_eq(kill(-group, SIGCONT), 0);
        assert_dropped(&m, "nothing moved");
        ck_assert_int_eq(kill(group, SIGKILL), 0);
}
END_TEST

static void write_file(const char *path, const char *text) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        harness_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %m",
                       path);
        close(fd);
}

static bool file_has(const char *path, const char *text) {
        _cleanup_free_ char *content = harness_read_file(path, NULL);

        return strstr(content, text) != NULL;
}

/* A control group that can freeze. Return: its directory; *ret_is_v1. */
static char *make_freezer(bool *ret_is_v1) {
        static const char *const roots[] = {"/sys/fs/cgroup/freezer", "/sys/fs/cgroup",
                                            "/sys/fs/cgroup/unified"};

        for (size_t i = 0; i < 3; i++) {
                char *path = harness_format("%s/whodunlink-test-%d", roots[i], (int)getpid());

                *ret_is_v1 = i == 0;
                if (mkdir(path, 0755) < 0)
                        continue;
                if (access(harness_format("%s/%s", path,
                                          i == 0 ? "freezer.state" : "cgroup.freeze"),
                           W_OK) == 0)
                        return path;
                rmdir(path);
        }
        harness_skip("no control group here can be frozen");
}

static void freeze(const char *group, bool is_v1, bool is_frozen) {
        char *file = harness_format("%s/%s", group, is_v1 ? "freezer.state" : "cgroup.freeze");
        char *state = is_v1 ? file : harness_format("%s/cgroup.events", group);
        double end = harness_now() + LONG_SEC;

        write_file(file, is_v1 ? (is_frozen ? "FROZEN" : "THAWED") : (is_frozen ? "1" : "0"));
        while (is_frozen && !file_has(state, is_v1 ? "FROZEN" : "frozen 1")) {
                harness_assert(harness_now() < end, "%s does not freeze", group);
                harness_sleep(0.005);
        }
}

/* A service that is frozen; the watchdog left its group. */
START_TEST(control_group_frozen) {
        bool is_v1;
        char *group = make_freezer(&is_v1), *members = harness_format("%s/cgroup.procs", group);
        char *outside = harness_format("%s/../cgroup.procs", group);
        double took;
        Monitor m;

        write_file(members, "0");
        m = start();
        write_file(outside, "0");
        freeze(group, is_v1, true);
        took = run_true();
        /* Before anything can fail: what is frozen cannot even be killed. */
        freeze(group, is_v1, false);
        harness_assert(took < MARGIN_SEC, "control group frozen: a program took %.3f s", took);
        assert_dropped(&m, "nothing moved");
        ck_assert_int_eq(rmdir(group), 0);
}
END_TEST

static void run_for_a_while(void *userdata) {
        double end = harness_now() + 1.5, *longest = userdata;

        while (harness_now() < end) {
                double took = run_true();

                if (took > *longest)
                        *longest = took;
        }
}

/* While programs start all the time; also when the watchdog was stopped before. */
START_TEST(monitor_killed) {
        double *longest = process_shared_alloc(2 * sizeof(*longest));
        bool is_watchdog_stopped = _i > 0;
        Monitor m = start();
        pid_t watchdog = watchdog_of(&m), loops[2];

        for (size_t i = 0; i < 2; i++)
                loops[i] = process_fork(run_for_a_while, &longest[i]);
        harness_sleep(0.3);
        if (is_watchdog_stopped)
                stop(watchdog);
        ck_assert_int_eq(kill(m.pid, SIGKILL), 0);
        wait_for_state(watchdog, "XZ");
        assert_quick("monitor killed");
        for (size_t i = 0; i < 2; i++) {
                ck_assert_int_eq(process_wait(loops[i], LONG_SEC), 0);
                harness_assert(longest[i] < MARGIN_SEC, "a program took %.3f s", longest[i]);
        }
        ck_assert_int_eq(monitor_wait(&m, LONG_SEC), 128 + SIGKILL);
}
END_TEST

START_TEST(watchdog_killed) {
        Monitor m = start();

        ck_assert_int_eq(kill(watchdog_of(&m), SIGKILL), 0);
        assert_quick("watchdog killed");
        assert_dropped(&m, "has ended");
}
END_TEST

/* It ends with the monitor. */
START_TEST(monitor_ends) {
        Monitor m = start();
        pid_t watchdog = watchdog_of(&m);

        monitor_stop(&m);
        ck_assert_int_eq(state_of(watchdog), 'X');
        ck_assert_uint_eq(record_count_status(m.output_path, "coverage"), 1);
}
END_TEST

/* Memory whose pages are promised to come from a process that never gives them. */
static char *bottomless_page(void) {
        size_t n_bytes = (size_t)sysconf(_SC_PAGESIZE);
        struct uffdio_api api = {.api = UFFD_API};
        struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};
        char *page;
        int fd;

        page = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
        if (page == MAP_FAILED || fd < 0)
                return NULL;
        range.range.start = (uintptr_t)page;
        range.range.len = n_bytes;
        if (ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &range) < 0)
                return NULL;
        return page;
}

/* Its arguments never come: it waits for them itself, but nobody else may. */
START_TEST(memory_that_never_comes) {
        Monitor m = start();
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                char *argv[] = {(char[]){"true"}, bottomless_page(), NULL};

                if (argv[1])
                        execv("/bin/true", argv);
                _exit(77);
        }
        harness_sleep(0.01);
        assert_quick("an argument that never comes");
        if (state_of(pid) == 'Z')
                harness_skip("no userfaultfd here");
        monitor_wait_for_output(&m, "no longer holding programs", LONG_SEC);
        /* LeakSanitizer waits for all threads at the end, also for one that cannot come. */
        if (harness_is_sanitized())
                ck_assert_int_eq(kill(pid, SIGKILL), 0);
        assert_dropped(&m, "nothing moved");
        if (!harness_is_sanitized())
                ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(process_wait(pid, LONG_SEC), 128 + SIGKILL);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, monitor_stopped);
        tcase_add_test(tcase, group_stopped);
        tcase_add_test(tcase, control_group_frozen);
        tcase_add_loop_test(tcase, monitor_killed, 0, 2);
        tcase_add_test(tcase, watchdog_killed);
        tcase_add_test(tcase, monitor_ends);
        tcase_add_test(tcase, memory_that_never_comes);
}

int main(void) {
        return harness_main("hold_safety", add_tests);
}
