/* SPDX-License-Identifier: MIT */

/*
 * What will go, soonest first.
 *
 *      /tmp: the next run of systemd-tmpfiles-clean.timer is Wed 2026-12-02 06:25:12 UTC (in 23h …)
 *      Wed 2026-12-02 06:25:12 UTC (in 23h 50min):
 *        /tmp/tools/x  (/usr/lib/tmpfiles.d/tmp.conf:11, old enough since Thu 2026-11-26 …)
 *        /tmp/tools/   (…)
 *      1 file and 1 directory go; 3 more go later, 12 stay
 */

#include "command/why_all.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/escape.h"
#include "command/why_target.h"
#include "command/why_walk.h"
#include "command/why_words.h"
#include "record/json_member.h"

/* What is made of one directory. */
typedef struct All {
        const WhyOptions *options;
        const WhyWorld *world;
        const char *directory;
        const WhyScope *scope; /* whose timer the runs are of */
        uint64_t next_nsec;    /* TIMER_NEVER: none, or not known */
        WhyWalk walk;
        size_t n_files, n_directories; /* listed */
} All;

/* The configuration that a line is of. */
static const WhyScope *scope_of(const All *a, const TmpfilesRule *rule) {
        for (size_t i = 0; i < a->world->n_scopes; i++) {
                const TmpfilesConfig *c = &a->world->scopes[i].config;

                if (rule >= c->rules && rule < c->rules + c->n_rules)
                        return &a->world->scopes[i];
        }
        return a->scope;
}

static void append_rule(const WhyDue *e, Buffer *b) {
        if (e->rule)
                why_words_rule(b, e->rule, false);
        else
                buffer_append_literal(b, "line not known");
}

static void append_entry(const All *a, const WhyDue *e, Buffer *b) {
        const uint64_t now = a->world->oracle.now.realtime_nsec;
        const size_t n_path = strlen(e->path);

        buffer_append_literal(b, "  ");
        escape_append_terminal(b, e->path, n_path);
        if (e->is_directory)
                buffer_append_char(b, '/');
        buffer_append_literal(b, "  (");
        append_rule(e, b);
        buffer_append_string(b, e->due_nsec <= now ? ", old enough since " : ", old enough ");
        clock_append_local_date(b, e->due_nsec);
        buffer_append_literal(b, ")\n");
}

/*
 * The run that removes an entry.  Entries come soonest first, so that a run that removed the last
 * one and is not before this one is due removes this one, too: systemd is asked once a run.
 */
static uint64_t run_of(const All *a, const WhyDue *e, const WhyScope **last_scope,
                       uint64_t last_run_nsec) {
        const WhyScope *scope = scope_of(a, e->rule);
        uint64_t run;

        if (scope == *last_scope && last_run_nsec != TIMER_NEVER && e->due_nsec <= last_run_nsec)
                return last_run_nsec;
        *last_scope = scope;
        (void)why_fate_run(scope, &a->world->oracle, e->due_nsec, &run);
        return run;
}

static void append_run(const All *a, uint64_t run_nsec, Buffer *b) {
        if (run_nsec == TIMER_NEVER)
                buffer_append_literal(b, "at the next systemd-tmpfiles --clean, whenever that is");
        else
                why_words_date(b, run_nsec, a->world->oracle.now.realtime_nsec);
        buffer_append_literal(b, ":\n");
}

static void append_entries(All *a, Buffer *b) {
        const WhyDueList *l = &a->walk.list;
        const WhyScope *scope = NULL;
        uint64_t run = TIMER_NEVER;

        for (size_t i = 0; i < l->n_entries; i++) {
                uint64_t next = run_of(a, &l->entries[i], &scope, run);

                if (i == 0 || next != run)
                        append_run(a, next, b);
                run = next;
                append_entry(a, &l->entries[i], b);
        }
}

static void append_count(Buffer *b, uint64_t n, const char *one, const char *many) {
        buffer_append_u64(b, n);
        buffer_append_char(b, ' ');
        buffer_append_string(b, n == 1 ? one : many);
}

static void append_sum(const All *a, Buffer *b) {
        const WhyWalk *w = &a->walk;
        const uint64_t n_kept = w->n_seen - w->list.n_added - w->n_later;

        append_count(b, w->list.n_added, "goes", "go");
        if (w->list.n_added > w->list.n_entries)
                buffer_append_format(b, ", of which the soonest %zu are listed (--limit)",
                                     w->list.n_entries);
        buffer_append_literal(b, ", ");
        append_count(b, w->n_later, "goes later", "go later");
        buffer_append_literal(b, ", ");
        append_count(b, n_kept, "stays", "stay");
        if (w->n_unreadable > 0) {
                buffer_append_literal(b, "; ");
                append_count(b, w->n_unreadable, "directory could not be looked into",
                             "directories could not be looked into");
        }
        buffer_append_char(b, '\n');
}

