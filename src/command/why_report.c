/* SPDX-License-Identifier: MIT */

/*
 * The answer for people.
 *
 *      /tmp/tools/x: will be removed Wed 2026-12-02 06:25:12 UTC (in 23h 50min) by age, unless …
 *        because    older than 10 days by access, birth, change and modification time; …
 *        line       /usr/lib/tmpfiles.d/tmp.conf:11: q /tmp 1777 root root 10d
 *        run        systemd-tmpfiles-clean.timer: next run Wed 2026-12-02 06:25:12 UTC (in …)
 *        to keep it touch it, move it out of /tmp, or write …
 *
 * The first line says all that matters; each line is whole, for whoever greps.
 */

#include "command/why_report.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/escape.h"
#include "command/why_words.h"
#include "record/record_text.h"
#include "record/text_style.h"

#define LABEL_COLUMNS 11

bool why_report_is_answer(const WhyReport *r) {
        if (r->history && r->history->n_entries > 0)
                return true;
        if (!r->target->exists)
                return false;
        for (size_t i = 0; i < r->n_fates; i++)
                if (why_fate_is_cleaned(&r->fates[i]) || why_fate_is_removed_at_boot(&r->fates[i]))
                        return true;
        return r->logrotate || (r->place && why_place_is_volatile(r->place));
}

bool why_report_is_partial(const WhyReport *r) {
        for (size_t i = 0; r->target->exists && i < r->n_scopes; i++)
                if (r->scopes[i].error)
                        return true;
        if (r->target->error < 0)
                return true;
        return r->looked && r->looked->error < 0;
}

typedef struct Text {
        const WhyReport *report;
        bool is_colored;
        size_t n_columns;
        Buffer *out;
} Text;

/* Begins a line below the path's. */
static void label(const Text *t, const char *word) {
        buffer_append_literal(t->out, "  ");
        text_style_append(t->out, t->is_colored, TEXT_STYLE_DIM, word);
        for (size_t n = strlen(word); n < LABEL_COLUMNS; n++)
                buffer_append_char(t->out, ' ');
}

static void end(const Text *t) {
        buffer_append_char(t->out, '\n');
}

static void append_escaped(Buffer *b, const char *s) {
        escape_append_terminal(b, s, strlen(s));
}

static void append_time(const Text *t, const char *what, uint64_t nsec) {
        if (nsec == 0)
                return;
        buffer_append_string(t->out, what);
        clock_append_local_date(t->out, nsec);
}

static void append_times(const Text *t) {
        const WhyTarget *target = t->report->target;

        label(t, "times");
        append_time(t, "access ", target->accessed_nsec);
        append_time(t, ", modification ", target->modified_nsec);
        append_time(t, ", change ", target->changed_nsec);
        append_time(t, ", birth ", target->created_nsec);
        end(t);
}

static void append_link(const Text *t) {
        if (!S_ISLNK(t->report->target->mode))
                return;
        label(t, "link");
        buffer_append_literal(t->out,
                              "it is a symlink, and all this is about the link itself; of a "
                              "directory that it points to, write a \"/\" behind it");
        end(t);
}

static void append_boot(const Text *t, const WhyFate *f) {
        if (!why_fate_is_removed_at_boot(f))
                return;
        label(t, "boot");
        buffer_append_string(t->out, f->scope->is_user ? "removed at the user's next login"
                                                       : "removed at the next boot");
        if (f->boot.rule) {
                buffer_append_literal(t->out, ": ");
                why_words_rule(t->out, f->boot.rule, true);
        }
        end(t);
}

/* The line that decides stands first, then the others that have to do with it. */
static void append_lines(const Text *t, const WhyFate *f) {
        if (f->clean.rule) {
                label(t, "line");
                why_words_rule(t->out, f->clean.rule, true);
                end(t);
        }
        for (size_t i = 0; i < f->n_lines; i++) {
                if (f->lines[i].rule == f->clean.rule)
                        continue;
                label(t, "also");
                why_words_rule(t->out, f->lines[i].rule, true);
                buffer_append_format(t->out, " (%s)", why_words_part(f->lines[i].part));
                end(t);
        }
        if (f->is_lines_cut) {
                label(t, "also");
                buffer_append_literal(t->out, "… and more lines");
                end(t);
        }
}

