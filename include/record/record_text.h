/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records for people: time, action and path, and below it, once for consecutive deletions of
 * one process, who it was.
 */

#include <stdbool.h>
#include <stddef.h>

#include "identify/user_names.h"
#include "record/record.h"

typedef struct RecordText RecordText;

typedef struct RecordTextOptions {
        bool is_colored;
        size_t n_columns; /* of the terminal; 0: lines are not fitted */
} RecordTextOptions;

/* @names: borrowed */
int record_text_new(RecordTextOptions options, UserNames *names, RecordText **ret_text);
RecordText *record_text_free(RecordText *t);
/* The terminal has another width now. */
void record_text_set_columns(RecordText *t, size_t n_columns);

/*
 * record_text_append() - append one record, ending in a newline
 *
 * START and STOP append nothing: they are said on stderr.  Names come through
 * escape_append_terminal() or escape_append_shell_word(); nothing in them can reach the terminal as
 * a control.  Short of memory, ret_text->is_failed is set and what was appended may lack a part.
 */
void record_text_append(RecordText *t, const Record *record, Buffer *ret_text);
