/* SPDX-License-Identifier: MIT */

/*
 * Who deleted something, in a few lines for people.
 *
 * Only the command line, the title and the chain are cut to the terminal: they have no end to speak
 * of, and --output=json has them whole.
 */

#include "record/record_text_who.h"

#include <inttypes.h>
#include <string.h>

#include "record/text_line.h"
#include "record/text_origin.h"

/* The names are the host's: to a process in a container its number is somebody else. */
static void append_user(const TextLine *l, UserNames *names, const ProcessFacts *f, uid_t uid) {
        const char *name = process_facts_is_in_container(f) ? NULL : user_names_user(names, uid);

        if (name)
                text_line_word(l->out, name, strlen(name));
        else
                buffer_append_format(l->out, "uid %" PRIu32, (uint32_t)uid);
}

static void append_identity(const TextLine *l, UserNames *names, const ProcessView *v) {
        const ProcessFacts *f = v->facts;

        text_line_begin(l);
        text_line_process_and_pid(l->out, v);
        if (f && f->has_ids) {
                text_line_label(l, " as ");
                append_user(l, names, f, f->ids.effective_uid);
                if (f->ids.real_uid != f->ids.effective_uid) {
                        text_line_label(l, ", real user ");
                        append_user(l, names, f, f->ids.real_uid);
                }
        }
        if (f && !f->has_ids && f->has_real_ids) {
                text_line_label(l, " by real user ");
                append_user(l, names, f, f->ids.real_uid);
        }
        if (f && f->login_uid != PROCESS_ID_UNSET) {
                text_line_label(l, ", login ");
                append_user(l, names, f, f->login_uid);
        }
        /* Why there are no names. */
        if (f && f->has_ids && process_facts_is_in_container(f))
                text_line_label(l, " (in a container)");
        text_line_end(l);
}

/* What a person has to know before believing the rest; nothing when it was seen itself. */
static void append_attribution(const TextLine *l, Attribution a) {
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
        text_line_begin(l);
        buffer_append_format(l->out, "(%s)", words[a]);
        text_line_end(l);
}

static void append_args(const ProcessFacts *f, Buffer *b) {
        for (size_t at = 0; at < f->n_args_bytes;) {
                size_t n = strnlen(f->args + at, f->n_args_bytes - at);

                if (at > 0)
                        buffer_append_char(b, ' ');
                text_line_word(b, f->args + at, n);
                at += n + 1;
        }
        if (f->is_args_cut)
                buffer_append_literal(b, " …");
}

static void append_command(const TextLine *l, const ProcessFacts *f, Attribution a) {
        text_line_begin(l);
        buffer_clear(l->scratch);
        if (f->args && f->n_args_bytes > 0) {
                text_line_label(l, "$ ");
                append_args(f, l->scratch);
                text_line_fit(l, TEXT_LINE_INDENT + strlen("$ "));
        } else if (f->executable) {
                text_line_label(l, "program ");
                text_line_word(l->scratch, f->executable, strlen(f->executable));
                buffer_append_literal(l->scratch, " (arguments not known)");
                text_line_fit(l, TEXT_LINE_INDENT + strlen("program "));
        } else if (a == ATTRIBUTION_LIVE) {
                text_line_label(l, "(no arguments: a thread of the kernel, or it emptied them)");
        } else {
                text_line_label(l, "(arguments not known: it ended before they could be read)");
        }
        text_line_end(l);
}

/* What else there is to know of its program. */
static void append_program(const TextLine *l, const Deleter *d) {
        const ProcessFacts *f = d->process.facts;

        if (f->is_executable_deleted) {
                text_line_begin(l);
                text_line_label(l, "(program deleted or replaced since it started)");
                text_line_end(l);
        }
        if (d->has_directory && f->title && (!f->name || strcmp(f->title, f->name) != 0)) {
                text_line_begin(l);
                text_line_label(l, "now calls itself ");
                buffer_clear(l->scratch);
                text_line_word(l->scratch, f->title, strlen(f->title));
                text_line_fit(l, TEXT_LINE_INDENT + strlen("now calls itself "));
                text_line_end(l);
        }
}

void record_text_who_append(RecordTextOptions options, UserNames *names, const Deleter *d,
                            Buffer *ret_text) {
        _cleanup_buffer_ Buffer scratch = {0};
        const TextLine l = {.options = options, .out = ret_text, .scratch = &scratch};

        if (!d || d->attribution == ATTRIBUTION_NONE) {
                append_attribution(&l, ATTRIBUTION_NONE);
                return;
        }
        append_identity(&l, names, &d->process);
        append_attribution(&l, d->attribution);
        if (d->process.facts) {
                append_command(&l, d->process.facts, d->attribution);
                append_program(&l, d);
        }
        text_origin_append(&l, d);
        if (scratch.is_failed)
                ret_text->is_failed = true;
}