static void append_fate(const Text *t, const WhyFate *f) {
        const WhyReport *r = t->report;

        if (f->scope->is_user && f->n_lines == 0 && !why_fate_is_removed_at_boot(f))
                return;
        label(t, f->clean.verdict == TMPFILES_UNCOVERED ? "by age"
                 : f->clean.verdict == TMPFILES_STAYS   ? "kept"
                                                        : "because");
        if (f->scope->is_user)
                buffer_append_literal(t->out, "in the user's configuration: ");
        why_words_reason(t->out, r->target, &f->clean, r->now_nsec);
        end(t);
        append_lines(t, f);
        if (why_fate_is_cleaned(f)) {
                if (f->clean.verdict == TMPFILES_WAITS) {
                        label(t, "old enough");
                        why_words_date(t->out, f->clean.due_nsec, r->now_nsec);
                        if (f->certainty == TIMER_COMPUTED)
                                buffer_append_literal(t->out, "; the run is computed: it moves "
                                                              "with a reboot or a run by hand");
                        end(t);
                }
                label(t, "run");
                why_words_run(t->out, f, r->now_nsec);
                end(t);
        }
        append_boot(t, f);
        if (why_fate_is_cleaned(f)) {
                label(t, "to keep it");
                why_words_advice(t->out, r->target, f);
                end(t);
        }
}

static void append_existing(const Text *t) {
        const WhyReport *r = t->report;
        _cleanup_buffer_ Buffer place = {0};
        bool is_covered = false;

        append_link(t);
        for (size_t i = 0; i < r->n_fates; i++)
                is_covered |= r->fates[i].clean.verdict != TMPFILES_UNCOVERED;
        if (is_covered)
                append_times(t);
        for (size_t i = 0; i < r->n_fates; i++)
                append_fate(t, &r->fates[i]);
        if (r->place && why_words_place(&place, r->place)) {
                label(t, "place");
                buffer_append(t->out, place.bytes, place.n_bytes);
                end(t);
        }
        if (r->logrotate) {
                label(t, "logrotate");
                append_escaped(t->out, r->logrotate->file);
                buffer_append_format(t->out, ":%zu names it: it is rotated, and the oldest goes",
                                     r->logrotate->line);
                end(t);
        }
        for (size_t i = 0; i < r->n_scopes; i++) {
                if (!r->scopes[i].error)
                        continue;
                label(t, "unknown");
                append_escaped(t->out, r->scopes[i].error);
                end(t);
        }
}

static const char *match_words(HistoryMatch m) {
        switch (m) {
        case HISTORY_WITH_DIRECTORY:
                return ", with a directory above it";
        case HISTORY_IN_FOLD:
                return ", perhaps: it is not named, but one of many that were summed up";
        default:
                return "";
        }
}

static int append_entry(const Text *t, const HistoryEntry *e, UserNames *names) {
        const RecordTextOptions options = {.is_colored = t->is_colored, .n_columns = t->n_columns};
        RecordText *text;
        int r;

        label(t, "recorded");
        why_words_date(t->out, e->parsed.record.realtime_nsec, t->report->now_nsec);
        buffer_append_string(t->out, match_words(e->match));
        if (e->is_cause_late)
                buffer_append_literal(t->out, "; why is worked out by the configuration of now");
        end(t);
        r = record_parsed_give_names(&e->parsed, names);
        if (r >= 0)
                /* A new one for each: each says who it was. */
                r = record_text_new(options, names, &text);
        if (r < 0)
                return r;
        record_text_append(text, &e->parsed.record, t->out);
        record_text_free(text);
        return 0;
}

static int append_history(const Text *t) {
        const History *h = t->report->history;
        UserNames *names;
        int r = user_names_new_given(&names);

        for (size_t i = 0; r >= 0 && i < h->n_entries; i++)
                r = append_entry(t, history_at(h, i), names);
        if (r >= 0)
                user_names_free(names);
        return r;
}

