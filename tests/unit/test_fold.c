/* SPDX-License-Identifier: MIT */

/* Storms in few records: whatever comes in whatever order, the sums are those of what was put. */

#include "sink/fold.h"

#include <stdio.h>
#include <string.h>

#include "fixtures_deleter.h"

#define SEC UINT64_C(1000000000)
#define N_PROCESSES 6

static Fold *fold;
static Deleter *deleters[N_PROCESSES + FOLD_PROCESSES_MAX * 2];
static uint64_t tickets;

static void setup(void) {
        ProcessFactsParts p = fixture_parts();

        tickets = 0;
        ck_assert_int_eq(fold_new(3, &fold), 0);
        for (size_t i = 0; i < sizeof(deleters) / sizeof(deleters[0]); i++)
                deleters[i] = fixture_deleter(i + 1, ATTRIBUTION_LIVE, i + 1, &p, NULL);
}

static void teardown(void) {
        fold = fold_free(fold);
        for (size_t i = 0; i < sizeof(deleters) / sizeof(deleters[0]); i++) {
                ck_assert_uint_eq(deleters[i]->n_refs, 1);
                deleters[i] = deleter_unref(deleters[i]);
        }
        ck_assert_ptr_null(fold_free(NULL));
}

static int take(size_t process, uint64_t at_nsec, const char *directory, const char *name,
                RecordAction action) {
        const Record r = {
                .action = action,
                .realtime_nsec = at_nsec,
                .key = {.stream = 1, .position = tickets},
                .path = {.directory = directory,
                         .n_directory = directory ? strlen(directory) : 0,
                         .name = name,
                         .n_name = strlen(name)},
                .is_directory = action == RECORD_RMDIR,
                .deleter = deleters[process],
        };

        return fold_take(fold, &r, at_nsec, ++tickets);
}

static void expect_fold(const Record *r, uint64_t n_files, uint64_t n_directories,
                        const char *directory, const char *first, const char *last) {
        const RecordFold *f = r->fold;

        ck_assert_int_eq(r->action, RECORD_FOLD);
        ck_assert_uint_eq(f->n_entries, n_files + n_directories);
        ck_assert_uint_eq(f->n_files, n_files);
        ck_assert_uint_eq(f->n_directories, n_directories);
        ck_assert_uint_eq(f->n_common_directory, directory ? strlen(directory) : 0);
        if (directory)
                ck_assert_mem_eq(f->common_directory, directory, f->n_common_directory);
        ck_assert_uint_eq(f->n_first, strlen(first));
        ck_assert_mem_eq(f->first, first, f->n_first);
        ck_assert_uint_eq(f->n_last, strlen(last));
        ck_assert_mem_eq(f->last, last, f->n_last);
}

START_TEST(test_second) {
        Record r;

        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(take(0, SEC + (uint64_t)i, "/a", "x", RECORD_UNLINK), 0);
        ck_assert_uint_eq(fold_oldest_ticket(fold), UINT64_MAX);
        ck_assert_uint_eq(fold_due_nsec(fold), UINT64_MAX);
        ck_assert_int_eq(take(0, SEC + 10, "/a/b", "1", RECORD_UNLINK), 1);
        ck_assert_uint_eq(fold_oldest_ticket(fold), 4);
        ck_assert_int_eq(take(0, SEC + 20, "/a", "b", RECORD_RMDIR), 1);
        ck_assert_int_eq(take(0, SEC + 30, "/a", "c", RECORD_MOVE), 1);
        ck_assert_int_eq(take(0, SEC + 40, "/a", "d", RECORD_OVERWRITE), 1);
        ck_assert_uint_eq(fold_due_nsec(fold), 2 * SEC + 40);
        ck_assert_int_eq(fold_next(fold, 0, &r), 0);
        ck_assert_int_eq(fold_next(fold, 2 * SEC + 39, &r), 0);
        ck_assert_int_eq(fold_next(fold, 2 * SEC + 40, &r), 1);
        expect_fold(&r, 3, 1, "/a", "/a/b/1", "/a/d");
        ck_assert_uint_eq(r.fold->n_moves, 1);
        ck_assert_uint_eq(r.fold->n_overwrites, 1);
        ck_assert_uint_eq(r.fold->since_nsec, SEC + 10);
        ck_assert_uint_eq(r.fold->until_nsec, SEC + 40);
        ck_assert(r.key.is_fold);
        ck_assert_uint_eq(r.key.position, 3);
        ck_assert_ptr_eq(r.deleter, deleters[0]);
        ck_assert_int_eq(fold_next(fold, UINT64_MAX, &r), 0);
        ck_assert_uint_eq(fold_oldest_ticket(fold), UINT64_MAX);
}
END_TEST

