/* SPDX-License-Identifier: MIT */

/* Source: shared design, record.md, whodunlink.fold; "moves" and "overwrites" are of the count. */

#include "record/json_fold.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "record/json_string.h"

void json_fold_append_message(const RecordFold *f, Buffer *b) {
        buffer_append_string(b, f->n_moves == 0             ? " removed "
                                : f->n_moves < f->n_entries ? " removed or moved "
                                                            : " moved ");
        buffer_append_u64(b, f->n_entries);
        buffer_append_string(b, f->n_entries == 1 ? " more entry" : " more entries");
        if (f->common_directory) {
                buffer_append_literal(b, " in or below ");
                json_string_append(b, f->common_directory, f->n_common_directory);
        }
        buffer_append_literal(b, " within a second");
}

static void append_number(Buffer *b, const char *key, uint64_t n) {
        buffer_append_string(b, key);
        buffer_append_u64(b, n);
        buffer_append_char(b, ',');
}

/* @key, @raw_key: with quotes, colon and the value's first quote */
static void append_bytes(Buffer *b, const char *key, const char *raw_key, const char *bytes,
                         size_t n_bytes) {
        if (n_bytes == 0)
                return;
        buffer_append_string(b, key);
        json_string_append(b, bytes, n_bytes);
        buffer_append_literal(b, "\",");
        if (utf8_is_valid(bytes, n_bytes))
                return;
        buffer_append_string(b, raw_key);
        utf8_append_base64(b, bytes, n_bytes);
        buffer_append_literal(b, "\",");
}

void json_fold_append(const RecordFold *f, Buffer *b) {
        buffer_append_literal(b, "\"fold\":{");
        append_number(b, "\"count\":", f->n_entries);
        append_number(b, "\"files\":", f->n_files);
        append_number(b, "\"directories\":", f->n_directories);
        if (f->n_moves > 0)
                append_number(b, "\"moves\":", f->n_moves);
        if (f->n_overwrites > 0)
                append_number(b, "\"overwrites\":", f->n_overwrites);
        append_bytes(b, "\"common_directory\":\"", "\"common_directory_raw\":\"",
                     f->common_directory, f->n_common_directory);
        append_bytes(b, "\"first\":\"", "\"first_raw\":\"", f->first, f->n_first);
        append_bytes(b, "\"last\":\"", "\"last_raw\":\"", f->last, f->n_last);
        buffer_append_literal(b, "\"since\":\"");
        clock_append_rfc3339(b, f->since_nsec);
        buffer_append_literal(b, "\",\"until\":\"");
        clock_append_rfc3339(b, f->until_nsec);
        buffer_append_literal(b, "\"},");
}
