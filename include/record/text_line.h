/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Indented lines for people, and what is cut to the width of a terminal.
 */

#include <stddef.h>

#include "base/buffer.h"
#include "identify/process_table.h"
#include "record/record_text.h"

/* Columns of the time and the gap behind it: what is said of a deletion stands under its action. */
#define TEXT_LINE_INDENT 17
/* A line is not cut to fewer columns, however narrow the terminal. */
#define TEXT_LINE_COLUMNS_MIN 40

/* Everything is borrowed. */
typedef struct TextLine {
        RecordTextOptions options;
        Buffer *out;
        Buffer *scratch; /* of what is being fitted */
} TextLine;

void text_line_begin(const TextLine *l);
void text_line_end(const TextLine *l);
/* Appends one of our own words, dim. */
void text_line_label(const TextLine *l, const char *word);
/* Appends l->scratch, cut to what is left of the line behind n_used columns. */
void text_line_fit(const TextLine *l, size_t n_used);

/* Appends bytes of others as one word, quoted and escaped where they need it. */
void text_line_word(Buffer *b, const char *bytes, size_t n_bytes);
/* Appends "rm", or "pid 4711". */
void text_line_process(Buffer *b, const ProcessView *v);
/* Appends "rm[4711]", or "pid 4711". */
void text_line_process_and_pid(Buffer *b, const ProcessView *v);