static void append_text(All *a, Buffer *b) {
        const WhyFate timer = {.scope = a->scope, .next_nsec = a->next_nsec};

        if (b->n_bytes > 0)
                buffer_append_char(b, '\n');
        escape_append_terminal(b, a->directory, strlen(a->directory));
        buffer_append_literal(b, ": ");
        why_words_run(b, &timer, a->world->oracle.now.realtime_nsec);
        buffer_append_char(b, '\n');
        append_entries(a, b);
        append_sum(a, b);
}

static void add_time(json_object *o, const char *key, uint64_t nsec) {
        _cleanup_buffer_ Buffer b = {0};

        if (nsec == TIMER_NEVER)
                return;
        clock_append_rfc3339(&b, nsec);
        json_member_add_string(o, key, buffer_terminate(&b));
}

static json_object *entry_object(const WhyDue *e, uint64_t run_nsec) {
        json_object *o = json_object_new_object();
        _cleanup_buffer_ Buffer source = {0};

        if (!o)
                return NULL;
        json_member_add_name(o, "path", e->path);
        json_member_add_string(o, "type", e->is_directory ? "dir" : "file");
        add_time(o, "due", e->due_nsec);
        add_time(o, "run", run_nsec);
        if (e->rule) {
                json_member_add_name(o, "rule", e->rule->text);
                buffer_append_string(&source, e->rule->file);
                buffer_append_format(&source, ":%u", e->rule->number);
                json_member_add_name(o, "source", buffer_terminate(&source));
        }
        return o;
}

static json_object *entries_array(const All *a) {
        const WhyDueList *l = &a->walk.list;
        json_object *array = json_object_new_array();
        const WhyScope *scope = NULL;
        uint64_t run = TIMER_NEVER;

        for (size_t i = 0; array && i < l->n_entries; i++) {
                run = run_of(a, &l->entries[i], &scope, run);
                json_object_array_add(array, entry_object(&l->entries[i], run));
        }
        return array;
}

static int add_json(const All *a, json_object *array) {
        json_object *o = json_object_new_object();
        const WhyWalk *w = &a->walk;

        if (!o)
                return -ENOMEM;
        json_member_add_name(o, "path", a->directory);
        json_member_add_string(o, "triggered_by", WHY_TIMER);
        add_time(o, "next_run", a->next_nsec);
        add_time(o, "until", w->until_nsec);
        json_member_add(o, "entries", entries_array(a));
        json_member_add(o, "n_going", json_object_new_uint64(w->list.n_added));
        json_member_add(o, "n_later", json_object_new_uint64(w->n_later));
        json_member_add(o, "n_seen", json_object_new_uint64(w->n_seen));
        json_member_add(o, "n_unreadable", json_object_new_uint64(w->n_unreadable));
        return json_object_array_add(array, o) < 0 ? -ENOMEM : 0;
}

/* Until when something has to be due to be listed. */
static uint64_t horizon(const All *a) {
        const uint64_t now = a->world->oracle.now.realtime_nsec;

        if (a->options->in_nsec > 0)
                return a->options->in_nsec > UINT64_MAX - now ? UINT64_MAX
                                                              : now + a->options->in_nsec;
        /* Without a timer: what systemd-tmpfiles --clean would remove now. */
        return a->next_nsec == TIMER_NEVER ? now : a->next_nsec;
}

static int look(All *a) {
        const WhyWorld *w = a->world;
        bool has_config = false;

        for (size_t i = 0; i < w->n_scopes; i++)
                has_config |= w->scopes[i].clean != NULL;
        if (!has_config)
                return -ENODATA;
        a->scope = &w->scopes[w->n_scopes - 1];
        a->next_nsec = a->scope->timer_error == 0 ? timer_next(&a->scope->schedule, &w->oracle.now)
                                                  : TIMER_NEVER;
        a->walk.world = w;
        a->walk.until_nsec = horizon(a);
        why_due_list_init(&a->walk.list, a->options->n_listed_max);
        return why_walk_run(&a->walk, a->directory);
}

int why_all(const WhyOptions *o, const WhyWorld *w, const char *directory, Buffer *text,
            json_object *array) {
        _cleanup_why_target_ WhyTarget t = {0};
        All a = {.options = o, .world = w};
        int r = why_target_look(directory, &t);

        if (r < 0)
                return r;
        if (t.error < 0)
                return t.error;
        if (!t.exists)
                return -ENOENT;
        a.directory = t.path;
        r = look(&a);
        if (r >= 0) {
                why_due_list_sort(&a.walk.list);
                if (array)
                        r = add_json(&a, array);
                else
                        append_text(&a, text);
        }
        if (r >= 0)
                r = a.walk.list.n_added > 0 ? WHY_EXIT_ANSWER : WHY_EXIT_NOTHING;
        why_due_list_done(&a.walk.list);
        return r;
}
