/* SPDX-License-Identifier: MIT */

/* The line that ends a watch on stderr.  Pure. */

#include "command/watch_summary.h"

#include "base/clock.h"

static void append_count(Buffer *b, uint64_t n, const char *one, const char *many) {
        buffer_append_u64(b, n);
        buffer_append_char(b, ' ');
        buffer_append_string(b, n == 1 ? one : many);
}

void watch_summary_append(Buffer *b, const WatchCounters *c, uint64_t duration_nsec) {
        append_count(b, c->n_records - c->n_moves, "deletion", "deletions");
        if (c->n_moves > 0) {
                buffer_append_literal(b, " and ");
                append_count(b, c->n_moves, "move", "moves");
        }
        buffer_append_string(b, c->is_more ? " by at least " : " by ");
        append_count(b, c->n_processes, "process", "processes");
        buffer_append_literal(b, " in ");
        clock_append_duration(b, duration_nsec);
        buffer_append_literal(b, ", ");
        append_count(b, c->n_losses, "loss", "losses");
}
