/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What one configuration of tmpfiles.d has in store for one path, and when.
 */

#include "command/why_scope.h"

/* Lines that are told of; of more the first. */
#define WHY_LINES_MAX 64

typedef struct WhyLine {
        const TmpfilesRule *rule; /* borrowed from the scope */
        TmpfilesPart part;
} WhyLine;

typedef struct WhyFate {
        const WhyScope *scope;
        TmpfilesChoice clean; /* if the timer's service ran now */
        TmpfilesChoice boot;  /* at the next boot, or the user's next login */
        WhyLine lines[WHY_LINES_MAX];
        size_t n_lines;
        bool is_lines_cut;

        /* The run of the timer that removes it, if nobody touches it until then. */
        TimerCertainty certainty;
        uint64_t run_nsec;  /* TIMER_NEVER: not known, or no such run */
        uint64_t next_nsec; /* the timer's next run, whatever it does to this path */
} WhyFate;

/* Who is asked. All borrowed. */
typedef struct WhyOracle {
        TimerNow now;
        const TmpfilesTree *tree; /* NULL: only names are known */
        const TimerCalendar *calendar;
} WhyOracle;

/*
 * why_fate_find() - what happens to a path
 * @path: as tmpfiles_choose() takes it
 * @ret:  on 0, to be freed by why_fate_done()
 *
 * Return: 0, -ENODATA the scope has no configuration, -ENOMEM.
 */
int why_fate_find(const WhyScope *scope, const char *path, const WhyOracle *oracle, WhyFate *ret);
void why_fate_done(WhyFate *f);

/* Will it be removed by age, sooner or later, if nobody touches it? */
bool why_fate_is_cleaned(const WhyFate *f);
/* Will it be removed at the next boot or login? */
bool why_fate_is_removed_at_boot(const WhyFate *f);

/* The same for the moment when something is old enough: as in struct WhyFate. */
TimerCertainty why_fate_run(const WhyScope *scope, const WhyOracle *oracle, uint64_t due_nsec,
                            uint64_t *ret_run_nsec);
