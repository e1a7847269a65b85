/* SPDX-License-Identifier: MIT */

/*
 * A journal that is stopped, restarted, killed, full, or limits the rate: no record is lost, none
 * is there twice but with one event.id, and the monitor's memory stays within bounds.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "journal.h"
#include "process.h"

/* What the sink keeps at most is 32 MiB; the rest is the monitor itself, and events in flight. */
#define ANONYMOUS_MAX_KIB (160 * 1024)

#define RATE_UNIT "whodunlink-rate-test.service"

typedef struct Storm {
        Filesystem fs;
        char *directory;
        size_t n_files;
        Monitor m;
} Storm;

static Storm storm_new(size_t n_files) {
        Storm s = {.fs = fs_new(FS_TMPFS, "fs"), .n_files = n_files};

        s.directory = harness_format("%s/d", s.fs.path);
        harness_mkdir(s.directory);
        for (size_t i = 0; i < n_files; i++) {
                _cleanup_free_ char *path = harness_format("%s/f%zu", s.directory, i);

                harness_touch(path);
        }
        s.m = journal_monitor_start(MONITOR_ARGS(s.fs.path, "--fold=0"));
        return s;
}

static void storm_begin(const Storm *s) {
        process_run(PROCESS_ARGS("rm", "-r", s->directory));
}

static size_t anonymous_kib(pid_t pid) {
        _cleanup_free_ char *path = harness_format("/proc/%d/status", (int)pid);
        size_t n;
        _cleanup_free_ char *text = harness_read_file(path, &n);
        const char *line = strstr(text, "RssAnon:");

        harness_assert(line, "no RssAnon of %d", (int)pid);
        return strtoul(line + strlen("RssAnon:"), NULL, 10);
}

/* Each file's deletion is there, and if twice, it is the same event. Return: how many are twice. */
static size_t storm_check(const Storm *s) {
        _cleanup_journal_ sd_journal *j = journal_open("DELETION_ACTION=unlink");
        char **ids = calloc(s->n_files, sizeof(*ids));
        size_t n_twice = 0, n_missing = 0;

        while (sd_journal_next(j) > 0) {
                _cleanup_free_ char *name = journal_text(j, "DELETION_NAME");
                struct json_object *message = journal_message(j);
                const char *id = record_string(message, "event.id");
                size_t i = strtoul(name + 1, NULL, 10);

                harness_assert(name[0] == 'f' && i < s->n_files, "a deletion of %s", name);
                if (ids[i]) {
                        harness_assert(strcmp(ids[i], id) == 0, "%s: %s and %s", name, ids[i], id);
                        n_twice++;
                } else {
                        ids[i] = strdup(id);
                }
                json_object_put(message);
        }
        for (size_t i = 0; i < s->n_files; i++) {
                n_missing += !ids[i];
                free(ids[i]);
        }
        free(ids);
        harness_assert(n_missing == 0, "%zu of %zu deletions are missing; %s", n_missing,
                       s->n_files, monitor_errors(&s->m));
        ck_assert_uint_eq(journal_count("DELETION_ACTION=rmdir") > 0, 1);
        ck_assert_uint_eq(journal_count("DELETION_ACTION=loss"), 0);
        return n_twice;
}

static void storm_end(Storm *s, Journald *d) {
        harness_assert(anonymous_kib(s->m.pid) < ANONYMOUS_MAX_KIB || harness_is_sanitized(),
                       "%zu KiB", anonymous_kib(s->m.pid));
        monitor_stop(&s->m);
        harness_note("%zu of %zu twice", storm_check(s), s->n_files);
        journald_stop(d, SIGTERM);
}

static void verify(void) {
        process_run(PROCESS_ARGS("journalctl", "--verify", "-q", "-D", JOURNAL_DIRECTORY));
}

START_TEST(stopped_for_ten_seconds) {
        Journald d = journald_start("512m", "RuntimeMaxUse=400M\nRuntimeKeepFree=1M\n");
        Storm s = storm_new(harness_scale(12 * 1000, 4000));

        ck_assert_int_eq(kill(d.pid, SIGSTOP), 0);
        storm_begin(&s);
        harness_sleep(10);
        harness_assert(anonymous_kib(s.m.pid) < ANONYMOUS_MAX_KIB || harness_is_sanitized(),
                       "%zu KiB", anonymous_kib(s.m.pid));
        ck_assert_int_eq(kill(d.pid, SIGCONT), 0);
        storm_end(&s, &d);
        verify();
}
END_TEST

