/* SPDX-License-Identifier: MIT */

/*
 * Must hold 5: watching a filesystem must not keep it. Its umount works at once, its device is
 * free within a second, and the stream of records says that coverage ended.
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

static const char end_mark[] = "\"message\":\"no longer watching ";

static void assert_detaches(const Filesystem *fs, double timeout_sec) {
        double end = harness_now() + timeout_sec;

        while (fs->loop_index >= 0 && fs_is_loop_attached(fs)) {
                harness_assert(harness_now() < end, "%s is still in use %.1f s after umount",
                               fs->source, timeout_sec);
                harness_sleep(0.01);
        }
}

static void delete_one(const Filesystem *fs, const char *name, Truth *t, const Process *own) {
        _cleanup_free_ char *path = harness_format("%s/%s", fs->path, name);

        harness_touch(path);
        harness_unlink(path);
        truth_add(t, "unlink", path, own);
}

START_TEST(umount_works_while_watched) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        delete_one(&fs, "before", &t, &own);
        harness_assert(umount2(fs.path, 0) == 0, "umount: %m");
        assert_detaches(&fs, 1.0);
        monitor_wait_for_output(&m, end_mark, 5);
        truth_check(&t, &m, 0);
        /* It, its end, and what the path lies on from then on. */
        ck_assert_uint_eq(record_count_status(m.output_path, "coverage"), 3);
}
END_TEST

/* In the middle of work: events are queued, directories are open in nobody's hands but ours. */
START_TEST(umount_works_right_behind_deletions) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        for (size_t i = 0; i < harness_scale(2000, 100); i++) {
                _cleanup_free_ char *name = harness_format("file-%zu", i);

                delete_one(&fs, name, &t, &own);
        }
        for (int i = 0; umount2(fs.path, 0) < 0; i++) {
                harness_assert(i < 100, "umount for 1 s: %m"); /* a look-up may be under way */
                harness_sleep(0.01);
        }
        assert_detaches(&fs, 1.0);
        monitor_wait_for_output(&m, end_mark, 5);
        truth_check(&t, &m, 0);
}
END_TEST

static void wait_for_ends(const Monitor *m, size_t n) {
        double end = harness_now() + 5;
        size_t n_seen;

        do {
                _cleanup_free_ char *output = harness_read_file(m->output_path, NULL);

                n_seen = 0;
                for (const char *at = output; (at = strstr(at, "it was unmounted")); at++)
                        n_seen++;
                harness_assert(harness_now() < end, "%zu of %zu ends are told", n_seen, n);
        } while (n_seen < n);
}

/* Where it was is asked for only when an event is read: the filesystem may be gone by then. */
START_TEST(umount_right_behind_a_deletion_in_a_directory) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        int device_fd = open(fs.source, O_RDONLY | O_CLOEXEC); /* keeps the device, to the end */
        char *other = harness_path("other");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        ck_assert_int_ge(device_fd, 0);
        harness_mkdir(other);
        for (size_t i = 0; i < harness_scale(40, 10); i++) {
                _cleanup_free_ char *directory = harness_format("%s/dir-%zu", fs.path, i);
                _cleanup_free_ char *moved = harness_format("%s/moved-%zu", fs.path, i);
                _cleanup_free_ char *name = harness_format("dir-%zu/file", i);
                _cleanup_free_ char *moved_name = harness_format("moved-%zu/file", i);

                harness_mkdir(directory);
                delete_one(&fs, "a", &t, &own);
                harness_sleep(0.005);
                /* It looks at the mount table now, and finds the filesystem gone. */
                ck_assert_int_eq(mount("tmpfs", other, "tmpfs", 0, NULL), 0);
                delete_one(&fs, name, &t, &own);
                if (i % 2 == 0) {
                        ck_assert_int_eq(rename(directory, moved), 0);
                        truth_add_move(&t, directory, moved, &own);
                        delete_one(&fs, moved_name, &t, &own);
                }
                for (int k = 0; umount2(fs.path, 0) < 0; k++)
                        harness_assert(k < 100000, "umount: %m"); /* a look-up is under way */
                wait_for_ends(&m, i + 1);
                ck_assert_int_eq(umount2(other, 0), 0);
                fs_mount_on(&fs, fs.path);
                monitor_wait_until_quiet(&m, 0.1);
        }
        truth_check(&t, &m, 0);
}
END_TEST

