/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What tmpfiles.d has in store, in sentences for a tired person.  Pure.
 *
 * None ends in a full stop.  Paths and lines of others come escaped for a terminal.
 */

#include "base/buffer.h"
#include "command/why_fate.h"
#include "command/why_place.h"
#include "command/why_target.h"

/* "Wed 2026-12-02 06:25:12 UTC (in 23h 50min)", "… (2d 3h ago)". */
void why_words_date(Buffer *b, uint64_t at_nsec, uint64_t now_nsec);

/* "goes with the next run of …, Wed …": the headline for a path that exists. */
void why_words_verdict(Buffer *b, const WhyTarget *t, const WhyFate *fates, size_t n_fates,
                       const WhyPlace *place, uint64_t now_nsec);

/* Why systemd-tmpfiles removes or keeps it: of a choice for the path t->path. */
void why_words_reason(Buffer *b, const WhyTarget *t, const TmpfilesChoice *c, uint64_t now_nsec);

/* What keeps it, when something is going to remove it. False: nothing was appended. */
bool why_words_advice(Buffer *b, const WhyTarget *t, const WhyFate *f);

/* What runs the cleaning, and when: of the timer. */
void why_words_run(Buffer *b, const WhyFate *f, uint64_t now_nsec);

/* How a line has to do with the path. */
const char *why_words_part(TmpfilesPart part);

/* Why nothing here survives. False: it does. */
bool why_words_place(Buffer *b, const WhyPlace *p);

/* "/usr/lib/tmpfiles.d/tmp.conf:11", and the line behind it where is_with_text. */
void why_words_rule(Buffer *b, const TmpfilesRule *rule, bool is_with_text);
