/* SPDX-License-Identifier: MIT */

/*
 * Must hold 4: whatever is done to mounts, a hundred times in a row and beside others who delete:
 * no deletion is missed while a superblock stays, or after its `watching` record when it is a new
 * one, and nothing is left over.
 */

#include <fcntl.h>
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
#include "monitor.h"
#include "process.h"
#include "record.h"
#include "text.h"

#define CYCLES harness_scale(100, 10)
#define NAMES_MAX 8192
#define WAIT_SEC 10.0

/* What was deleted, by names that are used once. */
typedef struct Story {
        Monitor monitor;
        char *area; /* watched */
        pid_t load; /* deletes there, too, what is not looked at */
        size_t n_names;
        bool is_certain[NAMES_MAX]; /* must be told; others may */
        size_t n_fds, n_marks;      /* of the monitor, at the beginning */
} Story;

/* Marks of filesystems that the monitor holds. */
static size_t count_marks(pid_t pid) {
        _cleanup_free_ char *path = harness_format("/proc/%d/fdinfo", (int)pid);
        _cleanup_closedir_ DIR *d = opendir(path);
        struct dirent *e;
        size_t n = 0;

        harness_assert(d, "%s: %m", path);
        while ((e = readdir(d))) {
                _cleanup_free_ char *file = harness_format("%s/%s", path, e->d_name);
                _cleanup_fclose_ FILE *f = e->d_name[0] == '.' ? NULL : fopen(file, "re");
                char line[256];

                while (f && fgets(line, sizeof(line), f))
                        n += strncmp(line, "fanotify sdev:", 14) == 0;
        }
        return n;
}

/* Some hundred deletions a second on a filesystem of their own. */
static void delete_for_ever(void *userdata) {
        for (;;) {
                for (int i = 0; i < 20; i++) {
                        harness_touch(userdata);
                        harness_unlink(userdata);
                }
                harness_sleep(0.05);
        }
}

static Story story_begin(void) {
        Story s = {.area = harness_path("area")};
        char *busy = harness_path("area/busy");

        harness_mkdir(s.area);
        harness_mkdir(busy);
        ck_assert_int_eq(mount("busy", busy, "tmpfs", 0, NULL), 0);
        s.load = process_fork(delete_for_ever, harness_format("%s/load", busy));
        return s;
}

static void story_watch(Story *s) {
        s->monitor = monitor_start(MONITOR_ARGS(s->area));
        s->n_fds = process_count_fds(s->monitor.pid);
        s->n_marks = count_marks(s->monitor.pid);
}

/* Makes and deletes a file below a directory; is_certain: it must be told. Return: its number. */
static size_t delete_in(Story *s, const char *directory, bool is_certain) {
        size_t i = s->n_names++;
        _cleanup_free_ char *path = harness_format("%s/f%zu", directory, i);

        harness_assert(i < NAMES_MAX, "too many names");
        s->is_certain[i] = is_certain;
        harness_touch(path);
        harness_unlink(path);
        return i;
}

static size_t count_output(const Story *s, const char *text) {
        size_t n;
        _cleanup_free_ char *output = harness_read_file(s->monitor.output_path, &n);

        return text_count(output, n, text);
}

static void wait_for_more(const Story *s, const char *text, size_t n_before) {
        double end = harness_now() + WAIT_SEC;

        while (count_output(s, text) <= n_before) {
                harness_assert(harness_now() < end, "no more than %zu of %s", n_before, text);
                harness_sleep(0.01);
        }
}

/* A look-up in the filesystem may be under way. */
static void unmount(const char *path, int flags) {
        for (int i = 0; umount2(path, flags) < 0; i++) {
                harness_assert(i < 200, "umount %s for 1 s: %m", path);
                harness_sleep(0.005);
        }
}

