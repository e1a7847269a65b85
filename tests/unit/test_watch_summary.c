/* SPDX-License-Identifier: MIT */

#include "base/cleanup.h"
#include "base/clock.h"
#include "command/watch_summary.h"
#include "unit.h"

typedef struct Case {
        WatchCounters counters;
        uint64_t nsec;
        const char *line;
} Case;

static const Case cases[] = {
        {{0}, CLOCK_NSEC_PER_SEC, "0 deletions by 0 processes in 1s, 0 losses"},
        {{.n_records = 1, .n_processes = 1, .n_losses = 1},
         CLOCK_NSEC_PER_SEC,
         "1 deletion by 1 process in 1s, 1 loss"},
        {{.n_records = 15, .n_moves = 3, .n_processes = 4},
         CLOCK_NSEC_PER_SEC,
         "12 deletions and 3 moves by 4 processes in 1s, 0 losses"},
        {{.n_records = 1, .n_moves = 1, .n_processes = 1, .is_more = true},
         CLOCK_NSEC_PER_SEC,
         "0 deletions and 1 move by at least 1 process in 1s, 0 losses"},
};

START_TEST(test_line) {
        _cleanup_buffer_ Buffer b = {0};

        watch_summary_append(&b, &cases[_i].counters, cases[_i].nsec);
        ck_assert_str_eq(buffer_terminate(&b), cases[_i].line);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("watch_summary");

        tcase_add_loop_test(tcase, test_line, 0, sizeof(cases) / sizeof(cases[0]));
        return unit_run("watch_summary", tcase);
}