/* One of two filesystems goes; the other is still watched. */
START_TEST(the_other_filesystem_stays_watched) {
        Filesystem gone = fs_new(FS_EXT4, "gone"), stays = fs_new(FS_EXT4, "stays");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(gone.path, stays.path));

        delete_one(&gone, "a", &t, &own);
        delete_one(&stays, "b", &t, &own);
        harness_assert(umount2(gone.path, 0) == 0, "umount: %m");
        assert_detaches(&gone, 1.0);
        monitor_wait_for_output(&m, end_mark, 5);
        delete_one(&stays, "c", &t, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/*
 * Mounted again in its place. Whether coverage comes back is the program's choice, but what it
 * says must be so: covered again means reported, and the second umount must work like the first.
 */
START_TEST(mounted_again) {
        Filesystem fs = fs_new(FS_EXT4, "fs"), other;
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        _cleanup_free_ char *path = harness_format("%s/again", fs.path);
        size_t n_records;

        delete_one(&fs, "before", &t, &own);
        harness_assert(umount2(fs.path, 0) == 0, "umount: %m");
        monitor_wait_for_output(&m, end_mark, 5);
        other = fs_new(FS_EXT4, "other");
        harness_assert(mount(other.path, fs.path, NULL, MS_MOVE, NULL) == 0, "move mount: %m");
        harness_sleep(2);
        harness_touch(path);
        harness_unlink(path);
        harness_sleep(0.5);
        harness_assert(umount2(fs.path, 0) == 0, "second umount: %m");
        assert_detaches(&other, 1.0);
        monitor_stop(&m);
        n_records = record_count_deletions(m.output_path);
        harness_note("coverage records: %zu; after the second mount %s",
                     record_count_status(m.output_path, "coverage"),
                     n_records == 2 ? "watched again" : "not watched");
        ck_assert_uint_ge(n_records, 1);
        if (n_records == 2)
                truth_add(&t, "unlink", path, &own);
        {
                TruthDiff diff = truth_compare(&t, &m);

                truth_assert(&diff, 0);
        }
}
END_TEST

/* A lazy umount with a user left: the device is free as soon as that user is gone. */
START_TEST(lazy_umount) {
        Filesystem fs = fs_new(FS_EXT4, "fs");
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        int fd = open(fs.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        harness_assert(fd >= 0 && umount2(fs.path, MNT_DETACH) == 0, "umount: %m");
        ck_assert_int_eq(mkdirat(fd, "late", 0777), 0);
        ck_assert_int_eq(unlinkat(fd, "late", AT_REMOVEDIR), 0);
        ck_assert(fs_is_loop_attached(&fs));
        close(fd);
        assert_detaches(&fs, 1.0);
        monitor_wait_for_output(&m, end_mark, 5);
        monitor_stop(&m);
}
END_TEST

/* A read-only remount and back changes nothing about coverage. */
START_TEST(remount_keeps_coverage) {
        Filesystem fs = fs_new(FS_EXT4, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        delete_one(&fs, "a", &t, &own);
        ck_assert_int_eq(mount(NULL, fs.path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
        ck_assert_int_eq(mount(NULL, fs.path, NULL, MS_REMOUNT, NULL), 0);
        delete_one(&fs, "b", &t, &own);
        truth_check(&t, &m, 0);
        ck_assert_uint_eq(record_count_status(m.output_path, "coverage"), 1);
}
END_TEST

/* The messages of the coverage records, in their order, but for that of the start. */
static size_t coverage_messages(const Monitor *m, char *ret_messages[], size_t n_max) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        struct json_object *record;
        size_t n = 0;

        while ((record = record_next(&r)))
                if (strcmp(record_string(record, "event.action"), "coverage") == 0 &&
                    record_number(record, "event.sequence") > 2 && n < n_max)
                        ret_messages[n++] = strdup(record_string(record, "message"));
        return n;
}

static void assert_starts(const char *message, const char *start) {
        harness_assert(strncmp(message, start, strlen(start)) == 0, "%s", message);
}

/* Gone and another in its place before the monitor looks: the end of one, then the other's begin,
 * and the events of each on its side. */
START_TEST(one_ends_before_its_successor_begins) {
        Filesystem fs = fs_new(FS_EXT4, "fs"), next = fs_new(FS_EXT4, "next");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        char *messages[4];

        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        ck_assert_int_eq(umount2(fs.path, 0), 0);
        ck_assert_int_eq(mount(next.path, fs.path, NULL, MS_MOVE, NULL), 0);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        monitor_wait_for_output(&m, end_mark, 5);
        harness_sleep(0.2);
        delete_one(&fs, "b", &t, &own);
        truth_check(&t, &m, 0);
        ck_assert_uint_eq(coverage_messages(&m, messages, 4), 2);
        assert_starts(messages[0], "no longer watching ");
        harness_assert(strstr(messages[0], "unmounted"), "%s", messages[0]);
        assert_starts(messages[1], "watching ");
}
END_TEST

/* Another mount lies over the target for a while: nothing was unmounted. */
START_TEST(hidden_for_a_while) {
        Filesystem fs = fs_new(FS_EXT4, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));
        char *messages[5];

        delete_one(&fs, "a", &t, &own);
        ck_assert_int_eq(mount("tmpfs", fs.path, "tmpfs", 0, NULL), 0);
        monitor_wait_for_output(&m, "(tmpfs)", 5);
        delete_one(&fs, "b", &t, &own);
        harness_sleep(0.2);
        harness_assert(umount2(fs.path, 0) == 0, "umount: %m");
        monitor_wait_for_output(&m, "unmounted", 5);
        harness_sleep(0.2);
        delete_one(&fs, "c", &t, &own);
        truth_check(&t, &m, 0);
        ck_assert_uint_eq(coverage_messages(&m, messages, 5), 4);
        assert_starts(messages[0], "no longer watching ");
        harness_assert(strstr(messages[0], "it is hidden by another mount"), "%s", messages[0]);
        assert_starts(messages[1], "watching ");
        assert_starts(messages[2], "no longer watching ");
        harness_assert(strstr(messages[2], "it was unmounted"), "%s", messages[2]);
        assert_starts(messages[3], "watching ");
}
END_TEST

/* One that is always at work does not keep the end of another from being told. */
START_TEST(an_end_is_told_beside_a_busy_one) {
        Filesystem gone = fs_new(FS_EXT4, "gone"), busy = fs_new(FS_TMPFS, "busy");
        Monitor m = monitor_start(MONITOR_ARGS(gone.path, busy.path));
        double end = harness_now() + 5;
        _cleanup_free_ char *file = harness_format("%s/file", busy.path);

        ck_assert_int_eq(umount2(gone.path, 0), 0);
        while (!monitor_has_output(&m, "it was unmounted")) {
                harness_assert(harness_now() < end, "its end is not told");
                for (int i = 0; i < 20; i++) {
                        harness_touch(file);
                        harness_unlink(file);
                }
        }
        monitor_stop(&m);
}
END_TEST

/* The place where a deletion is to happen, and how it is called from where it happens. */
typedef struct Inside {
        const char *host, *path;
        int (*enter)(const struct Inside *in);
} Inside;

/* As systemd does it for PrivateTmp=: a directory of the host's /tmp stands where /tmp was. */
static int enter_private(const Inside *in) {
        _cleanup_free_ char *point = harness_path("tmp");

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return -1;
        return mount(in->host, point, NULL, MS_BIND, NULL);
}

static int enter_chroot(const Inside *in) {
        return chroot(in->host) < 0 ? -1 : chdir("/");
}

static void delete_inside(void *userdata) {
        const Inside *in = userdata;

        if (in->enter(in) < 0)
                _exit(1);
        harness_touch(in->path);
        harness_unlink(in->path);
}

/* However it is called where it is deleted, the record has the path that the host sees. */
START_TEST(deleted_in_another_view) {
        _cleanup_free_ char *tmp = harness_path("tmp"), *service = harness_path("tmp/service");
        _cleanup_free_ char *file = harness_path("tmp/service/file"), *path = NULL;
        Inside in = {.host = service};
        _cleanup_truth_ Truth t = {0};
        Process who;
        Monitor m;

        harness_mkdir(tmp);
        harness_mkdir(service);
        m = monitor_start(MONITOR_ARGS(tmp));
        path = _i == 0 ? harness_path("tmp/file") : harness_format("/file");
        in.path = path;
        in.enter = _i == 0 ? enter_private : enter_chroot;
        who = process_fork_truth();
        who.pid = process_fork(delete_inside, &in);
        ck_assert_int_eq(process_wait(who.pid, 10), 0);
        who.working_directory = NULL;
        truth_add(&t, "unlink", file, &who);
        truth_check(&t, &m, 1);
}
END_TEST

/* The PATH is a bind mount of a directory: what is deleted is told by it, and no more than that. */
START_TEST(a_bind_mount_of_a_directory) {
        Filesystem fs = fs_new((FsKind)_i, "fs");
        Process own = process_own_truth();
        _cleanup_free_ char *from = harness_format("%s/in", fs.path),
                            *bound = harness_path("bound");
        _cleanup_free_ char *by_fs = harness_path("fs/in/a"), *by_bind = harness_path("bound/a");
        _cleanup_free_ char *again = harness_path("bound/b"), *other = harness_path("fs/c");
        _cleanup_truth_ Truth t = {.is_ordered = true};
        Monitor m;

        harness_mkdir(from);
        harness_mkdir(bound);
        ck_assert_int_eq(mount(from, bound, NULL, MS_BIND, NULL), 0);
        m = monitor_start(MONITOR_ARGS(bound));
        harness_touch(by_fs);
        harness_unlink(by_fs);
        truth_add(&t, "unlink", by_bind, &own);
        harness_touch(other);
        harness_unlink(other);
        harness_touch(again);
        harness_unlink(again);
        truth_add(&t, "unlink", again, &own);
        truth_check(&t, &m, 0);
}
END_TEST

/* --all: what is there, what comes later, and a word about what is left out. */
START_TEST(every_filesystem) {
        Filesystem fs = fs_new(FS_EXT4, "fs"), late;
        Process own = process_own_truth();
        _cleanup_free_ char *include = harness_format("--include=%s/**", harness_work());
        _cleanup_free_ char *watching = harness_path("late (tmpfs)");
        _cleanup_free_ char *output = NULL;
        _cleanup_truth_ Truth t = {.is_ordered = true};
        Monitor m = monitor_start(MONITOR_ARGS("--all", include, "--exclude=*.out"));

        delete_one(&fs, "a", &t, &own);
        late = fs_new(FS_TMPFS, "late");
        monitor_wait_for_output(&m, watching, 5);
        delete_one(&late, "b", &t, &own);
        truth_check(&t, &m, 0);
        output = harness_read_file(m.output_path, NULL);
        harness_assert(strstr(output, "watches every local filesystem"), "%s", output);
        harness_assert(strstr(output, "mounts of proc, sysfs, cgroup2 and their like"), "%s",
                       output);
        harness_assert(!strstr(output, "(proc"), "%s", output);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, umount_works_while_watched, 0, FS_KINDS);
        tcase_add_loop_test(tcase, umount_works_right_behind_deletions, 0, FS_KINDS);
        tcase_add_loop_test(tcase, umount_right_behind_a_deletion_in_a_directory, FS_EXT4,
                            FS_KINDS);
        tcase_add_test(tcase, the_other_filesystem_stays_watched);
        tcase_add_test(tcase, mounted_again);
        tcase_add_test(tcase, lazy_umount);
        tcase_add_test(tcase, remount_keeps_coverage);
        tcase_add_test(tcase, one_ends_before_its_successor_begins);
        tcase_add_test(tcase, hidden_for_a_while);
        tcase_add_test(tcase, an_end_is_told_beside_a_busy_one);
        tcase_add_loop_test(tcase, deleted_in_another_view, 0, 2);
        tcase_add_loop_test(tcase, a_bind_mount_of_a_directory, 0, FS_KINDS);
        tcase_add_test(tcase, every_filesystem);
}

int main(void) {
        return harness_main("mounts", add_tests);
}
