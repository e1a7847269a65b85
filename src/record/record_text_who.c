/* SPDX-License-Identifier: MIT */

/*
 * Who deleted something, in a few lines for people.
 *
 * Names of processes and users and each argument go through escape_append_shell_word(): whatever
 * holds a blank, an arrow or a bracket is quoted, so that a process that calls itself
 * "rm[1] as root" cannot be read as that.
 *
 * Only the command line and the chain are cut to the terminal: they have no end to speak of, and
 * --output=json has them whole.
 */

#include "record/record_text_who.h"

#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "identify/cgroup.h"
#include "record/text_style.h"

typedef struct Writer {
        RecordTextOptions options;
        UserNames *names;
        Buffer *out;
        Buffer *scratch; /* of the line that is being fitted */
} Writer;

static void append_label(const Writer *w, const char *word) {
        text_style_append(w->out, w->options.is_colored, TEXT_STYLE_DIM, word);
}

static void begin_line(const Writer *w) {
        _Static_assert(sizeof("                 ") - 1 == RECORD_TEXT_INDENT, "blanks");
        buffer_append(w->out, "                 ", RECORD_TEXT_INDENT);
}

static void end_line(const Writer *w) {
        buffer_append_char(w->out, '\n');
}

/* Bytes of the escape that stands at a backslash; 1 for anything else. */
static size_t escape_length(const char *text, size_t n_bytes) {
        if (n_bytes < 2 || text[0] != '\\')
                return 1;
        switch (text[1]) {
        case 'x':
                return 4;
        case 'u':
                return 6;
        case 'U':
                return 10;
        default:
                return 2;
        }
}

/* As escape_fit(), and not inside an escape either: half of one reads as something else. */
static size_t fit_escaped(const char *text, size_t n_bytes, size_t n_columns) {
        size_t n_fit = escape_fit(text, n_bytes, n_columns), at = 0;

        while (at < n_fit) {
                size_t n = escape_length(text + at, n_bytes - at);

                if (n > n_fit - at)
                        break;
                at += n;
        }
        return at;
}

/* Appends w->scratch, cut to what is left of the line behind n_used columns. */
static void append_fitted(const Writer *w, size_t n_used) {
        const char *text = w->scratch->bytes;
        size_t n = w->scratch->n_bytes, room = w->options.n_columns;

        if (room < RECORD_TEXT_COLUMNS_MIN)
                room = RECORD_TEXT_COLUMNS_MIN;
        room -= n_used;
        if (w->options.n_columns == 0 || escape_width(text, n) <= room) {
                buffer_append(w->out, text, n);
                return;
        }
        buffer_append(w->out, text, fit_escaped(text, n, room - 1));
        buffer_append_literal(w->out, "…");
}

static void append_user(const Writer *w, uid_t uid) {
        const char *name = user_names_user(w->names, uid);

        if (name)
                escape_append_shell_word(w->out, name, strlen(name));
        else
                buffer_append_format(w->out, "uid %" PRIu32, (uint32_t)uid);
}

/* "rm", or "pid 4711". */
static void append_process_name(const ProcessView *v, Buffer *b) {
        if (v->facts && v->facts->name)
                escape_append_shell_word(b, v->facts->name, strlen(v->facts->name));
        else if (v->pid > 0)
                buffer_append_format(b, "pid %d", (int)v->pid);
        else
                buffer_append_literal(b, "a process of another pid namespace");
}

static void append_identity(const Writer *w, const ProcessView *v) {
        const ProcessFacts *f = v->facts;

        begin_line(w);
        append_process_name(v, w->out);
        if (f && f->name)
                buffer_append_format(w->out, "[%d]", (int)v->pid);
        if (f && f->has_ids) {
                append_label(w, " as ");
                append_user(w, f->ids.effective_uid);
                if (f->ids.real_uid != f->ids.effective_uid) {
                        append_label(w, ", real user ");
                        append_user(w, f->ids.real_uid);
                }
        }
        if (f && f->login_uid != PROCESS_ID_UNSET) {
                append_label(w, ", login ");
                append_user(w, f->login_uid);
        }
        end_line(w);
}

