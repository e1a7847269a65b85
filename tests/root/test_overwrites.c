/* SPDX-License-Identifier: MIT */

/*
 * What a rename destroys: one record of what is lost, and never one where nothing was.
 */

#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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
        Truth truth;
} Place;

static Place make_place(FsKind kind) {
        Place p = {.fs = fs_new(kind, "fs"), .own = process_own_truth()};

        p.watched = harness_format("%s/watched", p.fs.path);
        p.outside = harness_format("%s/outside", p.fs.path);
        harness_mkdir(p.watched);
        harness_mkdir(p.outside);
        return p;
}

static char *in(const Place *p, const char *name) {
        return harness_format("%s/%s", p->watched, name);
}

static uint64_t inode_of(const char *path) {
        struct stat st;

        harness_assert(lstat(path, &st) == 0, "%s: %m", path);
        return st.st_ino;
}

static void add_overwrite(Truth *t, const char *lost, const char *by, uint64_t inode,
                          const Process *own, bool is_directory) {
        TruthItem *item = truth_add(t, "overwrite", lost, own);

        item->target = strdup(by);
        item->inode = inode;
        item->type = is_directory ? "dir" : "file";
}

/* Renames over something, and writes down what that was. */
static void replace(Place *p, const char *from, const char *to) {
        struct stat st;

        harness_assert(lstat(to, &st) == 0, "%s: %m", to);
        harness_assert(rename(from, to) == 0, "rename %s %s: %m", from, to);
        add_overwrite(&p->truth, to, from, st.st_ino, &p->own, S_ISDIR(st.st_mode));
}

static void move(Place *p, const char *from, const char *to) {
        uint64_t inode = inode_of(from);

        harness_assert(rename(from, to) == 0, "rename %s %s: %m", from, to);
        truth_add_move(&p->truth, from, to, &p->own)->inode = inode;
}

static void unlink_it(Place *p, const char *path) {
        uint64_t inode = inode_of(path);

        harness_unlink(path);
        truth_add(&p->truth, "unlink", path, &p->own)->inode = inode;
}

static void link_it(const char *from, const char *to) {
        harness_assert(link(from, to) == 0, "link %s %s: %m", from, to);
}

/* Long enough that all before has been read, so that nothing after is merged into it. */
static void settle(void) {
        harness_sleep(0.2);
}

/* Everything of the table that is not a plain deletion, read one by one or all at once. */
static void do_operations(Place *p, void (*pause)(void)) {
        char *a = in(p, "a"), *b = in(p, "b"), *c = in(p, "c"), *d = in(p, "d"), *e = in(p, "e");
        char *out = harness_format("%s/out", p->outside), *dir = in(p, "dir"),
             *dir2 = in(p, "dir2");
        int fd;

        harness_touch(a);
        harness_touch(b);
        replace(p, a, b); /* the last name */
        pause();
        harness_touch(a);
        harness_touch(c);
        process_run(PROCESS_ARGS("ln", c, d)); /* by this process it is merged with the loss */
        replace(p, a, c);                      /* d is left */
        settle();                              /* else its second loss is merged with the first */
        harness_touch(a);
        fd = open(d, O_RDONLY | O_CLOEXEC);
        replace(p, a, d); /* still open */
        pause();
        close(fd);
        pause();
        move(p, b, e); /* nothing lost, and then a link */
        link_it(c, b);
        pause();
        move(p, e, a); /* and moved again right away */
        unlink_it(p, b);
        pause();
        harness_assert(syscall(SYS_renameat2, -1, a, -1, c, RENAME_EXCHANGE) == 0, "%m");
        truth_add_move(&p->truth, a, c, &p->own);
        truth_add_move(&p->truth, c, a, &p->own);
        pause();
        harness_mkdir(dir);
        harness_mkdir(dir2);
        replace(p, dir, dir2); /* an empty directory */
        pause();
        harness_mkdir(dir);
        fd = open(dir2, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        replace(p, dir, dir2); /* one that is open */
        pause();
        close(fd);
        ck_assert_int_eq(chmod(dir2, 0700), 0);
        move(p, dir2, dir);
        ck_assert_int_eq(chmod(p->outside, 0700), 0);
        pause();
        fd = open(p->watched, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        harness_assert(fd >= 0, "O_TMPFILE: %m");
        close(fd);
        pause();
        harness_touch(out);
        replace(p, out, d); /* from elsewhere */
        pause();
        harness_touch(out);
        move(p, d, out); /* what it destroys is not watched */
        ck_assert_int_eq(chmod(a, 0600), 0);
        unlink_it(p, a);
}

static void no_pause(void) {
}

START_TEST(each_operation) {
        Place p = make_place((FsKind)_i);
        Monitor m = monitor_start(MONITOR_ARGS(p.watched));

        do_operations(&p, settle);
        truth_check(&p.truth, &m, 0);
}
END_TEST

START_TEST(all_operations_at_once) {
        Place p = make_place((FsKind)_i);
        Monitor m = monitor_start(MONITOR_ARGS(p.watched));

        do_operations(&p, no_pause);
        truth_check(&p.truth, &m, 0);
}
END_TEST

/* Each over the one before: the kernel merges the loss of one with its arrival. */
START_TEST(one_name_again_and_again) {
        Place p = make_place((FsKind)_i);
        const size_t n = harness_scale(3000, 100);
        char *to = in(&p, "name");
        Monitor m;

        harness_touch(to);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *from = harness_format("%s/%zu", p.outside, i);

                harness_touch(from);
        }
        m = monitor_start(MONITOR_ARGS(p.watched));
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *from = harness_format("%s/%zu", p.outside, i);

                if (i == n / 2)
                        settle();
                replace(&p, from, to);
        }
        truth_check(&p.truth, &m, 0);
}
END_TEST

