/* SPDX-License-Identifier: MIT */

/*
 * Indented lines for people.
 *
 * Names of processes, units and users and each argument go through escape_append_shell_word():
 * whatever holds a blank, an arrow or a bracket is quoted, so that a process that calls itself
 * "rm[1] as root" cannot be read as that.
 */

#include "record/text_line.h"

#include <string.h>

#include "base/escape.h"
#include "record/text_style.h"

void text_line_begin(const TextLine *l) {
        _Static_assert(sizeof("                 ") - 1 == TEXT_LINE_INDENT, "blanks");
        buffer_append(l->out, "                 ", TEXT_LINE_INDENT);
}

void text_line_end(const TextLine *l) {
        buffer_append_char(l->out, '\n');
}

void text_line_label(const TextLine *l, const char *word) {
        text_style_append(l->out, l->options.is_colored, TEXT_STYLE_DIM, word);
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

void text_line_fit(const TextLine *l, size_t n_used) {
        const char *text = l->scratch->bytes;
        size_t n = l->scratch->n_bytes, room = l->options.n_columns;

        if (room < TEXT_LINE_COLUMNS_MIN)
                room = TEXT_LINE_COLUMNS_MIN;
        room -= n_used;
        if (l->options.n_columns == 0 || escape_width(text, n) <= room) {
                buffer_append(l->out, text, n);
                return;
        }
        buffer_append(l->out, text, fit_escaped(text, n, room - 1));
        buffer_append_literal(l->out, "…");
}

void text_line_word(Buffer *b, const char *bytes, size_t n_bytes) {
        escape_append_shell_word(b, bytes, n_bytes);
}

void text_line_process(Buffer *b, const ProcessView *v) {
        if (v->facts && v->facts->name)
                text_line_word(b, v->facts->name, strlen(v->facts->name));
        else if (v->pid > 0)
                buffer_append_format(b, "pid %d", (int)v->pid);
        else
                buffer_append_literal(b, "a process of another pid namespace");
}

void text_line_process_and_pid(Buffer *b, const ProcessView *v) {
        text_line_process(b, v);
        if (v->facts && v->facts->name)
                buffer_append_format(b, "[%d]", (int)v->pid);
}
