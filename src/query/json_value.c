/* SPDX-License-Identifier: MIT */

/* What is read out of JSON objects that others wrote. */

#include "query/json_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/span.h"
#include "base/utf8.h"

static json_object *member(json_object *o, const char *key, json_type type) {
        json_object *value = NULL;

        if (!o || !json_object_is_type(o, json_type_object) ||
            !json_object_object_get_ex(o, key, &value) || !json_object_is_type(value, type))
                return NULL;
        return value;
}

json_object *json_value_object(json_object *o, const char *key) {
        return member(o, key, json_type_object);
}

json_object *json_value_array(json_object *o, const char *key) {
        return member(o, key, json_type_array);
}

/* NULL for what holds a NUL, or is no string. */
static const char *string_of(json_object *value) {
        const char *s;

        if (!value || !json_object_is_type(value, json_type_string))
                return NULL;
        s = json_object_get_string(value);
        return strlen(s) == (size_t)json_object_get_string_len(value) ? s : NULL;
}

const char *json_value_string(json_object *o, const char *key) {
        return string_of(member(o, key, json_type_string));
}

/* Return: as json_value_bytes(). */
static int take_bytes(json_object *text, json_object *raw, Buffer *ret) {
        const char *s = string_of(text), *encoded = string_of(raw);

        buffer_clear(ret);
        if (encoded) {
                if (utf8_append_decoded_base64(ret, encoded, strlen(encoded)) < 0 ||
                    (ret->n_bytes > 0 && memchr(ret->bytes, '\0', ret->n_bytes)))
                        return 0;
        } else if (s) {
                buffer_append_string(ret, s);
        } else {
                return 0;
        }
        (void)buffer_terminate(ret);
        return ret->is_failed ? -ENOMEM : 1;
}

int json_value_bytes(json_object *o, const char *key, Buffer *ret_bytes) {
        char raw[64];

        snprintf(raw, sizeof(raw), "%s_raw", key);
        return take_bytes(member(o, key, json_type_string), member(o, raw, json_type_string),
                          ret_bytes);
}

int json_value_array_bytes(json_object *array, json_object *raw, size_t i, Buffer *ret_bytes) {
        return take_bytes(
                json_object_array_get_idx(array, i),
                raw && i < json_object_array_length(raw) ? json_object_array_get_idx(raw, i) : NULL,
                ret_bytes);
}

bool json_value_u64(json_object *o, const char *key, uint64_t max, uint64_t *ret) {
        json_object *number = member(o, key, json_type_int);
        const char *digits = json_value_string(o, key);

        if (number) {
                int64_t v = json_object_get_int64(number);

                if (v < 0 || (uint64_t)v > max)
                        return false;
                *ret = (uint64_t)v;
                return true;
        }
        if (digits) {
                Span s = {.at = digits, .n = strlen(digits)};
                uint64_t v;

                if (!span_take_u64(&s, 10, max, &v) || s.n > 0)
                        return false;
                *ret = v;
                return true;
        }
        return false;
}

bool json_value_is_true(json_object *o, const char *key) {
        json_object *value = member(o, key, json_type_boolean);

        return value && json_object_get_boolean(value);
}

bool json_value_time(json_object *o, const char *key, uint64_t *ret_realtime_nsec) {
        const char *s = json_value_string(o, key);

        return s && clock_parse_rfc3339(s, strlen(s), ret_realtime_nsec) == 0;
}
