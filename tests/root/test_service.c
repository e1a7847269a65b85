/* SPDX-License-Identifier: MIT */

/* What a service manager is told, and when. */

#include <dirent.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filesystem.h"
#include "harness.h"
#include "manager.h"

/* A tmpfs that is watched by a service. */
static Manager start(const Filesystem *fs, const char *watchdog_usec) {
        const char **args = calloc(5, sizeof(*args));
        Manager m;

        args[0] = "watch";
        args[1] = "--output=json";
        args[2] = fs->path;
        m = manager_new(args);
        m.watchdog_usec = watchdog_usec;
        manager_start(&m);
        return m;
}

static void wait_for_output(Manager *m, size_t instance, const char *text) {
        double end = harness_now() + MONITOR_TIMEOUT_SEC;

        for (;;) {
                char *bytes = harness_read_file(m->output_paths[instance], NULL);
                bool is_there = strstr(bytes, text);

                free(bytes);
                if (is_there)
                        return;
                harness_assert(harness_now() < end, "no %s: %s", text, manager_errors(m));
                manager_pump(m, 0.01);
        }
}

static void delete_one(const Filesystem *fs, const char *name) {
        char *path = harness_format("%s/%s", fs->path, name);

        harness_touch(path);
        harness_unlink(path);
        free(path);
}

/* What is deleted after READY=1 is told: nothing is waited for but that. */
START_TEST(ready_when_marks_are_set) {
        Filesystem fs = fs_new(FS_TMPFS, "ready");
        Manager m = start(&fs, NULL);

        ck_assert_uint_eq(m.n_ready, 1);
        delete_one(&fs, "at-once");
        wait_for_output(&m, 0, "/at-once\"");
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        ck_assert_uint_eq(m.n_stopping, 1);
        ck_assert_uint_eq(m.n_watchdogs, 0);
}
END_TEST

START_TEST(status_counts) {
        Filesystem fs = fs_new(FS_TMPFS, "status");
        Manager m = start(&fs, NULL);
        double end = harness_now() + 30;

        delete_one(&fs, "a");
        delete_one(&fs, "b");
        while (!strstr(m.status, "2 deletions by 1 process")) {
                harness_assert(harness_now() < end, "status is still %s", m.status);
                manager_pump(&m, 0.05);
        }
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
}
END_TEST

/* How soon is for a machine with nothing else to do. */
static void wait_for_life(Manager *m, unsigned n_watchdogs) {
        double end = harness_now() + 30;

        while (m->n_watchdogs < n_watchdogs) {
                harness_assert(harness_now() < end, "only %u signs of life, not %u", m->n_watchdogs,
                               n_watchdogs);
                manager_pump(m, 0.05);
        }
}

/* systemd ends who is silent for WATCHDOG_USEC; a main loop that hangs is. */
START_TEST(watchdog_stops_with_the_main_loop) {
        Filesystem fs = fs_new(FS_TMPFS, "watchdog");
        Manager m = start(&fs, "1000000");
        unsigned n;

        wait_for_life(&m, 3);
        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        manager_pump(&m, 0.2);
        n = m.n_watchdogs;
        manager_pump(&m, 2.5);
        ck_assert_uint_eq(m.n_watchdogs, n);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        wait_for_life(&m, n + 1);
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
}
END_TEST

/* Without WATCHDOG_PID for us, or without anybody, SIGHUP is the end of a terminal. */
START_TEST(hangup_without_a_manager_ends) {
        Filesystem fs = fs_new(FS_TMPFS, "hangup");
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        ck_assert_int_eq(kill(m.pid, SIGHUP), 0);
        ck_assert_int_eq(monitor_wait(&m, MONITOR_TIMEOUT_SEC), 0);
}
END_TEST

