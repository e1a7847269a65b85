/* SPDX-License-Identifier: MIT */

/*
 * Must hold 3: what is deleted through io_uring is told once, with the process that asked for it,
 * whoever of its threads or of the kernel's does the work.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "ring.h"
#include "truth.h"

#define N_FILES 40
#define EXIT_UNSUPPORTED 77

static const struct {
        const char *name;
        unsigned setup_flags, sqe_flags;
        bool is_alive;     /* when its records are written */
        bool is_inherited; /* its parent made the ring */
} modes[] = {
        {"plain", 0, 0, false, false},
        {"plain, alive", 0, 0, true, false},
        {"by a worker", 0, IOSQE_ASYNC, false, false},
        {"by a worker, alive", 0, IOSQE_ASYNC, true, false},
        {"by the polling thread", IORING_SETUP_SQPOLL, 0, false, false},
        {"by the polling thread, alive", IORING_SETUP_SQPOLL, 0, true, false},
        {"by the polling thread's worker", IORING_SETUP_SQPOLL, IOSQE_ASYNC, false, false},
        {"through the parent's ring", 0, 0, false, true},
};

#define N_MODES (sizeof(modes) / sizeof(*modes))

typedef struct Work {
        size_t mode;
        char *files[N_FILES]; /* unlinked */
        char *directory;      /* removed */
        char *from, *to;      /* moved */
        Ring ring;            /* of the parent */
} Work;

static Work prepare(const Filesystem *fs, size_t mode) {
        Work w = {.mode = mode,
                  .directory = harness_format("%s/directory", fs->path),
                  .from = harness_format("%s/from", fs->path),
                  .to = harness_format("%s/to", fs->path)};

        for (size_t i = 0; i < N_FILES; i++) {
                w.files[i] = harness_format("%s/file-%02zu", fs->path, i);
                harness_touch(w.files[i]);
        }
        harness_mkdir(w.directory);
        harness_touch(w.from);
        return w;
}

static void submit_unlink(const Work *w, Ring *r, const char *path, unsigned unlink_flags) {
        ring_submit(r, &(struct io_uring_sqe){.opcode = IORING_OP_UNLINKAT,
                                              .flags = (uint8_t)modes[w->mode].sqe_flags,
                                              .fd = AT_FDCWD,
                                              .addr = (uintptr_t)path,
                                              .unlink_flags = unlink_flags});
}

static void submit_rename(const Work *w, Ring *r, const char *from, const char *to) {
        ring_submit(r, &(struct io_uring_sqe){.opcode = IORING_OP_RENAMEAT,
                                              .flags = (uint8_t)modes[w->mode].sqe_flags,
                                              .fd = AT_FDCWD,
                                              .addr = (uintptr_t)from,
                                              .len = (uint32_t)AT_FDCWD,
                                              .addr2 = (uintptr_t)to});
}

static void delete_all(void *work) {
        Work *w = work;
        bool is_inherited = modes[w->mode].is_inherited;
        Ring r = is_inherited ? w->ring : ring_new(modes[w->mode].setup_flags);

        for (size_t i = 0; i < N_FILES; i++)
                submit_unlink(w, &r, w->files[i], 0);
        submit_unlink(w, &r, w->directory, AT_REMOVEDIR);
        submit_rename(w, &r, w->from, w->to);
        if (!ring_complete(&r))
                _exit(EXIT_UNSUPPORTED);
        if (modes[w->mode].is_alive)
                harness_sleep(0.3);
}

static void wait_for_deleter(pid_t pid) {
        int status = process_wait(pid, 20);

        if (status == EXIT_UNSUPPORTED)
                harness_skip("io_uring of this kernel cannot delete (IORING_OP_UNLINKAT)");
        ck_assert_int_eq(status, 0);
}

START_TEST(deletions_through_a_ring) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Work w = prepare(&fs, (size_t)_i);
        Process p = process_fork_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m;

        harness_note("%s", modes[_i].name);
        close(ring_new(0).fd); /* skips */
        if (modes[_i].is_inherited)
                w.ring = ring_new(modes[_i].setup_flags);
        m = monitor_start(MONITOR_ARGS(fs.path));
        p.pid = process_fork(delete_all, &w);
        wait_for_deleter(p.pid);
        for (size_t i = 0; i < N_FILES; i++)
                truth_add(&t, "unlink", w.files[i], &p)->type = "file";
        truth_add(&t, "rmdir", w.directory, &p)->type = "dir";
        truth_add_move(&t, w.from, w.to, &p);
        truth_check(&t, &m, 0);
}
END_TEST

static void submit_and_end(void *work) {
        Work *w = work;
        Ring r = ring_new(modes[w->mode].setup_flags);

        for (size_t i = 0; i < N_FILES; i++)
                submit_unlink(w, &r, w->files[i], 0);
}

/* It does not wait: some are deleted while it ends, and some may not be. */
START_TEST(a_submitter_that_ends_at_once) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Work w = prepare(&fs, (size_t)_i);
        Process p = process_fork_truth();
        _cleanup_truth_ Truth t = {0};
        Monitor m;

        harness_note("%s", modes[_i].name);
        close(ring_new(0).fd); /* skips */
        m = monitor_start(MONITOR_ARGS(fs.path));
        p.pid = process_fork(submit_and_end, &w);
        wait_for_deleter(p.pid);
        harness_sleep(0.2); /* the kernel may still be at it */
        for (size_t i = 0; i < N_FILES; i++)
                if (access(w.files[i], F_OK) < 0)
                        truth_add(&t, "unlink", w.files[i], &p);
        harness_note("%zu of %d deleted", t.n_items, N_FILES);
        truth_check(&t, &m, 0);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, deletions_through_a_ring, 0, N_MODES);
        tcase_add_loop_test(tcase, a_submitter_that_ends_at_once, 0, N_MODES - 1);
}

int main(void) {
        return harness_main("io_uring", add_tests);
}