/* The next second's first one is told behind the fold of the one before. */
START_TEST(test_next_second) {
        Record r;

        for (int i = 0; i < 4; i++)
                ck_assert_int_eq(take(0, SEC, "/a", "x", RECORD_UNLINK), i == 3);
        ck_assert_int_eq(take(0, 2 * SEC, "/a", "y", RECORD_UNLINK), 0);
        ck_assert_int_eq(fold_next(fold, 0, &r), 1);
        expect_fold(&r, 1, 0, "/a", "/a/x", "/a/x");
        ck_assert_int_eq(fold_next(fold, 0, &r), 0);
        /* That one counts for the new second; the clock set back begins another. */
        ck_assert_int_eq(take(0, 2 * SEC + 1, "/a", "y", RECORD_UNLINK), 0);
        ck_assert_int_eq(take(0, 2 * SEC + 2, "/a", "y", RECORD_UNLINK), 0);
        ck_assert_int_eq(take(0, 2 * SEC + 3, "/a", "y", RECORD_UNLINK), 1);
        ck_assert_int_eq(take(0, 7, "/a", "z", RECORD_UNLINK), 0);
        ck_assert_int_eq(fold_next(fold, 0, &r), 1);
        expect_fold(&r, 1, 0, "/a", "/a/y", "/a/y");
}
END_TEST

/* Another program in the same process: nothing of it is said of the one before. */
START_TEST(test_another_program) {
        ProcessFactsParts p = fixture_parts();
        Deleter *before = deleters[0], *other;
        Record r;

        for (int i = 0; i < 4; i++)
                (void)take(0, SEC, "/a", "x", RECORD_UNLINK);
        fixture_set_executable(&p, "/bin/other");
        other = fixture_deleter(1000, ATTRIBUTION_LIVE, 1, &p, NULL);
        deleters[0] = other;
        ck_assert_int_eq(take(0, SEC + 1, "/a", "y", RECORD_UNLINK), 0);
        ck_assert_int_eq(fold_next(fold, 0, &r), 1);
        ck_assert_ptr_eq(r.deleter, before);
        expect_fold(&r, 1, 0, "/a", "/a/x", "/a/x");
        ck_assert_int_eq(take(0, SEC + 2, "/a", "z", RECORD_UNLINK), 1);
        ck_assert_int_eq(fold_next(fold, UINT64_MAX, &r), 1);
        ck_assert_ptr_eq(r.deleter, other);
        ck_assert_int_eq(fold_next(fold, UINT64_MAX, &r), 0);
        deleters[0] = before;
        deleter_unref(other);
}
END_TEST

static const struct {
        const char *directories[4], *common;
} commons[] = {
        {{"/a/b", "/a/b", NULL}, "/a/b"},
        {{"/a/b", "/a/bc", NULL}, "/a"},
        {{"/a/bc", "/a/b", NULL}, "/a"},
        {{"/a/b/c", "/a/b", NULL}, "/a/b"},
        {{"/a", "/b", NULL}, "/"},
        {{"/", "/b", NULL}, "/"},
        {{"/a/b/c", "/a/b/d", "/a/x"}, "/a"},
        {{"/a", "/a/b/c", "/a/b"}, "/a"},
};

START_TEST(test_common_directory) {
        Record r;

        for (int i = 0; i < 3; i++)
                (void)take(0, SEC, "/zzz", "x", RECORD_UNLINK);
        for (size_t i = 0; commons[_i].directories[i]; i++)
                ck_assert_int_eq(take(0, SEC, commons[_i].directories[i], "x", RECORD_UNLINK), 1);
        ck_assert_int_eq(take(0, SEC, NULL, "name", RECORD_UNLINK), 1);
        ck_assert_int_eq(fold_next(fold, UINT64_MAX, &r), 1);
        ck_assert_uint_eq(r.fold->n_common_directory, strlen(commons[_i].common));
        ck_assert_mem_eq(r.fold->common_directory, commons[_i].common, r.fold->n_common_directory);
        ck_assert_uint_eq(r.fold->n_last, 4);
        ck_assert_mem_eq(r.fold->last, "name", 4);
}
END_TEST

