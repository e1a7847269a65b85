/* SPDX-License-Identifier: MIT */

/*
 * Why, for people.
 *
 *      why: cron ran it as root: /usr/local/bin/clean (/etc/cron.d/clean:3)
 *
 * Like a path, it is never cut: what is to be done about it stands at its end.
 */

#include "record/text_cause.h"

#include <stdbool.h>
#include <string.h>

#include "base/escape.h"

static void append_string(const TextLine *l, const char *s) {
        escape_append_terminal(l->out, s, strlen(s));
}

/* Without a sentence there is at least what kind it is, and the rule. */
static void append_bare(const TextLine *l, const Cause *c) {
        const char *const what[] = {c->rule, c->triggered_by, c->unit};

        buffer_append_string(l->out, cause_type_to_string(c->type));
        for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++)
                if (what[i]) {
                        buffer_append_char(l->out, ' ');
                        text_line_word(l->out, what[i], strlen(what[i]));
                        return;
                }
}

void text_cause_append(const TextLine *l, const Cause *c) {
        text_line_begin(l);
        text_line_label(l, "why: ");
        if (c->explanation)
                append_string(l, c->explanation);
        else
                append_bare(l, c);
        if (c->source && !(c->explanation && strstr(c->explanation, c->source))) {
                buffer_append_literal(l->out, " (");
                append_string(l, c->source);
                buffer_append_char(l->out, ')');
        }
        text_line_end(l);
}