static void append_looked(const Text *t) {
        const WhyLooked *l = t->report->looked;

        label(t, "looked at");
        if (l->file)
                append_escaped(t->out, l->file);
        else if (l->directory)
                append_escaped(t->out, l->directory);
        else
                buffer_append_literal(t->out, "the journal");
        if (l->error < 0) {
                buffer_append_format(t->out, ", in vain: %s", strerror(-l->error));
                end(t);
                return;
        }
        if (l->since_nsec > 0) {
                buffer_append_literal(t->out, ", which goes back to ");
                clock_append_local_date(t->out, l->since_nsec);
        }
        if (l->is_partly)
                buffer_append_literal(t->out, ", as far as you may read it");
        if (!l->file && l->since_nsec == 0) {
                buffer_append_literal(t->out, ", in which there is nothing");
        } else if (l->last_nsec > 0) {
                buffer_append_literal(t->out, "; the newest record of any path is from ");
                why_words_date(t->out, l->last_nsec, t->report->now_nsec);
        } else {
                buffer_append_literal(t->out, "; there is no record of whodunlink in it at all");
        }
        if (t->report->history->n_strange > 0)
                buffer_append_format(t->out, "; %zu lines are no records",
                                     t->report->history->n_strange);
        if (l->is_partly)
                buffer_append_literal(t->out, "; run it as root to look at all of it");
        end(t);
}

/* Lines of tmpfiles.d that have to do with such a path, by its name alone, and their timer. */
static void append_suspects(const Text *t) {
        for (size_t i = 0; i < t->report->n_fates; i++) {
                const WhyFate *f = &t->report->fates[i];
                bool is_cleaned = false;

                for (size_t k = 0; k < f->n_lines; k++) {
                        is_cleaned |= f->lines[k].part == TMPFILES_PART_REMOVES;
                        label(t, "line");
                        why_words_rule(t->out, f->lines[k].rule, true);
                        buffer_append_format(t->out, " (%s)", why_words_part(f->lines[k].part));
                        end(t);
                }
                if (!is_cleaned)
                        continue;
                label(t, "run");
                why_words_run(t->out, f, t->report->now_nsec);
                end(t);
        }
}

static void append_gone(const Text *t) {
        const bool is_known = t->report->history && t->report->history->n_entries > 0;

        if (!is_known)
                append_looked(t);
        append_suspects(t);
        if (is_known)
                return;
        label(t, "perhaps");
        buffer_append_literal(t->out,
                              "it was never there under this path, it went while whodunlink did "
                              "not run or did not watch there, or its record is no longer kept");
        end(t);
}

/* Of what does not exist. */
static void append_end(const Text *t) {
        const History *h = t->report->history;
        bool is_certain = false;

        for (size_t i = 0; h && i < h->n_entries; i++)
                is_certain |= h->entries[i].match != HISTORY_IN_FOLD;
        if (is_certain)
                buffer_append_literal(t->out, "is gone");
        else if (h && h->n_entries > 0)
                buffer_append_literal(t->out,
                                      "does not exist; perhaps it was one of many that went "
                                      "together");
        else
                buffer_append_literal(t->out, "does not exist, and nothing is known of its end");
}

static void append_head(const Text *t) {
        const WhyReport *r = t->report;

        append_escaped(t->out, r->target->path);
        buffer_append_literal(t->out, ": ");
        if (r->target->error < 0)
                buffer_append_format(t->out, "cannot be looked at: %s; run it as root",
                                     strerror(-r->target->error));
        else if (r->target->exists)
                why_words_verdict(t->out, r->target, r->fates, r->n_fates, r->place, r->now_nsec);
        else
                append_end(t);
        end(t);
}

int why_report_append_text(const WhyReport *r, bool is_colored, size_t n_columns, Buffer *b) {
        const Text t = {.report = r, .is_colored = is_colored, .n_columns = n_columns, .out = b};
        int error = 0;

        append_head(&t);
        if (r->target->exists)
                append_existing(&t);
        if (r->history)
                error = append_history(&t);
        if (!r->target->exists && r->target->error == 0)
                append_gone(&t);
        return error < 0 ? error : b->is_failed ? -ENOMEM : 0;
}
