/* SPDX-License-Identifier: MIT */

/*
 * Must hold 4, in small: processes by the ten thousand, with deletions among them. The monitor's
 * memory stays flat, and each deletion is told or a loss is. tests/bench/forks.sh does it with a
 * million.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

/* Each hundredth process deletes; see tests/bench/forker.c. */
#define DELETES_EACH 100
#define N_TENTHS 10
/*
 * What the memory may grow from the first tenth to any later one: 30,000 lives that nobody lets go
 * of take 12 MB, and those of two seconds, after which the dead are let go, 1 or 2.
 */
#define GROWTH_BYTES_MAX (6 * 1024 * 1024)

static const char *need(const char *variable) {
        const char *program = getenv(variable);

        harness_assert(program, "%s is not set: run it by meson", variable);
        return program;
}

/* Return: the most that the monitor took after any tenth, less what it took after the first. */
static uint64_t watch_memory(const Monitor *m, FILE *tenths) {
        uint64_t first = 0, most = 0;
        size_t n_started;

        for (int i = 0; i < N_TENTHS; i++) {
                uint64_t rss;

                harness_assert(fscanf(tenths, "%zu", &n_started) == 1, "the forker gave up");
                rss = process_rss_bytes(m->pid);
                if (i == 0)
                        first = rss;
                if (rss > most)
                        most = rss;
                harness_note("%zu processes: %zu KiB", n_started, (size_t)(rss / 1024));
        }
        return most - first;
}

/* By whom: half of them by a child that executes nothing, the other by a program. */
static void tell(Truth *t, const Filesystem *fs, size_t n, pid_t forker) {
        Process *forked = calloc(1, sizeof(*forked)), *program = calloc(1, sizeof(*program));

        harness_assert(forked && program, "out of memory");
        *forked = (Process){.ppid = forker, .name = "forker", .user_id = "0"};
        *program = (Process){.ppid = forker, .name = "tiny", .user_id = "0"};
        program->executable = realpath(need("WHODUNLINK_TINY"), NULL);
        for (size_t i = DELETES_EACH - 1; i < n; i += DELETES_EACH) {
                _cleanup_free_ char *file = harness_format("%s/file-%07zu", fs->path, i);

                truth_add(t, "unlink", file, i / DELETES_EACH % 2 == 0 ? program : forked);
        }
}

START_TEST(memory_stays_flat) {
        size_t n = harness_scale(30000, 3000);
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_free_ char *count = harness_format("%zu", n);
        _cleanup_fclose_ FILE *tenths = NULL;
        _cleanup_truth_ Truth t = {0};
        TruthDiff diff;
        uint64_t growth;
        int out[2];
        pid_t forker;
        Monitor m;

        ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
        tenths = fdopen(out[0], "r");
        ck_assert_ptr_nonnull(tenths);
        m = monitor_start(MONITOR_ARGS(fs.path));
        forker = process_spawn_io(
                PROCESS_ARGS(need("WHODUNLINK_FORKER"), fs.path, count, need("WHODUNLINK_TINY")),
                -1, out[1]);
        close(out[1]);
        growth = watch_memory(&m, tenths);
        ck_assert_int_eq(process_wait(forker, 60), 0);
        monitor_stop(&m);

        tell(&t, &fs, n, forker);
        diff = truth_compare(&t, &m);
        harness_note("%zu deletions, %zu with unknown facts; grew by %zu KiB", diff.n_records,
                     diff.n_unknown, (size_t)(growth / 1024));
        if (diff.n_missing > 0 && record_count_status(m.output_path, "loss") > 0)
                diff.n_missing = 0;
        /* tiny is quicker than any rm: what is said of it must be true. */
        truth_assert(&diff, diff.n_records);
        harness_assert(harness_is_sanitized() || growth <= GROWTH_BYTES_MAX,
                       "the monitor's memory grew by %zu KiB", (size_t)(growth / 1024));
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, memory_stays_flat);
}

int main(void) {
        return harness_main("forks", add_tests);
}
