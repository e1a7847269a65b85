/* SPDX-License-Identifier: MIT */

/*
 * The answer for machines.  The keys are documented in the manual page; a fact that is not known is
 * absent.
 */

#include <errno.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "command/why_report.h"
#include "command/why_words.h"
#include "record/json_member.h"

static void add_time(json_object *o, const char *key, uint64_t nsec) {
        _cleanup_buffer_ Buffer b = {0};

        if (nsec == 0 || nsec == UINT64_MAX)
                return;
        clock_append_rfc3339(&b, nsec);
        json_member_add_string(o, key, buffer_terminate(&b));
}

static void add_bool(json_object *o, const char *key, bool value) {
        json_member_add(o, key, json_object_new_boolean(value));
}

static void add_source(json_object *o, const char *file, uint64_t line) {
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_string(&b, file);
        buffer_append_format(&b, ":%llu", (unsigned long long)line);
        json_member_add_name(o, "source", buffer_terminate(&b));
}

static void add_rule(json_object *o, const TmpfilesRule *rule) {
        if (!rule)
                return;
        json_member_add_name(o, "rule", rule->text);
        add_source(o, rule->file, rule->number);
}

static const char *verdict_word(TmpfilesVerdict v) {
        static const char *const words[] = {
                [TMPFILES_UNCOVERED] = "uncovered",
                [TMPFILES_GOES] = "goes",
                [TMPFILES_WAITS] = "waits",
                [TMPFILES_STAYS] = "stays",
        };

        return words[v];
}

static const char *certainty_word(TimerCertainty c) {
        static const char *const words[] = {
                [TIMER_PLANNED] = "planned",
                [TIMER_COMPUTED] = "computed",
                [TIMER_UNKNOWN] = "unknown",
                [TIMER_NO_FURTHER] = "never",
        };

        return words[c];
}

static const char *part_word(TmpfilesPart p) {
        static const char *const words[] = {
                [TMPFILES_PART_REMOVES] = "covers",
                [TMPFILES_PART_PROTECTS] = "protects",
                [TMPFILES_PART_BOOT] = "boot",
                [TMPFILES_PART_DOUBLE] = "double",
        };

        return words[p];
}

static void add_words(json_object *o, const WhyReport *r, const TmpfilesChoice *c) {
        _cleanup_buffer_ Buffer b = {0};

        why_words_reason(&b, r->target, c, r->now_nsec);
        json_member_add_bytes(o, "explanation", b.bytes, b.n_bytes);
}

static json_object *times_array(unsigned times) {
        static const struct {
                unsigned time;
                const char *word;
        } words[] = {
                {TMPFILES_ATIME, "access"},
                {TMPFILES_BTIME, "birth"},
                {TMPFILES_CTIME, "change"},
                {TMPFILES_MTIME, "modification"},
        };
        json_object *array = json_object_new_array();

        for (size_t i = 0; array && i < sizeof(words) / sizeof(words[0]); i++)
                if (times & words[i].time)
                        json_object_array_add(array, json_object_new_string(words[i].word));
        return array;
}

/* What the timer's service does to it. */
static json_object *clean_object(const WhyReport *r, const WhyFate *f) {
        json_object *o = json_object_new_object();
        const TmpfilesChoice *c = &f->clean;

        if (!o)
                return NULL;
        json_member_add_string(o, "verdict", verdict_word(c->verdict));
        add_words(o, r, c);
        add_rule(o, c->rule);
        if (c->rule && c->rule->line.is_age_set && c->rule->line.age_usec != TMPFILES_AGE_INFINITY)
                json_member_add(o, "age_usec", json_object_new_uint64(c->rule->line.age_usec));
        if (c->times_counted)
                json_member_add(o, "times_counted", times_array(c->times_counted));
        if (c->times_new)
                json_member_add(o, "times_new", times_array(c->times_new));
        json_member_add_name(o, "kept_by", c->at);
        if (why_fate_is_cleaned(f)) {
                add_time(o, "due", c->due_nsec);
                json_member_add_string(o, "unit", WHY_CLEAN_SERVICE);
                json_member_add_string(o, "triggered_by", WHY_TIMER);
                add_time(o, "run", f->run_nsec);
                json_member_add_string(o, "run_is", certainty_word(f->certainty));
                if (c->is_due_guessed)
                        add_bool(o, "is_guessed", true);
        }
        return o;
}

static json_object *boot_object(const WhyReport *r, const WhyFate *f) {
        json_object *o = json_object_new_object();

        if (!o)
                return NULL;
        json_member_add_string(o, "verdict", verdict_word(f->boot.verdict));
        add_words(o, r, &f->boot);
        add_rule(o, f->boot.rule);
        json_member_add_string(o, "unit", WHY_BOOT_SERVICE);
        return o;
}

static json_object *lines_array(const WhyFate *f) {
        json_object *array = json_object_new_array();

        for (size_t i = 0; array && i < f->n_lines; i++) {
                json_object *o = json_object_new_object();

                if (!o)
                        continue;
                add_rule(o, f->lines[i].rule);
                json_member_add_string(o, "part", part_word(f->lines[i].part));
                json_object_array_add(array, o);
        }
        return array;
}