/* What a person has to know before believing the rest; nothing when it was seen itself. */
static void append_attribution(const Writer *w, Attribution a) {
        static const char *const words[] = {
                [ATTRIBUTION_NONE] = "not known who it was",
                [ATTRIBUTION_PID_ONLY] = "known only by its pid: it ended before it could be seen",
                [ATTRIBUTION_EXIT] = "known only by what the kernel said at its end",
                [ATTRIBUTION_FORK] = "it ran no program of its own and ended before it could be "
                                     "seen: this is what its parent was when it forked",
                [ATTRIBUTION_EXEC] = NULL,
                [ATTRIBUTION_LIVE] = NULL,
        };

        if (!words[a])
                return;
        begin_line(w);
        buffer_append_format(w->out, "(%s)", words[a]);
        end_line(w);
}

static void append_args(const ProcessFacts *f, Buffer *b) {
        for (size_t at = 0; at < f->n_args_bytes;) {
                size_t n = strnlen(f->args + at, f->n_args_bytes - at);

                if (at > 0)
                        buffer_append_char(b, ' ');
                escape_append_shell_word(b, f->args + at, n);
                at += n + 1;
        }
        if (f->is_args_cut)
                buffer_append_literal(b, " …");
}

static void append_command(const Writer *w, const ProcessFacts *f, Attribution a) {
        begin_line(w);
        buffer_clear(w->scratch);
        if (f->args && f->n_args_bytes > 0) {
                append_label(w, "$ ");
                append_args(f, w->scratch);
                append_fitted(w, RECORD_TEXT_INDENT + strlen("$ "));
        } else if (f->executable) {
                append_label(w, "program ");
                escape_append_shell_word(w->scratch, f->executable, strlen(f->executable));
                buffer_append_literal(w->scratch, " (arguments not known)");
                append_fitted(w, RECORD_TEXT_INDENT + strlen("program "));
        } else if (a == ATTRIBUTION_LIVE) {
                append_label(w, "(no arguments: a thread of the kernel, or it emptied them)");
        } else {
                append_label(w, "(arguments not known: it ended before they could be read)");
        }
        end_line(w);
}

static void append_units(const Writer *w, const char *cgroup) {
        CgroupUnits u;

        cgroup_units_parse(cgroup, strlen(cgroup), &u);
        if (!u.unit && !u.slice)
                return;
        begin_line(w);
        append_label(w, "in ");
        if (u.user_unit) {
                escape_append_shell_word(w->out, u.user_unit, u.n_user_unit);
                append_label(w, " of ");
        }
        if (u.session) {
                buffer_append_literal(w->out, "session ");
                escape_append_shell_word(w->out, u.session, u.n_session);
                append_label(w, ", ");
        }
        if (u.unit)
                escape_append_shell_word(w->out, u.unit, u.n_unit);
        else
                escape_append_shell_word(w->out, u.slice, u.n_slice);
        end_line(w);
}

static void append_chain(const Writer *w, const Deleter *d) {
        if (d->n_ancestors == 0)
                return;
        buffer_clear(w->scratch);
        append_process_name(&d->process, w->scratch);
        for (size_t i = 0; i < d->n_ancestors; i++) {
                buffer_append_literal(w->scratch, " ← ");
                append_process_name(&d->ancestors[i], w->scratch);
        }
        /* All chains end at init or at the parent of the kernel's threads. */
        if (d->ancestors[d->n_ancestors - 1].pid > 2)
                buffer_append_literal(w->scratch, " ← ?");
        begin_line(w);
        text_style_set(w->out, w->options.is_colored, TEXT_STYLE_DIM);
        append_fitted(w, RECORD_TEXT_INDENT);
        text_style_set(w->out, w->options.is_colored, TEXT_STYLE_PLAIN);
        end_line(w);
}

void record_text_who_append(RecordTextOptions options, UserNames *names, const Deleter *d,
                            Buffer *ret_text) {
        _cleanup_buffer_ Buffer scratch = {0};
        const Writer w = {.options = options, .names = names, .out = ret_text, .scratch = &scratch};

        if (!d || d->attribution == ATTRIBUTION_NONE) {
                append_attribution(&w, ATTRIBUTION_NONE);
                return;
        }
        append_identity(&w, &d->process);
        append_attribution(&w, d->attribution);
        if (d->process.facts) {
                append_command(&w, d->process.facts, d->attribution);
                if (d->process.facts->cgroup)
                        append_units(&w, d->process.facts->cgroup);
        }
        append_chain(&w, d);
        if (scratch.is_failed)
                ret_text->is_failed = true;
}
