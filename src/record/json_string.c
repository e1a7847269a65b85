/* SPDX-License-Identifier: MIT */

/* Runs of plain bytes are copied whole: file names hardly ever need more. */

#include "record/json_string.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

static bool is_plain(unsigned char c) {
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void append_escaped(Buffer *b, unsigned char c) {
        static const char hex[] = "0123456789abcdef";

        switch (c) {
        case '"':
                buffer_append_literal(b, "\\\"");
                break;
        case '\\':
                buffer_append_literal(b, "\\\\");
                break;
        case '\n':
                buffer_append_literal(b, "\\n");
                break;
        case '\t':
                buffer_append_literal(b, "\\t");
                break;
        case '\r':
                buffer_append_literal(b, "\\r");
                break;
        default:
                buffer_append_literal(b, "\\u00");
                buffer_append_char(b, hex[c >> 4]);
                buffer_append_char(b, hex[c & 15]);
        }
}

void json_string_append(Buffer *b, const char *bytes, size_t n_bytes) {
        size_t i = 0;

        while (i < n_bytes) {
                size_t start = i, n;
                uint32_t code;

                while (i < n_bytes && is_plain((unsigned char)bytes[i]))
                        i++;
                buffer_append(b, bytes + start, i - start);
                if (i == n_bytes)
                        break;
                n = utf8_next(bytes + i, n_bytes - i, &code);
                if (n == 0) {
                        utf8_append_lossy(b, bytes + i, 1);
                        i++;
                } else if (n == 1) {
                        append_escaped(b, (unsigned char)bytes[i]);
                        i++;
                } else {
                        buffer_append(b, bytes + i, n);
                        i += n;
                }
        }
}

void json_string_append_member(Buffer *b, const char *key, const char *text) {
        const size_t n = text ? strlen(text) : 0;

        if (!text)
                return;
        buffer_append_format(b, "\"%s\":\"", key);
        json_string_append(b, text, n);
        buffer_append_literal(b, "\",");
        if (utf8_is_valid(text, n))
                return;
        buffer_append_format(b, "\"%s_raw\":\"", key);
        utf8_append_base64(b, text, n);
        buffer_append_literal(b, "\",");
}