START_TEST(reload_begins_anew) {
        Filesystem fs = fs_new(FS_TMPFS, "reload");
        Manager m = start(&fs, NULL);
        double end = harness_now() + MONITOR_TIMEOUT_SEC;
        char *bytes, *at;

        delete_one(&fs, "before");
        ck_assert_int_eq(kill(m.pid, SIGHUP), 0);
        while (m.n_ready < 2) {
                harness_assert(harness_now() < end, "not ready after a reload: %s",
                               manager_errors(&m));
                manager_pump(&m, 0.01);
        }
        ck_assert_uint_eq(m.n_reloading, 1);
        ck_assert_uint_eq(m.n_stopping, 0);
        delete_one(&fs, "after");
        wait_for_output(&m, 0, "/before\"");
        wait_for_output(&m, 0, "/after\"");
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        bytes = harness_read_file(m.output_paths[0], NULL);
        at = strstr(bytes, "\"action\":\"start\"");
        harness_assert(at && strstr(at + 1, "\"action\":\"start\""), "no second start");
        free(bytes);
}
END_TEST

static uint64_t status_number(pid_t pid, pid_t tid, const char *key, int base) {
        char *bytes = harness_read_file(
                harness_format("/proc/%d/task/%d/status", (int)pid, (int)tid), NULL);
        char *at = strstr(bytes, key);
        uint64_t n;

        harness_assert(at, "no %s of thread %d", key, (int)tid);
        n = strtoull(at + strlen(key), NULL, base);
        free(bytes);
        return n;
}

#define BIT(capability) (UINT64_C(1) << (capability))

/* Of root's forty, every thread has but the few that the manual names. */
START_TEST(capabilities_are_dropped) {
        const uint64_t kept = BIT(CAP_SYS_ADMIN) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_NET_ADMIN) |
                              BIT(CAP_SYS_PTRACE) | BIT(CAP_FOWNER);
        Filesystem fs = fs_new(FS_TMPFS, "capabilities");
        Manager m = start(&fs, NULL);
        const uint64_t own = status_number(getpid(), getpid(), "CapEff:\t", 16);
        DIR *d = opendir(harness_format("/proc/%d/task", (int)m.pid));
        size_t n_threads = 0, n_foreign = 0;
        struct dirent *e;

        ck_assert_uint_eq(status_number(m.pid, m.pid, "CapEff:\t", 16), own & kept);
        while ((e = readdir(d))) {
                pid_t tid = (pid_t)atoi(e->d_name);
                uint64_t permitted;

                if (tid == 0)
                        continue;
                n_threads++;
                permitted = status_number(m.pid, tid, "CapPrm:\t", 16);
                if (tid != m.pid && permitted == own && n_foreign < harness_sanitizer_threads()) {
                        n_foreign++;
                        continue;
                }
                harness_assert((permitted & ~(kept | BIT(CAP_SYS_NICE))) == 0,
                               "thread %d has capabilities %llx", (int)tid,
                               (unsigned long long)permitted);
                ck_assert_uint_eq(status_number(m.pid, tid, "CapInh:\t", 16), 0);
                ck_assert_uint_eq(status_number(m.pid, tid, "NoNewPrivs:\t", 10), 1);
        }
        closedir(d);
        harness_assert(n_threads >= 3, "only %zu threads", n_threads);
        /* After a reload it has what it needs. */
        ck_assert_int_eq(kill(m.pid, SIGHUP), 0);
        while (m.n_ready < 2)
                manager_pump(&m, 0.01);
        ck_assert_uint_eq(status_number(m.pid, m.pid, "CapEff:\t", 16), own & kept);
        delete_one(&fs, "after");
        wait_for_output(&m, 0, "/after\"");
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, ready_when_marks_are_set);
        tcase_add_test(tcase, status_counts);
        tcase_add_test(tcase, watchdog_stops_with_the_main_loop);
        tcase_add_test(tcase, hangup_without_a_manager_ends);
        tcase_add_test(tcase, reload_begins_anew);
        tcase_add_test(tcase, capabilities_are_dropped);
}

int main(void) {
        return harness_main("service", add);
}
