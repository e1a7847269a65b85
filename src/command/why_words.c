/* SPDX-License-Identifier: MIT */

/* Sentences about what is to come. */

#include "command/why_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/escape.h"

static void append_escaped(Buffer *b, const char *s) {
        escape_append_terminal(b, s, strlen(s));
}

void why_words_date(Buffer *b, uint64_t at_nsec, uint64_t now_nsec) {
        clock_append_local_date(b, at_nsec);
        if (at_nsec >= now_nsec) {
                buffer_append_literal(b, " (in ");
                clock_append_duration(b, at_nsec - now_nsec);
                buffer_append_char(b, ')');
        } else {
                buffer_append_literal(b, " (");
                clock_append_duration(b, now_nsec - at_nsec);
                buffer_append_literal(b, " ago)");
        }
}

void why_words_rule(Buffer *b, const TmpfilesRule *rule, bool is_with_text) {
        append_escaped(b, rule->file);
        buffer_append_format(b, ":%u", rule->number);
        if (!is_with_text)
                return;
        buffer_append_literal(b, ": ");
        append_escaped(b, rule->text);
}

const char *why_words_part(TmpfilesPart part) {
        switch (part) {
        case TMPFILES_PART_REMOVES:
                return "covers it";
        case TMPFILES_PART_PROTECTS:
                return "keeps other lines from it";
        case TMPFILES_PART_BOOT:
                return "only at boot";
        case TMPFILES_PART_DOUBLE:
                return "has no effect: an earlier line for the same path counts";
        }
        return "";
}

static void append_times(Buffer *b, unsigned times) {
        char text[128];

        tmpfiles_times_text(times, text, sizeof(text));
        buffer_append_string(b, text);
}

static void append_age(Buffer *b, const TmpfilesRule *rule) {
        char text[128];

        tmpfiles_age_text(rule->line.age_usec, text, sizeof(text));
        buffer_append_string(b, text);
}

static uint64_t time_of(const WhyTarget *t, unsigned time) {
        switch (time) {
        case TMPFILES_ATIME:
                return t->accessed_nsec;
        case TMPFILES_BTIME:
                return t->created_nsec;
        case TMPFILES_CTIME:
                return t->changed_nsec;
        case TMPFILES_MTIME:
                return t->modified_nsec;
        default:
                return 0;
        }
}

/* "; the newest is the change time, Mon …" */
static void append_newest(Buffer *b, const WhyTarget *t, const TmpfilesChoice *c,
                          uint64_t now_nsec) {
        const uint64_t newest = time_of(t, c->time_last);

        if (newest == 0 || c->at)
                return;
        buffer_append_literal(b, "; the newest is its ");
        append_times(b, c->time_last);
        buffer_append_literal(b, " time, ");
        why_words_date(b, newest, now_nsec);
}

static void append_goes(Buffer *b, const WhyTarget *t, const TmpfilesChoice *c, uint64_t now_nsec) {
        switch (c->reason) {
        case TMPFILES_REASON_REMOVE:
                buffer_append_literal(b, "the line removes whatever is there");
                return;
        case TMPFILES_REASON_REPLACE:
                buffer_append_literal(b, "it is in the way of what the line makes");
                return;
        case TMPFILES_REASON_PURGE:
                buffer_append_literal(b, "the line's own are purged");
                return;
        default:
                break;
        }
        if (c->rule && c->rule->line.age_usec == 0) {
                buffer_append_literal(b, "with an age of 0 everything goes, however new");
                return;
        }
        buffer_append_literal(b, "older than ");
        if (c->rule)
                append_age(b, c->rule);
        else
                buffer_append_literal(b, "the line's age");
        buffer_append_literal(b, " by ");
        append_times(b, c->times_counted);
        buffer_append_literal(b, " time");
        append_newest(b, t, c, now_nsec);
}

static void append_waits(Buffer *b, const WhyTarget *t, const TmpfilesChoice *c,
                         uint64_t now_nsec) {
        if (c->reason == TMPFILES_REASON_CONTENTS) {
                buffer_append_literal(b, "a directory goes only when it is empty, and ");
                append_escaped(b, c->at ? c->at : "something in it");
                buffer_append_literal(b, " is kept");
                if (c->due_nsec != TMPFILES_NEVER) {
                        buffer_append_literal(b, " until ");
                        why_words_date(b, c->due_nsec, now_nsec);
                }
                return;
        }
        buffer_append_literal(b, "kept by its ");
        append_times(b, c->times_new);
        buffer_append_literal(b, " time");
        if (c->rule) {
                buffer_append_literal(b, ", not older than ");
                append_age(b, c->rule);
        }
        append_newest(b, t, c, now_nsec);
}