static json_object *fate_object(const WhyReport *r, const WhyFate *f) {
        json_object *o = json_object_new_object();

        if (!o)
                return NULL;
        json_member_add_string(o, "configuration", f->scope->is_user ? "user" : "system");
        if (f->scope->is_user)
                json_member_add(o, "uid", json_object_new_int64(f->scope->uid));
        if (r->target->exists) {
                json_member_add(o, "clean", clean_object(r, f));
                if (why_fate_is_removed_at_boot(f))
                        json_member_add(o, "boot", boot_object(r, f));
        }
        add_time(o, "next_run", f->next_nsec);
        json_member_add(o, "lines", lines_array(f));
        return o;
}

static void add_target(json_object *o, const WhyTarget *t) {
        json_object *times;

        json_member_add_name(o, "path", t->path);
        if (t->error < 0) {
                json_member_add_string(o, "error", strerror(-t->error));
                return;
        }
        add_bool(o, "exists", t->exists);
        if (!t->exists)
                return;
        json_member_add_string(o, "type", why_target_type(t));
        times = json_object_new_object();
        if (!times)
                return;
        add_time(times, "accessed", t->accessed_nsec);
        add_time(times, "created", t->created_nsec);
        add_time(times, "ctime", t->changed_nsec);
        add_time(times, "mtime", t->modified_nsec);
        json_member_add_object(o, "times", times);
}

static void add_place(json_object *o, const WhyPlace *p) {
        static const char *const words[] = {
                [WHY_PLACE_LASTING] = "lasting",           [WHY_PLACE_MEMORY] = "memory",
                [WHY_PLACE_MEMORY_UPPER] = "memory-upper", [WHY_PLACE_PRIVATE_TMP] = "private-tmp",
                [WHY_PLACE_USER_RUNTIME] = "user-runtime",
        };
        json_object *place = p ? json_object_new_object() : NULL;

        if (!place)
                return;
        json_member_add_string(place, "kind", words[p->kind]);
        add_bool(place, "survives_reboot", !why_place_is_volatile(p));
        if (p->mount) {
                json_member_add_name(place, "mount", p->mount->point);
                json_member_add_name(place, "fstype", p->mount->fstype);
        }
        json_member_add(o, "place", place);
}

/* As in whodunlink.cause of a record. */
static json_object *cause_object(const Cause *c) {
        json_object *o = json_object_new_object();

        if (!o)
                return NULL;
        json_member_add_string(o, "type", cause_type_to_string(c->type));
        json_member_add_name(o, "rule", c->rule);
        json_member_add_name(o, "source", c->source);
        json_member_add_name(o, "explanation", c->explanation);
        return o;
}

static void add_records(json_object *o, const WhyReport *r) {
        static const char *const words[] = {
                [HISTORY_NONE] = "none",
                [HISTORY_ITSELF] = "itself",
                [HISTORY_WITH_DIRECTORY] = "with-directory",
                [HISTORY_IN_FOLD] = "in-fold",
        };
        json_object *array = json_object_new_array();

        for (size_t i = 0; array && i < r->history->n_entries; i++) {
                const HistoryEntry *e = history_at(r->history, i);
                json_object *entry = json_object_new_object();

                if (!entry)
                        continue;
                json_member_add_string(entry, "match", words[e->match]);
                json_member_add(entry, "record", json_object_get(e->parsed.json));
                if (e->is_cause_late)
                        json_member_add(entry, "cause", cause_object(&e->parsed.cause));
                json_object_array_add(array, entry);
        }
        json_member_add(o, "records", array);
}

static void add_looked(json_object *o, const WhyReport *r) {
        const WhyLooked *l = r->looked;
        json_object *looked = json_object_new_object();

        if (!looked)
                return;
        json_member_add_string(looked, "source", l->file ? "file" : "journal");
        json_member_add_name(looked, "path", l->file ? l->file : l->directory);
        if (l->error < 0)
                json_member_add_string(looked, "error", strerror(-l->error));
        if (l->is_partly)
                add_bool(looked, "is_partly", true);
        add_time(looked, "since", l->since_nsec);
        add_time(looked, "last_record", l->last_nsec);
        json_member_add(o, "looked_at", looked);
}

static void add_errors(json_object *o, const WhyReport *r) {
        json_object *errors = json_object_new_array();

        for (size_t i = 0; errors && i < r->n_scopes; i++)
                if (r->scopes[i].error)
                        json_object_array_add(
                                errors,
                                json_member_lossy(r->scopes[i].error, strlen(r->scopes[i].error)));
        if (errors && json_object_array_length(errors) > 0)
                json_member_add(o, "errors", errors);
        else
                json_object_put(errors);
}

int why_report_to_json(const WhyReport *r, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_buffer_ Buffer verdict = {0};
        json_object *fates, *logrotate;

        if (!o)
                return -ENOMEM;
        add_target(o, r->target);
        add_bool(o, "is_answered", why_report_is_answer(r));
        if (r->target->exists) {
                why_words_verdict(&verdict, r->target, r->fates, r->n_fates, r->place, r->now_nsec);
                json_member_add_string(o, "verdict", buffer_terminate(&verdict));
        }
        fates = json_object_new_array();
        for (size_t i = 0; fates && i < r->n_fates; i++)
                json_object_array_add(fates, fate_object(r, &r->fates[i]));
        json_member_add(o, "tmpfiles", fates);
        if (r->target->exists)
                add_place(o, r->place);
        logrotate = r->logrotate ? json_object_new_object() : NULL;
        if (logrotate) {
                add_source(logrotate, r->logrotate->file, r->logrotate->line);
                json_member_add(o, "logrotate", logrotate);
        }
        if (r->history)
                add_records(o, r);
        if (r->looked)
                add_looked(o, r);
        add_errors(o, r);
        *ret = o;
        o = NULL;
        return 0;
}