/* As backups by hard links are turned: every file has other names, before and after. */
START_TEST(links_after_renames) {
        Place p = make_place((FsKind)_i);
        const size_t n = harness_scale(2000, 100);
        Monitor m;

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *old = harness_format("%s/old-%zu", p.watched, i);
                _cleanup_free_ char *other = harness_format("%s/other-%zu", p.watched, i);
                _cleanup_free_ char *new = harness_format("%s/new-%zu", p.watched, i);

                harness_touch(old);
                link_it(old, other);
                harness_touch(new);
        }
        m = monitor_start(MONITOR_ARGS(p.watched));
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *old = harness_format("%s/old-%zu", p.watched, i);
                _cleanup_free_ char *other = harness_format("%s/other-%zu", p.watched, i);
                _cleanup_free_ char *third = harness_format("%s/third-%zu", p.watched, i);
                _cleanup_free_ char *new = harness_format("%s/new-%zu", p.watched, i);

                if (i % 2) {
                        replace(&p, new, old);
                } else {
                        move(&p, new, third);
                        link_it(other, new);
                }
        }
        truth_check(&p.truth, &m, 0);
}
END_TEST

#define WORKERS 4

typedef struct Worker {
        const Place *place;
        unsigned number;
        size_t n;
        uint64_t *inodes; /* shared: what each rename destroyed; 0 nothing */
} Worker;

/* Which of its own four names the i-th rename of a worker goes from, and to which of all. */
static char *worker_from(const Worker *w, size_t i) {
        return harness_format("%s/%u-%zu", w->place->outside, w->number, i);
}

static char *worker_to(const Worker *w, size_t i) {
        return harness_format("%s/%u-%zu", w->place->watched, w->number, i % 3 ? i : i / 9 * 3);
}

static void work(void *userdata) {
        const Worker *w = userdata;

        for (size_t i = 0; i < w->n; i++) {
                _cleanup_free_ char *from = worker_from(w, i), *to = worker_to(w, i);
                struct stat st;

                w->inodes[i] = lstat(to, &st) == 0 ? st.st_ino : 0;
                harness_assert(rename(from, to) == 0, "rename %s %s: %m", from, to);
                if (i % 5 == 0) {
                        _cleanup_free_ char *extra = harness_format("%s.link", from);

                        link_it(to, extra);
                }
        }
}

static void add_work(Truth *t, const Worker *w, const Process *process) {
        for (size_t i = 0; i < w->n; i++) {
                _cleanup_free_ char *from = worker_from(w, i), *to = worker_to(w, i);

                if (w->inodes[i])
                        add_overwrite(t, to, from, w->inodes[i], process, false);
                else
                        truth_add_move(t, from, to, process);
        }
}

/* Four processes at once, some of them onto the same names, with links in between. */
START_TEST(four_processes) {
        Place p = make_place((FsKind)_i);
        const size_t n = harness_scale(2500, 100);
        Worker workers[WORKERS];
        Process processes[WORKERS];
        pid_t pids[WORKERS];
        Monitor m;

        for (unsigned k = 0; k < WORKERS; k++) {
                workers[k] = (Worker){
                        .place = &p,
                        .number = k,
                        .n = n,
                        .inodes = process_shared_alloc(n * sizeof(uint64_t)),
                };
                for (size_t i = 0; i < n; i++) {
                        _cleanup_free_ char *from = worker_from(&workers[k], i);
                        _cleanup_free_ char *to = worker_to(&workers[k], i);

                        harness_touch(from);
                        if (i % 3 == 1)
                                harness_touch(to);
                }
        }
        m = monitor_start(MONITOR_ARGS(p.watched));
        for (unsigned k = 0; k < WORKERS; k++)
                pids[k] = process_fork(work, &workers[k]);
        for (unsigned k = 0; k < WORKERS; k++) {
                ck_assert_int_eq(process_wait(pids[k], 60), 0);
                processes[k] = process_fork_truth();
                processes[k].pid = pids[k];
                add_work(&p.truth, &workers[k], &processes[k]);
        }
        truth_check(&p.truth, &m, 0);
}
END_TEST

/* --- which are told --- */

typedef struct Choice {
        const char *option;
        bool has_move, has_overwrite, has_replaced_as_move;
} Choice;

static const Choice choices[] = {
        {"--action=unlink,rmdir,move,overwrite", true, true, false},
        {"--action=overwrite", false, true, false},
        {"--action=move", true, false, true},
        {"--action=unlink", false, false, false},
        {"--no-overwrites", true, false, false},
};