/* Each name once, or at most once, and nowhere but in the area. */
static void check_names(Story *s) {
        _cleanup_reader_ RecordReader r = record_reader_new(s->monitor.output_path);
        static unsigned n_told[NAMES_MAX];
        struct json_object *record;
        size_t n_missing = 0, n_certain = 0;

        while ((record = record_next_deletion(&r))) {
                const char *name = record_string(record, "file.name");
                const char *path = record_string(record, "file.path");
                size_t i;

                if (sscanf(name, "f%zu", &i) != 1)
                        continue;
                harness_assert(path && strncmp(path, s->area, strlen(s->area)) == 0, "%s: %s", name,
                               path);
                harness_assert(i < s->n_names && ++n_told[i] == 1, "%s: told twice", path);
        }
        for (size_t i = 0; i < s->n_names; i++) {
                n_certain += s->is_certain[i];
                if (!s->is_certain[i] || n_told[i] > 0)
                        continue;
                if (n_missing++ < 5)
                        harness_note("f%zu was not told", i);
        }
        harness_note("%zu deletions, of which %zu must be told", s->n_names, n_certain);
        harness_assert(n_missing == 0, "%zu of %zu deletions are missing", n_missing, n_certain);
        ck_assert_uint_eq(record_count_status(s->monitor.output_path, "loss"), 0);
}

/* Nothing is left over: not in the monitor, nor of the loop device when all is unmounted. */
static void story_end(Story *s, const Filesystem *fs) {
        double end = harness_now() + WAIT_SEC;

        while (process_count_fds(s->monitor.pid) > s->n_fds ||
               count_marks(s->monitor.pid) > s->n_marks) {
                harness_assert(harness_now() < end, "%zu descriptors, %zu marks; before %zu, %zu",
                               process_count_fds(s->monitor.pid), count_marks(s->monitor.pid),
                               s->n_fds, s->n_marks);
                harness_sleep(0.05);
        }
        if (fs)
                unmount(fs->path, 0);
        while (fs && fs->loop_index >= 0 && fs_is_loop_attached(fs)) {
                harness_assert(harness_now() < end, "%s is still in use", fs->source);
                harness_sleep(0.01);
        }
        kill(s->load, SIGKILL);
        monitor_stop(&s->monitor);
        check_names(s);
}

