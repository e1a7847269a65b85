/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading the monitor's JSON lines strictly: one object a line, valid UTF-8, nothing behind it.
 * Independent of the program's own code, so that a mistake is not read back by its twin.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct RecordReader {
        FILE *file;
        char *line;
        size_t n_allocated;
        size_t n_lines;
        struct json_tokener *tokener;
        struct json_object *object;
        int64_t sequence;
        char *id; /* event.id of the one before */
        bool is_stopped;
} RecordReader;

/* Bytes of a name, a path, an argument: NUL behind them, which is not counted. */
typedef struct Bytes {
        char *data; /* NULL: the record does not have it */
        size_t n;
} Bytes;

RecordReader record_reader_new(const char *path);
void record_reader_done(RecordReader *r);
#define _cleanup_reader_ __attribute__((cleanup(record_reader_done)))

/*
 * The next record; fails the test on anything that is not a record in its place: the first is
 * start, the last stop, event.sequence counts up by one, event.id is another one.  Borrows from r
 * until the next call.
 */
struct json_object *record_next(RecordReader *r);
/* As record_next(), but only deletions and moves. */
struct json_object *record_next_deletion(RecordReader *r);
/* The number of status records of an action in a file. */
size_t record_count_status(const char *path, const char *action);
/* The number of deletions and moves in a file. */
size_t record_count_deletions(const char *path);

/* A field by its dotted name. NULL: absent. */
struct json_object *record_get(struct json_object *record, const char *field);
/* Its string. NULL: absent. Fails the test if it is something else. */
const char *record_string(struct json_object *record, const char *field);
/* Its number, or a negative one when absent. */
int64_t record_number(struct json_object *record, const char *field);

/*
 * The exact bytes of a string field: those of its base64 sibling if there is one, else its own.
 * Checks that the sibling is there only when needed and that the string is its lossy reading.
 */
Bytes record_bytes(struct json_object *record, const char *field, const char *raw_field);
/* The same of process.args[i]; data is NULL behind the last. */
Bytes record_arg(struct json_object *record, size_t i);

/* The strict UTF-8 reading of bytes, U+FFFD for each invalid one; newly allocated. */
Bytes record_lossy(const char *bytes, size_t n_bytes, bool *ret_is_valid);
/* Newly allocated; fails the test on anything that is not padded base64. */
Bytes record_base64_decode(const char *text);
