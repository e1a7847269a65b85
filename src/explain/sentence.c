/* SPDX-License-Identifier: MIT */

/* What was found out goes in as it is: renderers escape it. */

#include "explain/sentence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "explain/arguments.h"
#include "identify/process_view.h"

/* Takes the buffer's bytes. */
static int take(Buffer *b, char **to) {
        char *copy = strdup(buffer_terminate(b));
        int r = b->is_failed || !copy ? -ENOMEM : 0;

        buffer_done(b);
        if (r < 0) {
                free(copy);
                return r;
        }
        free(*to);
        *to = copy;
        return 0;
}

static int set(const char *text, char **to) {
        char *copy = text ? strdup(text) : NULL;

        if (text && !copy)
                return -ENOMEM;
        free(*to);
        *to = copy;
        return 0;
}

static void append_source(const Cause *c, Buffer *b) {
        if (c->source)
                buffer_append_format(b, " (%s)", c->source);
}

static void append_cut(Buffer *b, const char *text) {
        const size_t start = b->n_bytes;

        buffer_append_string(b, text);
        if (!b->is_failed)
                arguments_cut(b, start);
}

static int command_line(const ProcessView *v, char **to) {
        Buffer b = {0};

        arguments_append(v->facts, &b);
        return take(&b, to);
}

int sentence_cron(const Askers *a, const CronSource *s, Cause *c) {
        const char *rule = s->script ? s->script : s->command;
        const char *daemon = a->is_at ? "at" : a->is_anacron ? "anacron" : "cron";
        Buffer b = {0};

        c->type = CAUSE_CRON;
        if (set(rule, &c->rule) < 0 || set(s->source, &c->source) < 0)
                return -ENOMEM;
        buffer_append_format(&b, "%s ran ", daemon);
        buffer_append_string(&b, s->script  ? s->script
                                 : a->is_at ? "a job that was queued once"
                                            : "a job");
        if (s->user)
                buffer_append_format(&b, " as %s", s->user);
        if (s->command) {
                buffer_append_literal(&b, ": ");
                append_cut(&b, s->command);
        }
        append_source(c, &b);
        return take(&b, &c->explanation);
}

int sentence_logrotate(const Askers *a, const LogrotateStanza *stanza, Cause *c) {
        Buffer b = {0};

        c->type = CAUSE_LOGROTATE;
        if (command_line(a->logrotate, &c->rule) < 0)
                return -ENOMEM;
        if (stanza && asprintf(&c->source, "%s:%zu", stanza->file, stanza->line) < 0) {
                c->source = NULL;
                return -ENOMEM;
        }
        if (stanza)
                buffer_append_format(&b,
                                     "logrotate did it by the stanza at %s: \"rotate\" and "
                                     "\"maxage\" there say how many old ones stay and how long",
                                     c->source);
        else
                buffer_append_literal(&b, "logrotate did it, but no stanza of its configuration "
                                          "names the file");
        if (a->cron)
                buffer_append_literal(&b, "; cron had started it");
        return take(&b, &c->explanation);
}

static const char *script_of(const Deleter *d, const Askers *a) {
        const ProcessView *v;

        for (size_t i = 0; (v = askers_process_at(d, i)) && v != a->tool; i++)
                for (size_t k = 0; k < 2; k++) {
                        const char *arg = arguments_at(v->facts, k);

                        if (arg && arg[0] == '/' && strstr(arg, "/dpkg/info/"))
                                return arg;
                }
        return NULL;
}

int sentence_package(const Deleter *d, const Askers *a, Cause *c) {
        const char *script = script_of(d, a), *name;
        const char *dot = script ? strrchr(script, '.') : NULL;
        size_t n_name;
        Buffer b = {0};

        c->type = CAUSE_PACKAGE;
        if (command_line(a->package, &c->rule) < 0 || set(script, &c->source) < 0)
                return -ENOMEM;
        if (dot && !strchr(dot, '/'))
                buffer_append_format(&b, "the %s script of ", dot + 1);
        if (askers_package(d, a, &name, &n_name) >= 0) {
                buffer_append_literal(&b, "package ");
                buffer_append(&b, name, n_name);
                buffer_append_string(&b, dot ? " did it, for: " : " was changed by: ");
        } else {
                buffer_append_literal(&b, "packages were changed by: ");
        }
        append_cut(&b, c->rule);
        if (a->cron)
                buffer_append_literal(&b, "; cron had started it");
        return take(&b, &c->explanation);
}