/* The ways in which a superblock stays: each deletion must be told, at once. */
START_TEST(superblock_stays) {
        Story s = story_begin();
        Filesystem fs = fs_new((FsKind)_i, "area/fs");
        _cleanup_free_ char *second = harness_path("area/second"), *sub = harness_path("area/sub");
        _cleanup_free_ char *inside = harness_format("%s/dir", fs.path);

        harness_mkdir(second);
        harness_mkdir(sub);
        harness_mkdir(inside);
        story_watch(&s);
        for (size_t i = 0; i < CYCLES; i++) {
                int fd;

                /* Read-only and back. */
                ck_assert_int_eq(mount(NULL, fs.path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
                                 0);
                ck_assert_int_eq(mount(NULL, fs.path, NULL, MS_REMOUNT | MS_BIND, NULL), 0);
                delete_in(&s, fs.path, true);

                /* A second mount, and the first goes. */
                ck_assert_int_eq(mount(fs.path, second, NULL, MS_BIND, NULL), 0);
                delete_in(&s, second, true);
                unmount(fs.path, 0);
                delete_in(&s, second, true);
                ck_assert_int_eq(mount(second, fs.path, NULL, MS_BIND, NULL), 0);
                unmount(second, 0);
                delete_in(&s, fs.path, true);

                /* A directory of it alone. */
                ck_assert_int_eq(mount(inside, sub, NULL, MS_BIND, NULL), 0);
                delete_in(&s, sub, true);
                unmount(sub, 0);

                /* Moved, and back. */
                ck_assert_int_eq(mount(fs.path, second, NULL, MS_MOVE, NULL), 0);
                delete_in(&s, second, true);
                ck_assert_int_eq(mount(second, fs.path, NULL, MS_MOVE, NULL), 0);
                delete_in(&s, fs.path, true);

                /* Lazily unmounted while in use, and mounted again. */
                fd = open(fs.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                ck_assert_int_ge(fd, 0);
                if (fs.kind != FS_TMPFS) {
                        unmount(fs.path, MNT_DETACH);
                        if (i % 3 == 0)
                                harness_sleep(0.05);
                        fs_mount_on(&fs, fs.path);
                        delete_in(&s, fs.path, true);
                }
                close(fd);

                /* Covered for a while, and uncovered. */
                ck_assert_int_eq(mount("over", fs.path, "tmpfs", 0, NULL), 0);
                if (i % 3 == 1)
                        harness_sleep(0.05);
                unmount(fs.path, 0);
                delete_in(&s, fs.path, true);
        }
        story_end(&s, &fs);
}
END_TEST

/* Unmounted and mounted anew: told from its `watching` record on, and its device is free between.
 */
START_TEST(superblock_is_new) {
        Story s = story_begin();
        Filesystem fs = fs_new((FsKind)_i, "area/fs");
        _cleanup_free_ char *begins = harness_format("\"message\":\"watching %s (", fs.path);
        _cleanup_free_ char *ends =
                harness_format("\"message\":\"no longer watching %s (", fs.path);
        /* Keeps the device's file, not the filesystem. */
        _cleanup_close_ int loop_fd =
                fs.kind == FS_TMPFS ? -1 : open(fs.source, O_RDONLY | O_CLOEXEC);

        story_watch(&s);
        for (size_t i = 0; i < CYCLES; i++) {
                size_t n_begins = count_output(&s, begins), n_ends = count_output(&s, ends);

                delete_in(&s, fs.path, true);
                unmount(fs.path, 0);
                wait_for_more(&s, ends, n_ends);
                fs_mount_on(&fs, fs.path);
                delete_in(&s, fs.path, false);
                wait_for_more(&s, begins, n_begins);
                delete_in(&s, fs.path, true);
        }
        cleanup_close(&loop_fd);
        loop_fd = -1;
        story_end(&s, &fs);
}
END_TEST

/*
 * The same as fast as it goes, so that the same device number is there again at the next look:
 * soon a deletion is told, and all that follow it.
 */
START_TEST(device_number_again) {
        Story s = story_begin();
        Filesystem fs = fs_new((FsKind)_i, "area/fs");
        _cleanup_close_ int loop_fd =
                fs.kind == FS_TMPFS ? -1 : open(fs.source, O_RDONLY | O_CLOEXEC);

        story_watch(&s);
        for (size_t i = 0; i < CYCLES; i++) {
                double end = harness_now() + WAIT_SEC;
                _cleanup_free_ char *told = NULL;

                for (size_t n = 1 + i % 3; n > 0; n--) {
                        unmount(fs.path, 0);
                        fs_mount_on(&fs, fs.path);
                }
                do {
                        size_t k = delete_in(&s, fs.path, false);

                        free(told);
                        told = harness_format("\"name\":\"f%zu\"", k);
                        harness_assert(harness_now() < end, "not watched again");
                        harness_sleep(0.02);
                } while (!monitor_has_output(&s.monitor, told));
                delete_in(&s, fs.path, true);
        }
        cleanup_close(&loop_fd);
        loop_fd = -1;
        story_end(&s, &fs);
}
END_TEST

/* What is mounted over a directory with files in it, and what is mounted over an empty one. */
START_TEST(files_vanish_from_view) {
        Story s = story_begin();
        _cleanup_free_ char *full = harness_path("area/full"), *empty = harness_path("area/empty");
        _cleanup_free_ char *file = harness_path("area/full/file");
        _cleanup_free_ char *covered = harness_format("%s (tmpfs on over) was mounted over", full);
        _cleanup_free_ char *uncovered = harness_format("had hidden in %s is in view again", full);
        _cleanup_free_ char *not_covered = harness_format("%s (tmpfs on over) was mounted", empty);

        harness_mkdir(full);
        harness_mkdir(empty);
        harness_touch(file);
        story_watch(&s);
        for (size_t i = 0; i < harness_scale(20, 5); i++) {
                size_t n_covered = count_output(&s, covered);
                size_t n_uncovered = count_output(&s, uncovered);

                ck_assert_int_eq(mount("over", empty, "tmpfs", 0, NULL), 0);
                ck_assert_int_eq(mount("over", full, "tmpfs", 0, NULL), 0);
                wait_for_more(&s, covered, n_covered);
                unmount(full, 0);
                unmount(empty, 0);
                wait_for_more(&s, uncovered, n_uncovered);
                ck_assert_uint_eq(count_output(&s, covered), n_covered + 1);
                delete_in(&s, full, true);
        }
        ck_assert_uint_eq(count_output(&s, not_covered), 0);
        story_end(&s, NULL);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, superblock_stays, 0, FS_KINDS);
        tcase_add_loop_test(tcase, superblock_is_new, 0, FS_KINDS);
        tcase_add_loop_test(tcase, device_number_again, 0, FS_KINDS);
        tcase_add_test(tcase, files_vanish_from_view);
}

int main(void) {
        return harness_main("mounts_cycle", add_tests);
}