/* What of the path, or of a directory above it, keeps it. */
static const char *stays_because(TmpfilesReason reason) {
        switch (reason) {
        case TMPFILES_REASON_LINE:
                return "has a line of its own, which protects it";
        case TMPFILES_REASON_SELF:
                return "is what the line itself makes: only what is in it goes by age";
        case TMPFILES_REASON_FIRST_LEVEL:
                return "is directly in the line's directory, which the \"~\" before the age spares";
        case TMPFILES_REASON_INFINITY:
                return "is kept: the line's age is infinite";
        case TMPFILES_REASON_MOUNT:
                return "is a mount point, which is not entered";
        case TMPFILES_REASON_STICKY:
                return "is a file with the sticky bit, which is spared";
        case TMPFILES_REASON_LOCK:
                return "is locked (flock) by a process just now, which spares it";
        case TMPFILES_REASON_SOCKET:
                return "is a socket that is in use";
        case TMPFILES_REASON_DEVICE:
                return "is a device node, which is spared";
        case TMPFILES_REASON_RESERVED:
                return "is a name that is spared in the root of a filesystem";
        case TMPFILES_REASON_DEPTH:
                return "is too deep below the line's directory";
        case TMPFILES_REASON_SYMLINK:
                return "is a symlink, which is not followed";
        default:
                return "is kept";
        }
}

static void append_stays(Buffer *b, const WhyTarget *t, const TmpfilesChoice *c) {
        const char *at = c->at ? c->at : t->path;

        if (strcmp(at, t->path) == 0) {
                buffer_append_literal(b, "it");
        } else {
                append_escaped(b, at);
        }
        buffer_append_char(b, ' ');
        buffer_append_string(b, stays_because(c->reason));
        if (c->reason == TMPFILES_REASON_LINE && c->protector) {
                buffer_append_literal(b, ": ");
                why_words_rule(b, c->protector, true);
        }
}

void why_words_reason(Buffer *b, const WhyTarget *t, const TmpfilesChoice *c, uint64_t now_nsec) {
        switch (c->verdict) {
        case TMPFILES_UNCOVERED:
                buffer_append_literal(b, "no line removes it");
                return;
        case TMPFILES_GOES:
                append_goes(b, t, c, now_nsec);
                return;
        case TMPFILES_WAITS:
                append_waits(b, t, c, now_nsec);
                return;
        case TMPFILES_STAYS:
                append_stays(b, t, c);
                return;
        }
}

/* Can a path stand in a line of tmpfiles.d as it is: no blanks, quotes, globs or specifiers? */
static bool is_plain(const char *path) {
        for (; *path; path++)
                if (strchr(" \t\n\\\"'*?[]%#", *path) || (unsigned char)*path < ' ' ||
                    (unsigned char)*path >= 0x7f)
                        return false;
        return true;
}

bool why_words_advice(Buffer *b, const WhyTarget *t, const WhyFate *f) {
        const TmpfilesRule *rule = f->clean.rule;

        if (!why_fate_is_cleaned(f) || !rule)
                return false;
        if (f->clean.times_counted & (TMPFILES_ATIME | TMPFILES_MTIME))
                buffer_append_literal(b, "touch it, ");
        buffer_append_literal(b, "move it out of ");
        append_escaped(b, rule->line.path);
        if (is_plain(t->path)) {
                buffer_append_literal(b, ", or write \"x ");
                append_escaped(b, t->path);
                buffer_append_string(b, f->scope->is_user
                                                ? "\" into ~/.config/user-tmpfiles.d/keep.conf"
                                                : "\" into /etc/tmpfiles.d/keep.conf");
        } else {
                buffer_append_literal(b, ", or exclude it by a line of type x (tmpfiles.d(5))");
        }
        return true;
}

static const char *timer_fault(int error) {
        switch (error) {
        case -ESRCH:
                return "there is no such unit";
        case -EACCES:
        case -EPERM:
                return "the service manager's bus does not let us in";
        case -ETIMEDOUT:
                return "the service manager did not answer";
        default:
                return "there is no service manager to ask (no systemd, or no message bus)";
        }
}

static void append_late(Buffer *b, const TimerSchedule *s) {
        const uint64_t late = s->accuracy_usec + s->random_usec;

        if (s->accuracy_usec > UINT64_MAX / 2000 || s->random_usec > UINT64_MAX / 2000 ||
            late < 1000000)
                return;
        buffer_append_literal(b, ", or up to ");
        clock_append_duration(b, late * CLOCK_NSEC_PER_USEC);
        buffer_append_literal(b, " later");
}

