/* SPDX-License-Identifier: MIT */

/*
 * Overlays: what is deleted in the merged tree is told once, by its path there; seen from the
 * writable layer alone it is told by its path in that, and nothing of what overlayfs does for
 * itself.
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
#include "record.h"
#include "truth.h"

/* For what is new in the merged tree to be marked. */
#define SETTLE_SEC 0.3

static void make(const char *base, const char *name, bool is_directory) {
        _cleanup_free_ char *path = harness_format("%s/%s", base, name);

        if (is_directory)
                harness_mkdir(path);
        else
                harness_touch(path);
}

static void fill_lower(const Filesystem *fs) {
        make(fs->lower, "file", false);
        make(fs->lower, "changed", false);
        make(fs->lower, "touched", false);
        make(fs->lower, "removed", false);
        make(fs->lower, "removed-too", false);
        make(fs->lower, "switched", false);
        make(fs->lower, "dir", true);
        make(fs->lower, "dir/a", false);
        make(fs->lower, "dir/sub", true);
        make(fs->lower, "dir/sub/b", false);
        make(fs->lower, "changed-dir", true);
        make(fs->lower, "moved", true);
        make(fs->lower, "moved/in", false);
        make(fs->lower, "moved/later", false);
}

/* What happens in the merged tree, and where it is to be told of. */
typedef struct Play {
        const Filesystem *fs;
        const char *seen;
        Truth t;
        Process own;
} Play;

static void gone(Play *p, const char *action, const char *name) {
        _cleanup_free_ char *path = harness_format("%s/%s", p->fs->path, name);
        _cleanup_free_ char *seen = harness_format("%s/%s", p->seen, name);
        bool is_directory = strcmp(action, "rmdir") == 0;

        harness_assert((is_directory ? rmdir(path) : unlink(path)) == 0, "%s %s: %m", action, path);
        truth_add(&p->t, action, seen, &p->own)->type = is_directory ? "dir" : "file";
}

static void moved(Play *p, const char *name, const char *new_name) {
        _cleanup_free_ char *from = harness_format("%s/%s", p->fs->path, name);
        _cleanup_free_ char *to = harness_format("%s/%s", p->fs->path, new_name);
        _cleanup_free_ char *seen = harness_format("%s/%s", p->seen, name);
        _cleanup_free_ char *seen_to = harness_format("%s/%s", p->seen, new_name);

        harness_assert(rename(from, to) == 0, "rename %s: %m", from);
        truth_add_move(&p->t, seen, seen_to, &p->own);
}

static void write_to(const Play *p, const char *name) {
        _cleanup_free_ char *path = harness_format("%s/%s", p->fs->path, name);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

        harness_assert(fd >= 0 && write(fd, "x", 1) == 1, "%s: %m", path);
}

/* Where something was removed before, a whiteout is, which only overlayfs sees. */
static void to_where_whiteouts_are(Play *p) {
        gone(p, "unlink", "removed");
        gone(p, "unlink", "removed-too");
        make(p->fs->path, "new", false);
        moved(p, "new", "removed");
        /* The whiteout goes the other way, since the lower layer has one of that name, too. */
        moved(p, "switched", "removed-too");
        gone(p, "unlink", "removed-too");
        /* The same with a directory, and the whiteout is deleted. */
        gone(p, "unlink", "removed");
        make(p->fs->path, "new-dir", true);
        moved(p, "new-dir", "removed");
        gone(p, "rmdir", "removed");
}

static void play(Play *p, bool has_redirect) {
        make(p->fs->path, "upper", false);
        gone(p, "unlink", "upper");
        gone(p, "unlink", "file");
        /* In the place of its whiteout. */
        make(p->fs->path, "file", false);
        gone(p, "unlink", "file");
        write_to(p, "changed");
        gone(p, "unlink", "changed");
        /* Copied up, and that is no deletion. */
        write_to(p, "touched");
        moved(p, "touched", "changed-dir/touched");
        gone(p, "unlink", "changed-dir/touched");
        gone(p, "rmdir", "changed-dir");
        to_where_whiteouts_are(p);
        gone(p, "unlink", "dir/sub/b");
        gone(p, "rmdir", "dir/sub");
        gone(p, "unlink", "dir/a");
        gone(p, "rmdir", "dir");
        /* Opaque, since there is one of this name below. */
        make(p->fs->path, "dir", true);
        harness_sleep(SETTLE_SEC);
        make(p->fs->path, "dir/new", false);
        gone(p, "unlink", "dir/new");
        gone(p, "rmdir", "dir");
        gone(p, "unlink", "moved/in");
        if (has_redirect) {
                moved(p, "moved", "redirected");
                gone(p, "unlink", "redirected/later");
                gone(p, "rmdir", "redirected");
        }
}

