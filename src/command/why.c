/* SPDX-License-Identifier: MIT */

/* The verb `why`: reads its options, looks, prints. */

#include "command/why.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/escape.h"
#include "command/why_all.h"
#include "command/why_cause.h"
#include "command/why_records.h"
#include "command/why_report.h"
#include "command/why_world.h"
#include "record/json_member.h"

/* All about one path, as it is collected. */
typedef struct Answer {
        WhyTarget target;
        WhyFate fates[WHY_SCOPES_MAX];
        size_t n_fates;
        WhyPlace place;
        History history;
        WhyLooked looked;
} Answer;

static void answer_done(Answer *a) {
        for (size_t i = 0; i < a->n_fates; i++)
                why_fate_done(&a->fates[i]);
        history_done(&a->history);
        why_target_done(&a->target);
}

static int find_fates(const WhyWorld *w, Answer *a) {
        WhyOracle oracle = w->oracle;

        /* Of what is gone, only the name tells which lines had to do with it. */
        if (!a->target.exists)
                oracle.tree = NULL;
        for (size_t i = 0; i < w->n_scopes; i++) {
                int r = why_fate_find(&w->scopes[i], a->target.path, &oracle,
                                      &a->fates[a->n_fates]);

                if (r == -ENODATA)
                        continue;
                if (r < 0)
                        return r;
                a->n_fates++;
        }
        return 0;
}

static int look(const WhyOptions *o, const WhyWorld *w, const char *path, Answer *a,
                WhyReport *ret_report) {
        const WhyRecords records = {
                .file = o->file, .directory = o->directory, .n_max = o->n_records_max};
        int r = why_target_look(path, &a->target);

        if (r >= 0)
                r = find_fates(w, a);
        if (r >= 0)
                r = why_records_find(&records, a->target.path, &a->history, &a->looked);
        /* Records of another machine are not of this configuration. */
        if (r >= 0 && !o->file && !o->directory)
                r = why_cause_complete(&a->history);
        if (r < 0)
                return r;
        if (w->has_mounts)
                a->place = why_place_find(&w->mounts, a->target.path);
        *ret_report = (WhyReport){
                .target = &a->target,
                .scopes = w->scopes,
                .n_scopes = w->n_scopes,
                .fates = a->fates,
                .n_fates = a->n_fates,
                .place = w->has_mounts ? &a->place : NULL,
                .logrotate = logrotate_config_find(&w->logrotate, a->target.path),
                .looked = &a->looked,
                .history = &a->history,
                .now_nsec = w->oracle.now.realtime_nsec,
        };
        return 0;
}

static bool is_colored(void) {
        const char *no_color = getenv("NO_COLOR");

        return isatty(STDOUT_FILENO) && (!no_color || no_color[0] == '\0');
}

