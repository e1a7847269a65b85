/* SPDX-License-Identifier: MIT */

/* From the choice that systemd-tmpfiles would make to a date. */

#include "command/why_fate.h"

#include <errno.h>

static int take_line(void *userdata, const TmpfilesRule *rule, TmpfilesPart part) {
        WhyFate *f = userdata;

        if (f->n_lines == WHY_LINES_MAX) {
                f->is_lines_cut = true;
                return 0;
        }
        f->lines[f->n_lines++] = (WhyLine){.rule = rule, .part = part};
        return 0;
}

TimerCertainty why_fate_run(const WhyScope *scope, const WhyOracle *oracle, uint64_t due_nsec,
                            uint64_t *ret_run_nsec) {
        *ret_run_nsec = TIMER_NEVER;
        if (scope->timer_error < 0)
                return TIMER_UNKNOWN;
        if (due_nsec == TMPFILES_NEVER)
                return TIMER_NO_FURTHER;
        if (due_nsec < oracle->now.realtime_nsec)
                due_nsec = oracle->now.realtime_nsec;
        return timer_next_from(&scope->schedule, &oracle->now, due_nsec, oracle->calendar,
                               ret_run_nsec);
}

bool why_fate_is_cleaned(const WhyFate *f) {
        return f->clean.verdict == TMPFILES_GOES ||
               (f->clean.verdict == TMPFILES_WAITS && f->clean.due_nsec != TMPFILES_NEVER);
}

bool why_fate_is_removed_at_boot(const WhyFate *f) {
        return f->boot.verdict == TMPFILES_GOES;
}

int why_fate_find(const WhyScope *scope, const char *path, const WhyOracle *oracle, WhyFate *ret) {
        const uint64_t now = oracle->now.realtime_nsec;
        WhyFate f = {.scope = scope,
                     .certainty = TIMER_NO_FURTHER,
                     .run_nsec = TIMER_NEVER,
                     .next_nsec = TIMER_NEVER};
        int r;

        if (!scope->clean || !scope->boot)
                return -ENODATA;
        r = tmpfiles_choose(scope->clean, path, now, oracle->tree, &f.clean);
        if (r >= 0)
                r = tmpfiles_choose(scope->boot, path, now, oracle->tree, &f.boot);
        if (r >= 0)
                r = tmpfiles_rules_each(scope->clean, path, oracle->tree, take_line, &f);
        if (r < 0) {
                why_fate_done(&f);
                return r;
        }
        if (scope->timer_error == 0)
                f.next_nsec = timer_next(&scope->schedule, &oracle->now);
        if (why_fate_is_cleaned(&f))
                f.certainty = why_fate_run(
                        scope, oracle, f.clean.verdict == TMPFILES_GOES ? now : f.clean.due_nsec,
                        &f.run_nsec);
        *ret = f;
        return 0;
}

void why_fate_done(WhyFate *f) {
        tmpfiles_choice_done(&f->clean);
        tmpfiles_choice_done(&f->boot);
        *f = (WhyFate){0};
}