static const struct {
        FsKind kind;
        const char *options, *marks;
} ways[] = {
        {FS_OVERLAY, NULL, "--marks=auto"},
        {FS_OVERLAY, "redirect_dir=on", "--marks=auto"},
        {FS_OVERLAY, "redirect_dir=on,metacopy=on", "--marks=auto"},
        /* With one mark, removed directories of a lower layer cannot be found out there. */
        {FS_OVERLAY_EXPORT, "redirect_dir=on", "--marks=directories"},
};
#define N_WAYS ((int)(sizeof(ways) / sizeof(ways[0])))

static Filesystem overlay_of(int i) {
        Filesystem fs = fs_prepare_overlay(ways[i].kind, "overlay");

        fill_lower(&fs);
        fs_mount_overlay(&fs, ways[i].options);
        return fs;
}

START_TEST(by_the_merged_path) {
        Filesystem fs = overlay_of(_i);
        Play p = {
                .fs = &fs, .seen = fs.path, .t = {.is_ordered = true}, .own = process_own_truth()};
        Monitor m = monitor_start(MONITOR_ARGS(ways[_i].marks, fs.path));

        play(&p, ways[_i].options);
        truth_check(&p.t, &m, 0);
        truth_done(&p.t);
}
END_TEST

/* The layers lie in what is watched, too. */
START_TEST(once_beside_its_layers) {
        Filesystem fs = overlay_of(_i);
        Play p = {
                .fs = &fs, .seen = fs.path, .t = {.is_ordered = true}, .own = process_own_truth()};
        _cleanup_free_ char *other = harness_path("other");
        Monitor m = monitor_start(MONITOR_ARGS(ways[_i].marks, harness_work()));

        play(&p, ways[_i].options);
        harness_touch(other);
        harness_unlink(other);
        p.t.is_ordered = false;
        truth_add(&p.t, "unlink", other, &p.own);
        truth_check(&p.t, &m, 0);
        truth_done(&p.t);
}
END_TEST

START_TEST(by_the_upper_path) {
        Filesystem fs = overlay_of(_i);
        Play p = {
                .fs = &fs, .seen = fs.upper, .t = {.is_ordered = true}, .own = process_own_truth()};
        Monitor m = monitor_start(MONITOR_ARGS(fs.upper, fs.work));

        play(&p, ways[_i].options);
        truth_check(&p.t, &m, 0);
        truth_done(&p.t);
}
END_TEST

/* All is over before the first event is read. */
START_TEST(by_the_upper_path_read_late) {
        Filesystem fs = overlay_of(_i);
        Play p = {
                .fs = &fs, .seen = fs.upper, .t = {.is_ordered = true}, .own = process_own_truth()};
        Monitor m = monitor_start(MONITOR_ARGS(fs.upper, fs.work));

        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        play(&p, ways[_i].options);
        ck_assert_int_eq(kill(m.pid, SIGCONT), 0);
        truth_check(&p.t, &m, 0);
        truth_done(&p.t);
}
END_TEST

/* Who calls his files so is no overlayfs. */
START_TEST(names_like_those_of_overlayfs) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {.is_ordered = true};
        _cleanup_free_ char *work = harness_format("%s/work", fs.path);
        _cleanup_free_ char *name = harness_format("%s/#1f", work);
        _cleanup_free_ char *to = harness_format("%s/name", fs.path);
        Monitor m;

        harness_mkdir(work);
        m = monitor_start(MONITOR_ARGS(fs.path));
        harness_touch(name);
        harness_unlink(name);
        truth_add(&t, "unlink", name, &own);
        harness_touch(name);
        harness_assert(rename(name, to) == 0, "rename: %m");
        truth_add_move(&t, name, to, &own);
        truth_check(&t, &m, 0);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, by_the_merged_path, 0, N_WAYS);
        tcase_add_loop_test(tcase, once_beside_its_layers, 0, N_WAYS);
        tcase_add_loop_test(tcase, by_the_upper_path, 0, N_WAYS);
        tcase_add_loop_test(tcase, by_the_upper_path_read_late, 0, N_WAYS);
        tcase_add_test(tcase, names_like_those_of_overlayfs);
}

int main(void) {
        return harness_main("overlay", add_tests);
}