void why_words_run(Buffer *b, const WhyFate *f, uint64_t now_nsec) {
        const WhyScope *s = f->scope;

        buffer_append_string(b, s->is_user ? "the user's " WHY_TIMER : WHY_TIMER);
        if (s->timer_error < 0) {
                buffer_append_literal(b, ": not known when it runs: ");
                buffer_append_string(b, timer_fault(s->timer_error));
                return;
        }
        if (f->next_nsec == TIMER_NEVER) {
                buffer_append_string(b, s->schedule.is_active
                                                ? ": no run is planned"
                                                : ": it is not active, so nothing is cleaned by "
                                                  "itself");
                return;
        }
        buffer_append_literal(b, ": next run ");
        why_words_date(b, f->next_nsec, now_nsec);
        append_late(b, &s->schedule);
        if (s->schedule.last_realtime_usec != 0 && s->schedule.last_realtime_usec != UINT64_MAX) {
                buffer_append_literal(b, "; last run ");
                why_words_date(b, s->schedule.last_realtime_usec * CLOCK_NSEC_PER_USEC, now_nsec);
        }
}

bool why_words_place(Buffer *b, const WhyPlace *p) {
        switch (p->kind) {
        case WHY_PLACE_LASTING:
                return false;
        case WHY_PLACE_MEMORY:
                append_escaped(b, p->mount->point);
                buffer_append_literal(b, " is ");
                append_escaped(b, p->mount->fstype);
                buffer_append_literal(b, ", in memory: nothing in it survives a reboot or umount");
                return true;
        case WHY_PLACE_MEMORY_UPPER:
                append_escaped(b, p->mount->point);
                buffer_append_literal(b, " is an overlay that writes to ");
                append_escaped(b, p->upper->point);
                buffer_append_literal(b, ", which is in memory: what is new or changed in it does "
                                         "not survive a reboot");
                return true;
        case WHY_PLACE_PRIVATE_TMP:
                buffer_append_literal(b, "it lies in the private /tmp of a service (PrivateTmp=), "
                                         "which is removed when that stops");
                return true;
        case WHY_PLACE_USER_RUNTIME:
                buffer_append_literal(b, "it lies in a user's runtime directory, which is removed "
                                         "with the user's last session");
                return true;
        }
        return false;
}

/* The one that is removed first; NULL none is. */
static const WhyFate *first_cleaned(const WhyFate *fates, size_t n) {
        const WhyFate *best = NULL;

        for (size_t i = 0; i < n; i++)
                if (why_fate_is_cleaned(&fates[i]) && (!best || fates[i].run_nsec < best->run_nsec))
                        best = &fates[i];
        return best;
}

static void append_cleaned(Buffer *b, const WhyFate *f, uint64_t now_nsec) {
        const bool is_old = f->clean.verdict == TMPFILES_GOES;

        if (f->run_nsec != TIMER_NEVER) {
                buffer_append_literal(b, "will be removed ");
                why_words_date(b, f->run_nsec, now_nsec);
                buffer_append_literal(b, " by age, unless it is touched before");
        } else if (is_old) {
                buffer_append_literal(b, "is old enough: the next systemd-tmpfiles --clean "
                                         "removes it");
        } else {
                buffer_append_literal(b, "will be old enough ");
                why_words_date(b, f->clean.due_nsec, now_nsec);
                buffer_append_literal(b, ": the next systemd-tmpfiles --clean from then on removes "
                                         "it");
        }
        if (f->clean.is_due_guessed)
                buffer_append_literal(b, " (not all of it could be looked at)");
}

void why_words_verdict(Buffer *b, const WhyTarget *t, const WhyFate *fates, size_t n_fates,
                       const WhyPlace *place, uint64_t now_nsec) {
        const WhyFate *cleaned = first_cleaned(fates, n_fates);
        bool is_removed_at_boot = false;

        (void)t;
        for (size_t i = 0; i < n_fates; i++)
                is_removed_at_boot |= why_fate_is_removed_at_boot(&fates[i]);
        if (cleaned)
                append_cleaned(b, cleaned, now_nsec);
        else if (is_removed_at_boot)
                buffer_append_literal(b, "will be removed at the next boot");
        else if (place && why_place_is_volatile(place))
                buffer_append_literal(b, "is kept as long as the place where it lies");
        else
                buffer_append_literal(b, "nothing known here removes it by itself");
}