START_TEST(which_are_told) {
        const Choice *choice = &choices[_i];
        Place p = make_place(FS_TMPFS);
        Monitor m = monitor_start(MONITOR_ARGS(choice->option, p.watched));
        char *a = in(&p, "a"), *b = in(&p, "b"), *c = in(&p, "c");

        harness_touch(a);
        harness_touch(b);
        ck_assert_int_eq(rename(a, b), 0);
        ck_assert_int_eq(rename(b, c), 0);
        if (choice->has_overwrite)
                truth_add(&p.truth, "overwrite", b, &p.own)->target = strdup(a);
        if (choice->has_replaced_as_move)
                truth_add_move(&p.truth, a, b, &p.own);
        if (choice->has_move)
                truth_add_move(&p.truth, b, c, &p.own);
        truth_check(&p.truth, &m, 0);
}
END_TEST

/* A path glob is about both ends, an exclusion about what is lost. */
START_TEST(paths_are_both) {
        Place p = make_place(FS_TMPFS);
        Monitor m = monitor_start(
                MONITOR_ARGS("--include=*.new", "--include=*.old", "--exclude=*.bak", p.watched));
        char *a = in(&p, "a.new"), *b = in(&p, "b"), *c = in(&p, "c.bak"), *d = in(&p, "d.old");

        harness_touch(a);
        harness_touch(b);
        replace(&p, a, b);
        harness_touch(a);
        harness_touch(c);
        ck_assert_int_eq(rename(a, c), 0);
        harness_touch(d);
        replace(&p, b, d);
        truth_check(&p.truth, &m, 0);
}
END_TEST

/* On rungs without the target a move is all that can be told. */
START_TEST(without_targets) {
        Place p = make_place(FS_TMPFS);
        Monitor m = monitor_start(MONITOR_ARGS("--fan-features=8", p.watched));
        _cleanup_free_ char *errors = monitor_errors(&m);
        char *a = in(&p, "a"), *b = in(&p, "b");

        harness_touch(a);
        harness_touch(b);
        ck_assert_int_eq(rename(a, b), 0);
        truth_add_move(&p.truth, a, b, &p.own);
        truth_check(&p.truth, &m, 0);
        harness_assert(strstr(errors, "what a rename replaces is not told"), "%s", errors);
}
END_TEST

/* --- what --once waits for --- */

/* Does the monitor end because of what was done? */
static bool ends(Monitor *m) {
        for (int i = 0; i < 50; i++) {
                int status;
                pid_t pid = waitpid(m->pid, &status, WNOHANG);

                if (pid == m->pid)
                        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
                harness_sleep(0.01);
        }
        return false;
}

START_TEST(once_is_what_vanished) {
        Place p = make_place(FS_TMPFS);
        char *a = in(&p, "a"), *b = in(&p, "b"), *out = harness_format("%s/c", p.outside);
        Monitor m = monitor_start(MONITOR_ARGS("--once", p.watched));

        harness_touch(a);
        ck_assert_int_eq(rename(a, b), 0); /* within */
        harness_touch(out);
        ck_assert_int_eq(rename(out, a), 0); /* into */
        ck_assert(!ends(&m));
        switch (_i) {
        case 0:
                ck_assert_int_eq(rename(a, b), 0); /* over */
                break;
        case 1:
                ck_assert_int_eq(rename(a, out), 0); /* out of */
                break;
        case 2:
                ck_assert_int_eq(unlink(a), 0);
                break;
        default:
                ck_assert_int_eq(rename(p.watched, out), 0); /* all of it */
                break;
        }
        ck_assert(ends(&m));
        ck_assert_uint_eq(record_count_deletions(m.output_path), 3);
}
END_TEST

/* One of the watched is moved into another: it is no longer where it was waited for. */
START_TEST(once_a_target_moved_into_another) {
        Place p = make_place(FS_TMPFS);
        char *file = harness_format("%s/file", p.outside), *to = in(&p, "file");
        Monitor m;

        harness_touch(file);
        m = monitor_start(MONITOR_ARGS("--once", file, p.watched));
        ck_assert_int_eq(rename(file, to), 0);
        ck_assert(ends(&m));
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, each_operation, 0, FS_KINDS);
        tcase_add_loop_test(tcase, all_operations_at_once, 0, FS_KINDS);
        tcase_add_loop_test(tcase, one_name_again_and_again, 0, FS_KINDS);
        tcase_add_loop_test(tcase, links_after_renames, 0, FS_KINDS);
        tcase_add_loop_test(tcase, four_processes, 0, FS_KINDS);
        tcase_add_loop_test(tcase, which_are_told, 0, sizeof(choices) / sizeof(*choices));
        tcase_add_test(tcase, paths_are_both);
        tcase_add_test(tcase, without_targets);
        tcase_add_loop_test(tcase, once_is_what_vanished, 0, 4);
        tcase_add_test(tcase, once_a_target_moved_into_another);
}

int main(void) {
        return harness_main("overwrites", add_tests);
}
