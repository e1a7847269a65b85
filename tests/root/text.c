/* SPDX-License-Identifier: MIT */

/*
 * See text.h.
 */

#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"

static uint32_t decode(const unsigned char *p, size_t *ret_n) {
        size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
        uint32_t code = n == 1 ? p[0] : p[0] & (0x7fU >> n);

        for (size_t i = 1; i < n; i++)
                code = code << 6 | (p[i] & 0x3f);
        *ret_n = n;
        return code;
}

static bool is_harmful(uint32_t c) {
        return (c < 0x20 && c != '\n') || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
               (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
               c == 0x61c;
}

void text_assert_harmless(const char *text, size_t n_text) {
        bool is_valid;
        size_t n;

        free(record_lossy(text, n_text, &is_valid).data);
        harness_assert(is_valid, "text output is not valid UTF-8");
        for (size_t i = 0; i < n_text; i += n) {
                uint32_t c = decode((const unsigned char *)text + i, &n);
                size_t from = i > 40 ? i - 40 : 0;

                harness_assert(!is_harmful(c), "U+%04X in text output, behind: %.*s", (unsigned)c,
                               (int)(i - from), text + from);
        }
}

size_t text_strip_colors(char *text, size_t n_text) {
        size_t n_left = 0;

        for (size_t i = 0; i < n_text; i++) {
                size_t k = i + 2;

                if (text[i] == '\x1b' && k < n_text && text[i + 1] == '[') {
                        while (k < n_text && strchr("0123456789;", text[k]) && text[k])
                                k++;
                        if (k < n_text && text[k] == 'm') {
                                i = k;
                                continue;
                        }
                }
                text[n_left++] = text[i];
        }
        text[n_left] = '\0';
        return n_left;
}

bool text_has_line_starting(const char *text, size_t n_text, const char *start) {
        size_t n_start = strlen(start);

        for (const char *p = text; p && p < text + n_text;) {
                if ((size_t)(text + n_text - p) >= n_start && memcmp(p, start, n_start) == 0)
                        return true;
                p = memchr(p, '\n', (size_t)(text + n_text - p));
                p = p ? p + 1 : NULL;
        }
        return false;
}

size_t text_count(const char *text, size_t n_text, const char *what) {
        const char *end = text + n_text;
        size_t n = 0;

        for (const char *p = memmem(text, n_text, what, strlen(what)); p;
             p = memmem(p, (size_t)(end - p), what, strlen(what))) {
                n++;
                p += strlen(what);
        }
        return n;
}
