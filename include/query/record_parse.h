/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A record that was written as a JSON line, read back into the structure that all renderings take.
 *
 * Lines come from the journal or from a file, so they may be anybody's: nothing in them is
 * trusted, and what is not as record_json.c writes it counts as not known.
 */

#include <json-c/json.h>
#include <stddef.h>

#include "explain/cause.h"
#include "identify/user_names.h"
#include "record/record.h"

/* A longer line is no record of ours: 64 ancestors with all of their arguments fit. */
#define RECORD_PARSE_LINE_MAX ((size_t)4 << 20)

typedef struct RecordParsed {
        Record record;     /* borrows from what follows */
        json_object *json; /* all of the line */
        Deleter *deleter;
        Cause cause;
        Remains remains;
        Holder holders[HOLDERS_MAX];
        Buffer directory, name, new_directory, new_name;
        Buffer upper_path, container_path, also_at, message;
        RecordFold fold;
        Buffer common_directory, first, last;
} RecordParsed;

#define _cleanup_record_parsed_ _cleanup_(record_parsed_done)

/*
 * record_parse() - read one line
 * @line:       without its newline, or with it
 * @ret_parsed: filled on 0, released by record_parsed_done(); untouched otherwise
 *
 * Return: 0; -EBADMSG no JSON object, or none of a record that is known here; -E2BIG longer than
 * RECORD_PARSE_LINE_MAX; -ENOMEM.
 */
int record_parse(const char *line, size_t n_line, RecordParsed *ret_parsed);
void record_parsed_done(RecordParsed *p);
/* After its bytes were copied to another place: puts right what points into itself. */
void record_parsed_moved(RecordParsed *p);

/* The names that the record gives to its users take the place of all others. Return: 0, -ENOMEM. */
int record_parsed_give_names(const RecordParsed *p, UserNames *names);

/* Of event.id; borrowed, NULL absent. Two records with the same one are one record. */
const char *record_parsed_id(const RecordParsed *p);
