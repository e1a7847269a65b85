/* SPDX-License-Identifier: MIT */

/* One field.  Pure. */

#include "record/journal_field.h"

#include <endian.h>
#include <string.h>

void journal_field_append(Buffer *b, const char *key, const void *value, size_t n_bytes) {
        uint64_t length = htole64(n_bytes);

        if (!value || n_bytes == 0)
                return;
        buffer_append_string(b, key);
        if (memchr(value, '\n', n_bytes)) {
                buffer_append_char(b, '\n');
                buffer_append(b, &length, sizeof(length));
        } else {
                buffer_append_char(b, '=');
        }
        buffer_append(b, value, n_bytes);
        buffer_append_char(b, '\n');
}

void journal_field_append_string(Buffer *b, const char *key, const char *value) {
        if (value)
                journal_field_append(b, key, value, strlen(value));
}

void journal_field_append_u64(Buffer *b, const char *key, uint64_t value) {
        buffer_append_string(b, key);
        buffer_append_char(b, '=');
        buffer_append_u64(b, value);
        buffer_append_char(b, '\n');
}
