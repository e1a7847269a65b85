/* SPDX-License-Identifier: MIT */

/*
 * Paths that no system call takes: a tree deeper than PATH_MAX, made and unmade by descents. A
 * record has the whole path, or says that it is cut (whodunlink.path_source is none, or
 * whodunlink.path_cut is true) and has an end of it.
 */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

#define NAME_BYTES 250

static void name_of(size_t depth, char ret_name[static NAME_BYTES + 1]) {
        memset(ret_name, 'a' + (int)(depth % 26), NAME_BYTES);
        ret_name[NAME_BYTES] = '\0';
}

/* Makes and enters a chain of directories. Return: descriptor of the deepest; paths[i] is that of
 * the i-th. */
static int descend(const char *top, size_t depth, char **paths) {
        int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (size_t i = 0; i < depth; i++) {
                char name[NAME_BYTES + 1];
                int next;

                name_of(i, name);
                harness_assert(mkdirat(fd, name, 0777) == 0, "mkdirat: %m");
                next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                harness_assert(next >= 0, "openat: %m");
                close(fd);
                fd = next;
                paths[i] = harness_format("%s/%s", i > 0 ? paths[i - 1] : top, name);
        }
        return fd;
}

/* From the deepest up, as rm -rf does it. */
static void ascend(int fd, size_t depth) {
        for (size_t i = depth; i-- > 0;) {
                int up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                char name[NAME_BYTES + 1];

                name_of(i, name);
                harness_assert(up >= 0 && unlinkat(up, name, AT_REMOVEDIR) == 0, "rmdir: %m");
                close(fd);
                fd = up;
        }
        close(fd);
}

static bool is_cut(struct json_object *record) {
        const char *source = record_string(record, "whodunlink.path_source");
        struct json_object *cut = record_get(record, "whodunlink.path_cut");

        return (source && strcmp(source, "none") == 0) || (cut && json_object_get_boolean(cut));
}

/* In order: the files of the deepest directory, then the directories from the deepest up. */
static void check_records(const Monitor *m, char *const *expected, size_t n) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        struct json_object *record;
        size_t i = 0, n_cut = 0;

        for (; (record = record_next_deletion(&r)); i++) {
                const char *path = record_string(record, "file.path");
                size_t n_path = path ? strlen(path) : 0, n_expected;

                ck_assert_uint_lt(i, n);
                n_expected = strlen(expected[i]);
                if (path && strcmp(path, expected[i]) == 0)
                        continue;
                n_cut++;
                harness_assert(is_cut(record), "path %zu is %zu bytes of %zu and does not say so",
                               i, n_path, n_expected);
        }
        ck_assert_uint_eq(i, n);
        harness_note("%zu of %zu paths cut", n_cut, n);
}

static void run(FsKind kind, bool is_late) {
        enum {
                DEPTH = 3 * PATH_MAX / NAME_BYTES,
                N_FILES = 20
        };
        char *paths[DEPTH], *expected[N_FILES + DEPTH];
        Filesystem fs = fs_new(kind, "fs");
        char *top = harness_format("%s/top", fs.path);
        Monitor m;
        int fd;

        harness_mkdir(top);
        fd = descend(top, DEPTH, paths);
        for (size_t i = 0; i < N_FILES; i++) {
                _cleanup_free_ char *name = harness_format("file-%02zu", i);

                close(openat(fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666));
                expected[i] = harness_format("%s/%s", paths[DEPTH - 1], name);
        }
        for (size_t i = 0; i < DEPTH; i++)
                expected[N_FILES + i] = paths[DEPTH - 1 - i];
        m = monitor_start(MONITOR_ARGS(top));
        if (is_late)
                kill(m.pid, SIGSTOP); /* all gone before the first event is read */
        for (size_t i = 0; i < N_FILES; i++)
                ck_assert_int_eq(unlinkat(fd, strrchr(expected[i], '/') + 1, 0), 0);
        ascend(fd, DEPTH);
        kill(m.pid, SIGCONT);
        monitor_stop(&m);
        check_records(&m, expected, N_FILES + DEPTH);
}

START_TEST(deeper_than_path_max) {
        run((FsKind)_i, false);
}
END_TEST

START_TEST(deeper_than_path_max_and_gone) {
        run((FsKind)_i, true);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, deeper_than_path_max, FS_TMPFS, FS_EXT4 + 1);
        tcase_add_loop_test(tcase, deeper_than_path_max_and_gone, FS_TMPFS, FS_EXT4 + 1);
}

int main(void) {
        return harness_main("long_paths", add_tests);
}
