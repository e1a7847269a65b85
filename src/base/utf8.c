/* SPDX-License-Identifier: MIT */

/*
 * UTF-8 as RFC 3629 has it, and base64 for what is not.
 *
 * File names are bytes, yet JSON and the terminal want text: these functions decide which of the
 * two a run of bytes is.  No locale: the C library's mbrtowc() would follow LC_CTYPE.
 *
 * Source: RFC 3629 section 4 (the grammar below is its table), RFC 4648 section 4; one U+FFFD a
 * byte rather than one a maximal subpart (Unicode 15, 3.9), so that their number tells the bytes.
 */

#include "base/utf8.h"

#include <errno.h>
#include <string.h>

#define UTF8_HIGH_BITS UINT64_C(0x8080808080808080)
#define BASE64_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

static bool is_tail(uint8_t byte) {
        return (byte & 0xc0) == 0x80;
}

/* Length of the sequence that starts with `lead`, and the range of its second byte. */
static size_t sequence_length(uint8_t lead, uint8_t *ret_min, uint8_t *ret_max) {
        *ret_min = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80; /* below: overlong */
        *ret_max = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf; /* surrogates, > U+10FFFF */

        if (lead >= 0xc2 && lead <= 0xdf)
                return 2;
        if (lead >= 0xe0 && lead <= 0xef)
                return 3;
        if (lead >= 0xf0 && lead <= 0xf4)
                return 4;
        return 0;
}

size_t utf8_next(const char *bytes, size_t n_bytes, uint32_t *ret_code) {
        const uint8_t *at = (const uint8_t *)bytes;
        uint8_t min, max;
        uint32_t code;
        size_t n;

        if (n_bytes == 0)
                return 0;
        if (at[0] < 0x80) {
                *ret_code = at[0];
                return 1;
        }

        n = sequence_length(at[0], &min, &max);
        if (n == 0 || n > n_bytes || at[1] < min || at[1] > max)
                return 0;
        code = at[0] & (0x7fU >> n);
        for (size_t i = 1; i < n; i++) {
                if (!is_tail(at[i]))
                        return 0;
                code = code << 6 | (at[i] & 0x3fU);
        }
        *ret_code = code;
        return n;
}

/* Leading bytes that are valid: ASCII eight at a time, since most names are nothing else. */
static size_t valid_length(const char *bytes, size_t n_bytes) {
        size_t at = 0;

        while (at < n_bytes) {
                uint32_t code;
                uint64_t word;
                size_t n;

                if (n_bytes - at >= sizeof(word)) {
                        memcpy(&word, bytes + at, sizeof(word));
                        if ((word & UTF8_HIGH_BITS) == 0) {
                                at += sizeof(word);
                                continue;
                        }
                }
                n = utf8_next(bytes + at, n_bytes - at, &code);
                if (n == 0)
                        break;
                at += n;
        }
        return at;
}

bool utf8_is_valid(const char *bytes, size_t n_bytes) {
        return valid_length(bytes, n_bytes) == n_bytes;
}

void utf8_append_lossy(Buffer *b, const char *bytes, size_t n_bytes) {
        while (n_bytes > 0) {
                size_t n = valid_length(bytes, n_bytes);

                buffer_append(b, bytes, n);
                if (n == n_bytes)
                        return;
                buffer_append_literal(b, "\xef\xbf\xbd");
                bytes += n + 1;
                n_bytes -= n + 1;
        }
}

/* Return: 0 to 63, -1 for what is no digit. */
static int base64_value(char c) {
        const char *at = c == '\0' ? NULL : strchr(BASE64_DIGITS, c);

        return at ? (int)(at - BASE64_DIGITS) : -1;
}

int utf8_append_decoded_base64(Buffer *b, const char *text, size_t n_text) {
        if (n_text % 4 != 0)
                return -EBADMSG;
        for (; n_text > 0; text += 4, n_text -= 4) {
                size_t n = 3;
                uint32_t group = 0;
                uint8_t bytes[3];

                if (n_text == 4 && text[3] == '=')
                        n = text[2] == '=' ? 1 : 2;
                for (size_t i = 0; i < 4; i++) {
                        int v = i <= n ? base64_value(text[i]) : 0;

                        if (v < 0)
                                return -EBADMSG;
                        group = group << 6 | (uint32_t)v;
                }
                if ((n < 3 && (group & 0xff) != 0) || (n < 2 && (group & 0xff00) != 0))
                        return -EBADMSG;
                bytes[0] = (uint8_t)(group >> 16);
                bytes[1] = (uint8_t)(group >> 8);
                bytes[2] = (uint8_t)group;
                buffer_append(b, bytes, n);
        }
        return 0;
}

void utf8_append_base64(Buffer *b, const void *bytes, size_t n_bytes) {
        const uint8_t *at = bytes;

        while (n_bytes > 0) {
                size_t n = n_bytes < 3 ? n_bytes : 3;
                uint32_t group = (uint32_t)at[0] << 16;
                char quad[4];

                if (n > 1)
                        group |= (uint32_t)at[1] << 8;
                if (n > 2)
                        group |= at[2];
                quad[0] = BASE64_DIGITS[group >> 18];
                quad[1] = BASE64_DIGITS[group >> 12 & 63];
                quad[2] = n > 1 ? BASE64_DIGITS[group >> 6 & 63] : '=';
                quad[3] = n > 2 ? BASE64_DIGITS[group & 63] : '=';
                buffer_append(b, quad, sizeof(quad));
                at += n;
                n_bytes -= n;
        }
}
