/* SPDX-License-Identifier: MIT */

/*
 * Moves: to whoever looks for it, a file that was moved away is gone. A move within, out of or
 * into what is watched is one record with both names.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/fs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

typedef struct Place {
        Filesystem fs;
        char *watched, *outside;
        Process own;
} Place;

static Place make_place(FsKind kind) {
        Place p = {.fs = fs_new(kind, "fs"), .own = process_own_truth()};

        p.watched = harness_format("%s/watched", p.fs.path);
        p.outside = harness_format("%s/outside", p.fs.path);
        harness_mkdir(p.watched);
        harness_mkdir(p.outside);
        return p;
}

static char *join(const char *dir, const char *name) {
        return harness_format("%s/%s", dir, name);
}

static void move(Truth *t, const char *from, const char *to, const Process *own) {
        harness_assert(rename(from, to) == 0, "rename %s %s: %m", from, to);
        if (t)
                truth_add_move(t, from, to, own);
}

START_TEST(moves_have_both_names) {
        Place p = make_place((FsKind)_i);
        _cleanup_truth_ Truth t = {.is_ordered = true};
        Monitor m = monitor_start(MONITOR_ARGS(p.watched));
        char *a = join(p.watched, "a"), *b = join(p.watched, "b"), *out = join(p.outside, "c");
        char *unseen = join(p.outside, "d"), *dir = join(p.watched, "dir");
        char *dir_out = join(p.outside, "dir-out"), *in_dir = join(dir, "file");

        harness_touch(a);
        move(&t, a, b, &p.own);
        move(&t, b, out, &p.own);
        move(NULL, out, unseen, &p.own); /* neither side is watched */
        move(&t, unseen, a, &p.own);
        harness_unlink(a);
        truth_add(&t, "unlink", a, &p.own);
        harness_mkdir(dir);
        harness_touch(in_dir);
        move(&t, dir, dir_out, &p.own);
        move(&t, dir_out, dir, &p.own);
        harness_unlink(in_dir);
        truth_add(&t, "unlink", in_dir, &p.own);
        truth_check(&t, &m, 0);
}
END_TEST

/* By mv, as people do it: mv is the one who is named. */
START_TEST(mv_is_named) {
        Place p = make_place(FS_TMPFS);
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(p.watched));
        char *a = join(p.watched, "a"), *b = join(p.outside, "b");
        const char *const *args = PROCESS_ARGS("mv", a, b);
        Process mv = process_child_truth(args);

        harness_touch(a);
        mv.pid = process_run(args);
        truth_add_move(&t, a, b, &mv)->type = "file";
        truth_check(&t, &m, 0);
}
END_TEST

/* What was in a directory that moves out is not reported there, and is again when it is back. */
START_TEST(what_moved_out_is_not_watched) {
        Place p = make_place((FsKind)_i);
        _cleanup_truth_ Truth t = {.is_ordered = true};
        Monitor m = monitor_start(MONITOR_ARGS(p.watched));
        char *dir = join(p.watched, "dir"), *out = join(p.outside, "dir");
        char *x = join(dir, "x"), *y_out = join(out, "y"), *y = join(dir, "y"), *z = join(dir, "z");

        harness_mkdir(dir);
        harness_touch(x);
        harness_touch(y);
        harness_touch(z);
        harness_unlink(x);
        truth_add(&t, "unlink", x, &p.own);
        move(&t, dir, out, &p.own);
        harness_unlink(y_out);
        move(&t, out, dir, &p.own);
        harness_unlink(z);
        truth_add(&t, "unlink", z, &p.own);
        truth_check(&t, &m, 0);
}
END_TEST

/*
 * An ancestor of the watched path moves away, and with it everything: one record, of the ancestor.
 * The path means its place: what is deleted elsewhere meanwhile is not reported, what is deleted
 * there after its return is.
 */
START_TEST(an_ancestor_moves) {
        Place p = make_place((FsKind)_i);
        _cleanup_truth_ Truth t = {.is_ordered = true};
        char *above = join(p.fs.path, "above"), *away = join(p.fs.path, "away");
        char *watched = join(above, "watched"), *x = join(watched, "x"), *y = join(watched, "y");
        char *x_away = join(away, "watched/x");
        Monitor m;

        harness_mkdir(above);
        harness_mkdir(watched);
        harness_touch(x);
        harness_touch(y);
        m = monitor_start(MONITOR_ARGS(watched));
        move(&t, above, away, &p.own);
        harness_unlink(x_away);
        move(&t, away, above, &p.own);
        harness_unlink(y);
        truth_add(&t, "unlink", y, &p.own);
        truth_check(&t, &m, 0);
}
END_TEST