START_TEST(test_unknown) {
        Record r;

        deleters[0]->process.serial = 0;
        for (int i = 0; i < 20; i++)
                ck_assert_int_eq(take(0, SEC, NULL, "x", RECORD_UNLINK), 0);
        for (int i = 0; i < 4; i++)
                (void)take(1, SEC, NULL, "x", RECORD_UNLINK);
        ck_assert_int_eq(fold_next(fold, UINT64_MAX, &r), 1);
        expect_fold(&r, 1, 0, NULL, "x", "x");
}
END_TEST

typedef struct Sums {
        uint64_t n_entries, n_files, n_directories, n_moves, n_overwrites;
} Sums;

static void add_fold(Sums *s, const Record *r) {
        ck_assert_uint_ge(r->fold->n_entries, 1);
        ck_assert_uint_lt(r->fold->until_nsec - r->fold->since_nsec, 2 * SEC);
        s[r->deleter->process.serial].n_entries += r->fold->n_entries;
        s[r->deleter->process.serial].n_files += r->fold->n_files;
        s[r->deleter->process.serial].n_directories += r->fold->n_directories;
        s[r->deleter->process.serial].n_moves += r->fold->n_moves;
        s[r->deleter->process.serial].n_overwrites += r->fold->n_overwrites;
}

static void add_one(Sums *s, RecordAction action) {
        s->n_entries++;
        s->n_files += action != RECORD_RMDIR;
        s->n_directories += action == RECORD_RMDIR;
        s->n_moves += action == RECORD_MOVE;
        s->n_overwrites += action == RECORD_OVERWRITE;
}

/* Random storms of few and of many processes, with pauses, looks and clocks that jump. */
START_TEST(test_sums) {
        static const RecordAction actions[] = {RECORD_UNLINK, RECORD_RMDIR, RECORD_MOVE,
                                               RECORD_OVERWRITE};
        const size_t n_processes = _i % 2 ? N_PROCESSES : FOLD_PROCESSES_MAX * 2;
        const size_t n_all = sizeof(deleters) / sizeof(deleters[0]) + 1;
        Sums *put = calloc(n_all, sizeof(*put)), *got = calloc(n_all, sizeof(*got));
        uint64_t now = 100 * SEC;
        uint64_t n_folds = 0;
        Record r;

        srandom((unsigned)_i + 1);
        for (int i = 0; i < 50000; i++) {
                size_t process = (size_t)random() % n_processes;
                RecordAction action = actions[random() % 4];
                int is_taken;

                now += (uint64_t)random() % (_i % 3 == 0 ? 100 * 1000 : 10 * 1000 * 1000);
                if (random() % 5000 == 0)
                        now += random() % 2 ? 5 * SEC : (uint64_t)-3 * SEC;
                is_taken = take(process, now, "/a", "x", action);
                add_one(&put[process + 1], action);
                if (is_taken == 0) {
                        while (fold_next(fold, 0, &r) > 0) {
                                add_fold(got, &r);
                                n_folds++;
                        }
                        add_one(&got[process + 1], action);
                } else {
                        ck_assert_uint_le(fold_oldest_ticket(fold), tickets);
                }
                while (random() % 100 == 0 && fold_next(fold, now, &r) > 0)
                        add_fold(got, &r);
        }
        while (fold_next(fold, UINT64_MAX, &r) > 0)
                add_fold(got, &r);
        ck_assert_uint_eq(fold_oldest_ticket(fold), UINT64_MAX);
        ck_assert_mem_eq(put, got, n_all * sizeof(*put));
        ck_assert(n_processes > N_PROCESSES || n_folds > 0);
        free(put);
        free(got);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("fold");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_second);
        tcase_add_test(tcase, test_next_second);
        tcase_add_test(tcase, test_another_program);
        tcase_add_loop_test(tcase, test_common_directory, 0, sizeof(commons) / sizeof(commons[0]));
        tcase_add_test(tcase, test_unknown);
        tcase_add_loop_test(tcase, test_sums, 0, 12);
        return unit_run("fold", tcase);
}
