/* SPDX-License-Identifier: MIT */

/*
 * The walk of a tree that changes under it: directories that are made, moved and removed at full
 * speed while it goes on are neither missed nor doubled.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

#define N_WORKERS 2
#define N_LOG 8000
/* For the last directories to be marked, when nothing is made any more. */
#define CATCH_UP_SEC 20.0

/* A directory that a worker has made and left. */
typedef struct Left {
        unsigned base, id;
} Left;

typedef struct Worker {
        unsigned number;
        const char *path;
        size_t n_bases;
        volatile bool *is_over;
        size_t n_left, n_made, n_moved, n_removed;
        Left left[N_LOG];
} Worker;

static size_t side;

/* In a square, so that no directory is very large. */
static void base_path(const char *top, size_t i, char ret_path[static 256]) {
        snprintf(ret_path, 256, "%s/d%03zu/d%03zu", top, i / side, i % side);
}

static size_t make_bases(const char *top, size_t n_directories) {
        side = 1;
        while (side * side + side < n_directories)
                side++;
        for (size_t i = 0; i < side * side; i++) {
                char path[256];

                base_path(top, i, path);
                if (i % side == 0) {
                        *strrchr(path, '/') = '\0';
                        harness_mkdir(path);
                        base_path(top, i, path);
                }
                harness_mkdir(path);
        }
        return side * side;
}

static void name_in(const Worker *w, size_t base, unsigned id, char ret_path[static 300]) {
        char dir[256];

        base_path(w->path, base, dir);
        snprintf(ret_path, 300, "%s/w%u-%u", dir, w->number, id);
}

static void churn(void *userdata) {
        Worker *w = userdata;

        srandom(w->number);
        for (unsigned id = 0; !*w->is_over && w->n_left < N_LOG; id++) {
                size_t base = (size_t)random() % w->n_bases, to = (size_t)random() % w->n_bases;
                char path[300], other[300];

                name_in(w, base, id, path);
                name_in(w, to, id, other);
                harness_mkdir(path);
                w->n_made++;
                if (id % 3 == 1) {
                        ck_assert_int_eq(rmdir(path), 0);
                        w->n_removed++;
                        continue;
                }
                if (id % 3 == 2) {
                        ck_assert_int_eq(rename(path, other), 0);
                        w->n_moved++;
                        base = to;
                }
                w->left[w->n_left++] = (Left){.base = (unsigned)base, .id = id};
        }
}

/* What was said and what shall have been said, as lines "ACTION PATH". */
typedef struct Lines {
        char **lines;
        size_t n, n_allocated;
} Lines;

static void lines_add(Lines *l, const char *action, const char *path) {
        if (l->n == l->n_allocated) {
                l->n_allocated = 2 * l->n_allocated + 1024;
                l->lines = reallocarray(l->lines, l->n_allocated, sizeof(char *));
                ck_assert_ptr_nonnull(l->lines);
        }
        l->lines[l->n++] = harness_format("%s %s", action, path);
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static void delete_in(const char *dir, Lines *expected) {
        char path[320];

        snprintf(path, sizeof(path), "%s/file", dir);
        harness_touch(path);
        harness_unlink(path);
        lines_add(expected, "unlink", path);
}

/* All that was expected was said, and nothing was said twice. */
static void check(const Monitor *m, Lines *expected) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        struct json_object *record;
        Lines said = {0};
        size_t n_missing = 0, n_doubled = 0, n_unlinks = 0;

        while ((record = record_next_deletion(&r))) {
                const char *path = record_string(record, "file.path");
                const char *action = record_string(record, "event.action");

                if (strcmp(action, "move") == 0) {
                        /* From where no mark was yet, or to there: the other end is known. */
                        const char *target = record_string(record, "file.target_path");

                        path = path ? path : target;
                }
                harness_assert(path, "a record without a path: %s",
                               json_object_to_json_string(record));
                ck_assert_str_eq(record_string(record, "whodunlink.path_source"), "index");
                n_unlinks += strcmp(action, "unlink") == 0;
                lines_add(&said, action, path);
        }
        qsort(said.lines, said.n, sizeof(char *), compare);
        for (size_t i = 1; i < said.n; i++)
                if (strcmp(said.lines[i - 1], said.lines[i]) == 0 && n_doubled++ < 10)
                        harness_note("doubled: %s", said.lines[i]);
        for (size_t i = 0; i < expected->n; i++)
                if (!bsearch(&expected->lines[i], said.lines, said.n, sizeof(char *), compare) &&
                    n_missing++ < 10)
                        harness_note("missing: %s", expected->lines[i]);
        harness_note("%zu records, %zu expected, %zu missing, %zu doubled", said.n, expected->n,
                     n_missing, n_doubled);
        ck_assert_uint_eq(n_missing, 0);
        ck_assert_uint_eq(n_doubled, 0);
        ck_assert_uint_ge(n_unlinks, expected->n);
}