/* Two names swapped: both are gone from where they were. */
START_TEST(exchange) {
        Place p = make_place(FS_EXT4);
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS(p.watched));
        char *a = join(p.watched, "a"), *b = join(p.watched, "b");

        harness_touch(a);
        harness_touch(b);
        harness_assert(syscall(SYS_renameat2, -1, a, -1, b, RENAME_EXCHANGE) == 0, "exchange: %m");
        truth_add_move(&t, a, b, &p.own);
        truth_add_move(&t, b, a, &p.own);
        truth_check(&t, &m, 0);
}
END_TEST

START_TEST(only_moves_with_the_filter) {
        Place p = make_place(FS_TMPFS);
        _cleanup_truth_ Truth t = {0};
        Monitor m = monitor_start(MONITOR_ARGS("--action=move", p.watched));
        char *a = join(p.watched, "a"), *b = join(p.watched, "b");

        harness_touch(a);
        move(&t, a, b, &p.own);
        harness_unlink(b);
        truth_check(&t, &m, 0);
}
END_TEST

/* Rungs below FAN_RENAME: with targets and without. */
static const char *const split_rungs[] = {"--fan-features=7", "--fan-features=0"};

/* Records of an action with these names; NULL: it must not have that one. */
static size_t count_records(const Monitor *m, const char *action, const char *path,
                            const char *target) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        struct json_object *record;
        size_t n = 0;

        while ((record = record_next_deletion(&r))) {
                const char *p = record_string(record, "file.path");
                const char *t = record_string(record, "file.target_path");

                n += strcmp(record_string(record, "event.action"), action) == 0 &&
                     strcmp(p ? p : "", path ? path : "") == 0 &&
                     strcmp(t ? t : "", target ? target : "") == 0;
        }
        return n;
}

/*
 * Without FAN_RENAME a move is two events, and what happens to one name while the monitor stands
 * still is one event: a deletion in it must not go with the move.
 */
START_TEST(nothing_is_lost_without_rename) {
        Place p = make_place(FS_TMPFS);
        Monitor m = monitor_start(MONITOR_ARGS(split_rungs[_i], p.watched));
        char *a = join(p.watched, "a"), *b = join(p.watched, "b"), *c = join(p.watched, "c");
        char *out = join(p.outside, "out"), *in = join(p.watched, "in");
        char *dir = join(p.watched, "dir"), *gone = join(p.watched, "gone");

        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        harness_touch(a);
        move(NULL, a, b, &p.own);
        harness_unlink(b); /* moved to and deleted */
        harness_touch(c);
        harness_unlink(c);
        harness_touch(c);
        move(NULL, c, out, &p.own); /* deleted and moved away */
        move(NULL, out, in, &p.own);
        harness_mkdir(dir);
        move(NULL, dir, gone, &p.own);
        ck_assert_int_eq(rmdir(gone), 0);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        monitor_stop(&m);

        ck_assert_uint_eq(count_records(&m, "move", a, NULL), 1);
        ck_assert_uint_eq(count_records(&m, "unlink", b, NULL), 1);
        ck_assert_uint_eq(count_records(&m, "unlink", c, NULL), 1);
        ck_assert_uint_eq(count_records(&m, "move", c, NULL), 1);
        ck_assert_uint_eq(count_records(&m, "move", NULL, in), 1);
        ck_assert_uint_eq(count_records(&m, "move", dir, NULL), 1);
        ck_assert_uint_eq(count_records(&m, "rmdir", gone, NULL), 1);
        ck_assert_uint_eq(record_count_deletions(m.output_path), 7);
}
END_TEST

/* The same in text, whose renderer must not stumble over half a move. */
START_TEST(half_a_move_in_text) {
        Place p = make_place(FS_TMPFS);
        Monitor m = monitor_start_text(MONITOR_ARGS(split_rungs[_i], p.watched));
        char *out = join(p.outside, "out"), *in = join(p.watched, "in");

        harness_sleep(0.3);
        harness_touch(out);
        move(NULL, out, in, &p.own);
        harness_unlink(in);
        monitor_stop(&m);
        ck_assert(monitor_has_output(&m, "move"));
        ck_assert(monitor_has_output(&m, in));
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, moves_have_both_names, 0, FS_KINDS);
        tcase_add_test(tcase, mv_is_named);
        tcase_add_loop_test(tcase, what_moved_out_is_not_watched, 0, FS_KINDS);
        tcase_add_loop_test(tcase, an_ancestor_moves, 0, FS_KINDS);
        tcase_add_test(tcase, exchange);
        tcase_add_test(tcase, only_moves_with_the_filter);
        tcase_add_loop_test(tcase, nothing_is_lost_without_rename, 0, 2);
        tcase_add_loop_test(tcase, half_a_move_in_text, 0, 2);
}

int main(void) {
        return harness_main("moves", add_tests);
}