/* "2026-12-01 06:00:00 UTC" */
static void append_time(Buffer *b, uint64_t usec) {
        const time_t seconds = (time_t)(usec / 1000000);
        char text[64];
        struct tm tm;

        if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
                buffer_append_string(b, text);
}

/* "x.timer, which ran last at … and runs next at …" */
static void append_trigger(const UnitFacts *f, Buffer *b) {
        buffer_append_string(b, f->triggered_by);
        if (f->last_usec == 0 && f->next_usec == 0)
                return;
        buffer_append_literal(b, ", which ");
        if (f->last_usec > 0) {
                buffer_append_literal(b, "ran last at ");
                append_time(b, f->last_usec);
        }
        if (f->next_usec > 0) {
                buffer_append_string(b, f->last_usec > 0 ? " and runs next at " : "runs next at ");
                append_time(b, f->next_usec);
        }
}

int sentence_timer(const char *unit, const UnitFacts *f, Cause *c) {
        Buffer b = {0};

        c->type = CAUSE_TIMER;
        if (set(f->fragment_path, &c->source) < 0)
                return -ENOMEM;
        buffer_append_string(&b, unit);
        if (f->description)
                buffer_append_format(&b, " (%s)", f->description);
        buffer_append_literal(&b, " did it, started by ");
        append_trigger(f, &b);
        return take(&b, &c->explanation);
}

int sentence_append_trigger(const UnitFacts *f, Cause *c) {
        Buffer b = {0};

        if (!f->triggered_by || !c->explanation)
                return 0;
        buffer_append_string(&b, c->explanation);
        buffer_append_literal(&b, "; started by ");
        append_trigger(f, &b);
        return take(&b, &c->explanation);
}

int sentence_container(const char *name, const char *runtime, const ContainerState *s, Cause *c) {
        /* Of a hash as many digits as its own tools show. */
        const int n = strlen(name) == 64 ? 12 : -1;
        Buffer b = {0};

        c->type = CAUSE_CONTAINER;
        if (set(s ? s->source : NULL, &c->source) < 0)
                return -ENOMEM;
        if (s && s->name)
                buffer_append_format(&b, "container %s (", s->name);
        else
                buffer_append_format(&b, "container %.*s", n < 0 ? (int)strlen(name) : n, name);
        if (s && s->name)
                buffer_append_format(&b, "%.*s)", n < 0 ? (int)strlen(name) : n, name);
        if (runtime)
                buffer_append_format(&b, " of %s", runtime);
        if (s && s->image)
                buffer_append_format(&b, ", image %s,", s->image);
        buffer_append_literal(&b, " did it: look at what it runs");
        return take(&b, &c->explanation);
}

int sentence_login(const SentenceLogin *l, Cause *c) {
        Buffer b = {0};

        c->type = CAUSE_LOGIN;
        buffer_append_literal(&b, "it was done ");
        if (l->user)
                buffer_append_format(&b, "in a login of %s", l->user);
        else
                buffer_append_literal(&b, "in a login");
        if (l->type == ENTRY_SSHD)
                buffer_append_literal(&b, " over ssh");
        else if (l->type == ENTRY_CONSOLE)
                buffer_append_literal(&b, " at the console");
        if (l->remote_host)
                buffer_append_format(&b, " from %s", l->remote_host);
        if (l->tty)
                buffer_append_format(&b, ", terminal %s", l->tty);
        if (l->display)
                buffer_append_format(&b, ", display %s", l->display);
        if (l->session)
                buffer_append_format(&b, ", session %s", l->session);
        return take(&b, &c->explanation);
}

int sentence_tty(int tty, char ret_name[static SENTENCE_TTY_BYTES]) {
        const unsigned major = (unsigned)tty >> 8 & 0xfff;
        const unsigned minor = ((unsigned)tty & 0xff) | ((unsigned)tty >> 12 & 0xfff00);

        if (major >= 136 && major <= 143)
                snprintf(ret_name, SENTENCE_TTY_BYTES, "pts/%u", (major - 136) * 256 + minor);
        else if (major == 4)
                snprintf(ret_name, SENTENCE_TTY_BYTES, minor < 64 ? "tty%u" : "ttyS%u",
                         minor < 64 ? minor : minor - 64);
        else
                return -ENODATA;
        return 0;
}
