/* SPDX-License-Identifier: MIT */

/* Members of JSON objects. */

#include "record/json_member.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void json_member_putp(json_object **o) {
        json_object_put(*o);
}

void json_member_add(json_object *o, const char *key, json_object *value) {
        if (value && json_object_object_add(o, key, value) < 0)
                json_object_put(value);
}

void json_member_add_object(json_object *o, const char *key, json_object *value) {
        if (value && json_object_object_length(value) > 0)
                json_member_add(o, key, value);
        else
                json_object_put(value);
}

void json_member_add_string(json_object *o, const char *key, const char *s) {
        json_member_add(o, key, json_object_new_string(s));
}

json_object *json_member_lossy(const char *bytes, size_t n_bytes) {
        _cleanup_buffer_ Buffer b = {0};

        utf8_append_lossy(&b, bytes, n_bytes);
        return b.is_failed ? NULL
                           : json_object_new_string_len(b.bytes ? b.bytes : "", (int)b.n_bytes);
}

json_object *json_member_base64(const char *bytes, size_t n_bytes) {
        _cleanup_buffer_ Buffer b = {0};

        utf8_append_base64(&b, bytes, n_bytes);
        return b.is_failed ? NULL
                           : json_object_new_string_len(b.bytes ? b.bytes : "", (int)b.n_bytes);
}

void json_member_add_bytes(json_object *o, const char *key, const char *bytes, size_t n_bytes) {
        char raw[64];

        json_member_add(o, key, json_member_lossy(bytes, n_bytes));
        if (utf8_is_valid(bytes, n_bytes))
                return;
        snprintf(raw, sizeof(raw), "%s_raw", key);
        json_member_add(o, raw, json_member_base64(bytes, n_bytes));
}

void json_member_add_name(json_object *o, const char *key, const char *name) {
        if (name)
                json_member_add_bytes(o, key, name, strlen(name));
}