static size_t columns(void) {
        struct winsize size;

        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static int status_of(const WhyReport *r) {
        if (why_report_is_answer(r))
                return WHY_EXIT_ANSWER;
        return why_report_is_partial(r) ? WHY_EXIT_ERROR : WHY_EXIT_NOTHING;
}

/* Appends the answer about one path. Return: an exit status, negative errno. */
static int answer(const WhyOptions *o, const WhyWorld *w, const char *path, Buffer *text,
                  json_object *array) {
        Answer a = {0};
        WhyReport report;
        int r = look(o, w, path, &a, &report);

        if (r >= 0 && o->is_json) {
                json_object *object;

                r = why_report_to_json(&report, &object);
                if (r >= 0)
                        json_object_array_add(array, object);
        } else if (r >= 0) {
                if (text->n_bytes > 0)
                        buffer_append_char(text, '\n');
                r = why_report_append_text(&report, is_colored(), columns(), text);
        }
        if (r >= 0)
                r = status_of(&report);
        answer_done(&a);
        return r;
}

/* @why: in place of the error's own words; NULL */
static void say_error(const char *path, int error, const char *why) {
        _cleanup_buffer_ Buffer b = {0};

        buffer_append_literal(&b, "whodunlink why: ");
        if (path) {
                escape_append_terminal(&b, path, strlen(path));
                buffer_append_literal(&b, ": ");
        }
        if (why)
                escape_append_terminal(&b, why, strlen(why));
        else
                buffer_append_string(&b, strerror(-error));
        if (error == -EACCES)
                buffer_append_literal(&b, "; run it as root");
        buffer_append_char(&b, '\n');
        (void)fwrite(b.bytes, 1, b.n_bytes, stderr);
}

/* Whoever has mistyped the line that was to keep a file finds it here. Others' mistakes are theirs.
 */
static void say_ignored(const WhyWorld *w) {
        static const char vendor[] = "/usr/";

        for (size_t i = 0; i < w->n_scopes; i++) {
                const TmpfilesConfig *c = &w->scopes[i].config;
                const TmpfilesRule *first = NULL;
                _cleanup_buffer_ Buffer b = {0};
                size_t n = 0;

                for (size_t k = 0; k < c->n_rules; k++) {
                        if (!c->rules[k].is_mistake ||
                            strncmp(c->rules[k].file, vendor, strlen(vendor)) == 0)
                                continue;
                        if (n++ == 0)
                                first = &c->rules[k];
                }
                if (n == 0)
                        continue;
                buffer_append_literal(&b, "whodunlink why: ");
                escape_append_terminal(&b, first->file, strlen(first->file));
                buffer_append_format(&b, ":%u is ignored by systemd-tmpfiles", first->number);
                if (n > 1)
                        buffer_append_format(
                                &b, n == 2 ? ", as %zu other line is" : ", as %zu other lines are",
                                n - 1);
                buffer_append_literal(&b, ": ");
                escape_append_terminal(&b, first->fault, strlen(first->fault));
                buffer_append_char(&b, '\n');
                (void)fwrite(b.bytes, 1, b.n_bytes, stderr);
        }
}

static int answer_all(const WhyOptions *o, const WhyWorld *w, Buffer *text, json_object *array) {
        int status = WHY_EXIT_ANSWER;

        for (size_t i = 0; i < o->n_paths; i++) {
                int r = o->is_all ? why_all(o, w, o->paths[i], text, array)
                                  : answer(o, w, o->paths[i], text, array);

                if (r < 0) {
                        /* Without a configuration there is a reason. */
                        say_error(o->paths[i], r, r == -ENODATA ? w->scopes[0].error : NULL);
                        r = WHY_EXIT_ERROR;
                }
                if (r > status)
                        status = r;
        }
        return status;
}

/* {"version":…,"paths":[…]} */
static int append_json(json_object *array, Buffer *b) {
        _cleanup_json_ json_object *top = json_object_new_object();
        const char *s;
        size_t n;

        if (!top)
                return -ENOMEM;
        json_member_add_string(top, "version", PROJECT_VERSION);
        json_member_add(top, "paths", json_object_get(array));
        s = json_object_to_json_string_length(
                top, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
        if (!s)
                return -ENOMEM;
        buffer_append(b, s, n);
        buffer_append_char(b, '\n');
        return b->is_failed ? -ENOMEM : 0;
}

static int print(const Buffer *b) {
        if (b->is_failed)
                return -ENOMEM;
        /* Of nothing there may be no bytes to point to. */
        if (b->n_bytes > 0 && fwrite(b->bytes, 1, b->n_bytes, stdout) < b->n_bytes)
                return -errno;
        if (fflush(stdout) != 0)
                return -errno;
        return 0;
}

static int run(const WhyOptions *o, const WhyWorld *w) {
        _cleanup_json_ json_object *array = o->is_json ? json_object_new_array() : NULL;
        _cleanup_buffer_ Buffer out = {0};
        int status, r = 0;

        if (o->is_json && !array)
                return -ENOMEM;
        say_ignored(w);
        status = answer_all(o, w, &out, array);
        if (o->is_json)
                r = append_json(array, &out);
        if (r >= 0)
                r = print(&out);
        return r < 0 ? r : status;
}

int why_main(int argc, char **argv) {
        WhyOptions o;
        WhyWorld w;
        int r;

        r = why_options_parse(argc, argv, &o);
        if (r <= 0)
                return r < 0 ? WHY_EXIT_USAGE : WHY_EXIT_ANSWER;
        r = why_world_load(&o, &w);
        if (r >= 0)
                r = run(&o, &w);
        why_world_done(&w);
        if (r < 0) {
                say_error(NULL, r, NULL);
                return WHY_EXIT_ERROR;
        }
        return r;
}