/* Ended by SIGTERM, after which its socket is gone with all that was in it, and by SIGKILL. */
START_TEST(restarted) {
        Journald d = journald_start("512m", "RuntimeMaxUse=400M\nRuntimeKeepFree=1M\n");
        Storm s = storm_new(harness_scale(12 * 1000, 4000));

        storm_begin(&s);
        for (int i = 0; i < 5; i++) {
                harness_sleep(0.2);
                journald_stop(&d, _i == 0 ? SIGTERM : SIGKILL);
                harness_sleep(0.3);
                journald_restart(&d);
        }
        storm_end(&s, &d);
        /* A journald that is killed leaves behind what it was just writing. */
        if (_i == 0)
                verify();
}
END_TEST

/* As much as there is, less what is to be left free. */
static int fill(size_t n_left_bytes) {
        int fd = open(JOURNAL_DIRECTORY "/ballast", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct statvfs st;

        harness_assert(fd >= 0 && fstatvfs(fd, &st) == 0, "ballast: %m");
        if (st.f_bavail * st.f_bsize > n_left_bytes)
                ck_assert_int_eq(
                        posix_fallocate(fd, 0, (off_t)(st.f_bavail * st.f_bsize - n_left_bytes)),
                        0);
        ck_assert_int_eq(unlink(JOURNAL_DIRECTORY "/ballast"), 0);
        return fd;
}

START_TEST(full) {
        Journald d = journald_start("512m", "RuntimeMaxUse=400M\nRuntimeKeepFree=1M\n");
        Storm s = storm_new(harness_scale(12 * 1000, 8000));
        size_t n_before, n_full;
        int fd = fill((size_t)8 * 1024 * 1024);

        storm_begin(&s);
        /* Full means that nothing more comes. */
        do {
                n_before = journal_count("DELETION_ACTION=unlink");
                harness_sleep(2);
                n_full = journal_count("DELETION_ACTION=unlink");
        } while (n_full != n_before);
        harness_note("full with %zu of %zu", n_full, s.n_files);
        ck_assert_uint_lt(n_full, s.n_files);
        harness_sleep(3);
        close(fd);
        journal_wait_for("DELETION_ACTION=rmdir", 1, 120);
        storm_end(&s, &d);
        verify();
}
END_TEST

static void move_to(const char *group) {
        _cleanup_free_ char *path = harness_format("%s/cgroup.procs", group);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, "0", 1) != 1)
                harness_skip("cannot move to %s: %m", group);
}

/* What is over the limit is dropped by journald, and comes when it takes some again. The limit is
 * one of units, so the monitor is started in the control group of one. */
START_TEST(limited_rate) {
        Journald d = journald_start("512m", "RuntimeMaxUse=400M\nRuntimeKeepFree="
                                            "1M\nRateLimitIntervalSec=2s\nRateLimitBurst=300\n");
        char *root = harness_path("groups"), *unit = harness_format("%s/%s", root, RATE_UNIT);
        Storm s;

        harness_mkdir(root);
        if (mount("cgroup2", root, "cgroup2", 0, NULL) < 0)
                harness_skip("no unified control groups: %m");
        (void)rmdir(unit);
        harness_mkdir(unit);
        move_to(unit);
        s = storm_new(2000);
        storm_begin(&s);
        journal_wait_for("DELETION_ACTION=rmdir", 1, 120);
        ck_assert_uint_gt(journal_count("_SYSTEMD_UNIT=" RATE_UNIT), 0);
        storm_end(&s, &d);
        move_to(root);
        verify();
        for (int i = 0; i < 100 && rmdir(unit) < 0; i++)
                harness_sleep(0.02);
}
END_TEST

/* A journal that keeps nothing is no reason to keep records for it. */
START_TEST(keeps_nothing) {
        Journald d = journald_start("64m", "");
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        char *file = harness_format("%s/f", fs.path);
        Monitor m;

        journald_stop(&d, SIGTERM);
        process_run(PROCESS_ARGS("sh", "-c",
                                 "rm -rf " JOURNAL_DIRECTORY "/*; sed -i s/volatile/none/ "
                                 "/run/systemd/journald.conf.d/test.conf"));
        d.pid = process_spawn(PROCESS_ARGS("/lib/systemd/systemd-journald"));
        m = monitor_spawn(MONITOR_ARGS("watch", "--output=journal", fs.path));
        monitor_wait_for_error(&m, "watching", 30);
        harness_touch(file);
        harness_unlink(file);
        harness_sleep(15);
        monitor_stop(&m);
        ck_assert_uint_eq(journal_count(NULL), 0);
        journald_stop(&d, SIGTERM);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, stopped_for_ten_seconds);
        tcase_add_loop_test(tcase, restarted, 0, 2);
        tcase_add_test(tcase, full);
        tcase_add_test(tcase, limited_rate);
        tcase_add_test(tcase, keeps_nothing);
}

int main(void) {
        return harness_main("journal_trouble", add);
}