/* Directories are marked in the order in which they came: until one of now is. */
static void catch_up(const Monitor *m, const Filesystem *fs, Lines *expected) {
        double begin = harness_now();

        for (unsigned i = 0;; i++) {
                _cleanup_free_ char *dir = harness_format("%s/mark-%u", fs->path, i);
                _cleanup_free_ char *text = harness_format("mark-%u/file", i);
                double until;

                harness_mkdir(dir);
                until = harness_now() + 0.5;
                harness_sleep(0.4);
                delete_in(dir, expected);
                while (harness_now() < until)
                        harness_sleep(0.05);
                if (monitor_has_output(m, text))
                        break;
                free(expected->lines[--expected->n]); /* it may come, and may not */
                harness_assert(harness_now() < begin + CATCH_UP_SEC, "new directories get no mark");
        }
        harness_note("caught up in %.1f s", harness_now() - begin);
}

static const FsKind kinds[] = {FS_TMPFS, FS_EXT4, FS_OVERLAY};

START_TEST(nothing_is_missed_or_doubled) {
        Filesystem fs = fs_new(kinds[_i], "fs");
        size_t n_bases = make_bases(fs.path, harness_scale(6000, 2000));
        volatile bool *is_over = process_shared_alloc(sizeof(*is_over));
        Worker *workers[N_WORKERS];
        pid_t pids[N_WORKERS];
        Lines expected = {0};
        double begin;
        Monitor m;

        for (unsigned i = 0; i < N_WORKERS; i++) {
                workers[i] = process_shared_alloc(sizeof(*workers[i]));
                workers[i]->number = i;
                workers[i]->path = fs.path;
                workers[i]->n_bases = n_bases;
                workers[i]->is_over = is_over;
                pids[i] = process_fork(churn, workers[i]);
        }
        begin = harness_now();
        m = monitor_start(MONITOR_ARGS("--marks=directories", fs.path));
        harness_note("%s: the walk took %.2f s", fs_kind_name(kinds[_i]), harness_now() - begin);
        harness_sleep(0.3);
        *is_over = true;
        for (unsigned i = 0; i < N_WORKERS; i++) {
                ck_assert_int_eq(process_wait(pids[i], 60), 0);
                harness_note("made %zu, removed %zu, moved %zu", workers[i]->n_made,
                             workers[i]->n_removed, workers[i]->n_moved);
        }
        catch_up(&m, &fs, &expected);

        for (size_t i = 0; i < n_bases; i++) {
                char path[256];

                base_path(fs.path, i, path);
                delete_in(path, &expected);
        }
        for (unsigned i = 0; i < N_WORKERS; i++)
                for (size_t k = 0; k < workers[i]->n_left; k++) {
                        char path[300];

                        name_in(workers[i], workers[i]->left[k].base, workers[i]->left[k].id, path);
                        delete_in(path, &expected);
                }
        monitor_stop(&m);
        check(&m, &expected);
        ck_assert_uint_eq(record_count_status(m.output_path, "loss"), 0);
        ck_assert_uint_eq(record_count_status(m.output_path, "coverage"), 1);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, nothing_is_missed_or_doubled, 0,
                            sizeof(kinds) / sizeof(kinds[0]));
}

int main(void) {
        return harness_main("directories-walk", add_tests);
}
