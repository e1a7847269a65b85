/* SPDX-License-Identifier: MIT */

/*
 * See record.h.  A line is checked for raw control bytes before json-c sees it: the parser
 * forgives some that a strict reader elsewhere would not.
 */

#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "harness.h"

RecordReader record_reader_new(const char *path) {
        RecordReader r = {.file = fopen(path, "re"), .tokener = json_tokener_new()};

        harness_assert(r.file && r.tokener, "%s: %m", path);
        json_tokener_set_flags(r.tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        return r;
}

void record_reader_done(RecordReader *r) {
        json_object_put(r->object);
        if (r->tokener)
                json_tokener_free(r->tokener);
        if (r->file)
                fclose(r->file);
        free(r->line);
        free(r->id);
        *r = (RecordReader){0};
}

static void check_order(RecordReader *r) {
        const char *dataset = record_string(r->object, "event.dataset");
        const char *action = record_string(r->object, "event.action");
        int64_t sequence = record_number(r->object, "event.sequence");
        bool is_status;

        harness_assert(dataset && action, "record %zu has no event.dataset or action", r->n_lines);
        is_status = strcmp(dataset, "whodunlink.status") == 0;
        harness_assert(is_status || strcmp(dataset, "whodunlink.deletion") == 0,
                       "record %zu: event.dataset %s", r->n_lines, dataset);
        harness_assert(!r->is_stopped, "record %zu behind the stop record", r->n_lines);
        r->is_stopped = is_status && strcmp(action, "stop") == 0;
        harness_assert((r->n_lines == 1) == (is_status && strcmp(action, "start") == 0),
                       "record %zu: start must be the first and only the first", r->n_lines);
        harness_assert(r->n_lines == 1 || sequence == r->sequence + 1,
                       "record %zu: event.sequence %lld after %lld", r->n_lines,
                       (long long)sequence, (long long)r->sequence);
        r->sequence = sequence;
}

/* No two of a run have the same; that two behind each other differ is what is cheap to look at. */
static void check_id(RecordReader *r) {
        const char *id = record_string(r->object, "event.id");

        harness_assert(id && (!r->id || strcmp(id, r->id) != 0), "record %zu: event.id %s again",
                       r->n_lines, id ? id : "(none)");
        free(r->id);
        r->id = strdup(id);
        harness_assert(r->id, "out of memory");
}

struct json_object *record_next(RecordReader *r) {
        ssize_t n = getline(&r->line, &r->n_allocated, r->file);
        enum json_tokener_error error;

        json_object_put(r->object);
        r->object = NULL;
        if (n <= 0) {
                harness_assert(r->is_stopped, "the last of %zu records is not stop", r->n_lines);
                return NULL;
        }
        r->n_lines++;
        harness_assert(r->line[n - 1] == '\n', "line %zu has no end", r->n_lines);
        r->line[--n] = '\0';
        for (ssize_t i = 0; i < n; i++)
                harness_assert((unsigned char)r->line[i] >= 0x20, "line %zu holds a control byte",
                               r->n_lines);
        json_tokener_reset(r->tokener);
        r->object = json_tokener_parse_ex(r->tokener, r->line, (int)n + 1);
        error = json_tokener_get_error(r->tokener);
        harness_assert(error == json_tokener_success &&
                               json_object_is_type(r->object, json_type_object),
                       "line %zu: %s: %.400s", r->n_lines, json_tokener_error_desc(error), r->line);
        check_order(r);
        check_id(r);
        return r->object;
}

struct json_object *record_next_deletion(RecordReader *r) {
        struct json_object *record;

        do
                record = record_next(r);
        while (record &&
               strcmp(record_string(record, "event.dataset"), "whodunlink.deletion") != 0);
        return record;
}

size_t record_count_status(const char *path, const char *action) {
        _cleanup_reader_ RecordReader r = record_reader_new(path);
        size_t n = 0;

        for (struct json_object *record = record_next(&r); record; record = record_next(&r))
                n += strcmp(record_string(record, "event.dataset"), "whodunlink.status") == 0 &&
                     strcmp(record_string(record, "event.action"), action) == 0;
        return n;
}

size_t record_count_deletions(const char *path) {
        _cleanup_reader_ RecordReader r = record_reader_new(path);
        size_t n = 0;

        while (record_next_deletion(&r))
                n++;
        return n;
}

struct json_object *record_get(struct json_object *record, const char *field) {
        const char *p = field;

        while (record) {
                size_t n = strcspn(p, ".");
                char key[64];

                harness_assert(n < sizeof(key), "field name too long: %s", field);
                memcpy(key, p, n);
                key[n] = '\0';
                if (!json_object_is_type(record, json_type_object) ||
                    !json_object_object_get_ex(record, key, &record))
                        return NULL;
                if (!p[n])
                        return record;
                p += n + 1;
        }
        return NULL;
}

const char *record_string(struct json_object *record, const char *field) {
        struct json_object *value = record_get(record, field);

        if (!value)
                return NULL;
        harness_assert(json_object_is_type(value, json_type_string), "%s is no string: %s", field,
                       json_object_to_json_string(value));
        return json_object_get_string(value);
}

int64_t record_number(struct json_object *record, const char *field) {
        struct json_object *value = record_get(record, field);

        if (!value)
                return INT64_MIN;
        harness_assert(json_object_is_type(value, json_type_int), "%s is no number: %s", field,
                       json_object_to_json_string(value));
        return json_object_get_int64(value);
}

/* The bytes behind a string and its optional base64 sibling; see record_bytes(). */
static Bytes exact_bytes(struct json_object *value, struct json_object *raw, const char *field) {
        _cleanup_free_ char *lossy = NULL;
        Bytes bytes = {0}, expected;
        bool is_valid;

        if (!value)
                return bytes;
        harness_assert(json_object_is_type(value, json_type_string), "%s is no string", field);
        if (raw) {
                bytes = record_base64_decode(json_object_get_string(raw));
        } else {
                bytes.n = (size_t)json_object_get_string_len(value);
                bytes.data = strdup(json_object_get_string(value));
        }
        harness_assert(bytes.data && strlen(bytes.data) == bytes.n, "%s holds a NUL", field);
        expected = record_lossy(bytes.data, bytes.n, &is_valid);
        lossy = expected.data;
        harness_assert(strcmp(lossy, json_object_get_string(value)) == 0,
                       "%s is not the reading of its exact bytes: %s", field,
                       json_object_get_string(value));
        return bytes;
}

Bytes record_bytes(struct json_object *record, const char *field, const char *raw_field) {
        struct json_object *raw = record_get(record, raw_field);
        Bytes bytes = exact_bytes(record_get(record, field), raw, field);
        bool is_valid;

        if (bytes.data && raw) {
                free(record_lossy(bytes.data, bytes.n, &is_valid).data);
                harness_assert(!is_valid, "%s though %s is valid UTF-8", raw_field, field);
        }
        return bytes;
}

Bytes record_arg(struct json_object *record, size_t i) {
        struct json_object *args = record_get(record, "process.args");
        struct json_object *raw = record_get(record, "process.args_raw");

        if (!args || i >= json_object_array_length(args))
                return (Bytes){0};
        harness_assert(!raw || json_object_array_length(raw) == json_object_array_length(args),
                       "process.args and args_raw differ in length");
        return exact_bytes(json_object_array_get_idx(args, i),
                           raw ? json_object_array_get_idx(raw, i) : NULL, "process.args");
}
