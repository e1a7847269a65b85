/* SPDX-License-Identifier: MIT */

/*
 * UTF-8 (RFC 3629) and base64 (RFC 4648), declared in record.h: a second writing, on purpose, of
 * what src/base has.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"

/* Return: length of the valid sequence at p, 0 for none. */
static size_t sequence_length(const unsigned char *p, size_t n) {
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t length = p[0] < 0x80             ? 1
                        : (p[0] & 0xe0) == 0xc0 ? 2
                        : (p[0] & 0xf0) == 0xe0 ? 3
                        : (p[0] & 0xf8) == 0xf0 ? 4
                                                : 0;
        uint32_t code;

        if (length <= 1)
                return length;
        if (length > n)
                return 0;
        code = p[0] & (0x7fU >> length);
        for (size_t i = 1; i < length; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (p[i] & 0x3f);
        }
        if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
                return 0;
        return length;
}

Bytes record_lossy(const char *bytes, size_t n_bytes, bool *ret_is_valid) {
        Bytes lossy = {.data = calloc(n_bytes + 1, 3)};
        bool is_valid = true;
        size_t i = 0;

        harness_assert(lossy.data, "out of memory");
        while (i < n_bytes) {
                size_t n = sequence_length((const unsigned char *)bytes + i, n_bytes - i);

                memcpy(lossy.data + lossy.n, n ? bytes + i : "\xef\xbf\xbd", n ? n : 3);
                lossy.n += n ? n : 3;
                i += n ? n : 1;
                is_valid = is_valid && n > 0;
        }
        *ret_is_valid = is_valid;
        return lossy;
}

Bytes record_base64_decode(const char *text) {
        static const char alphabet[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        size_t n_text = strlen(text), n_padding = 0;
        Bytes bytes = {.data = calloc(n_text + 1, 1)};

        harness_assert(bytes.data && n_text % 4 == 0, "not base64: %s", text);
        while (n_padding < 2 && n_padding < n_text && text[n_text - 1 - n_padding] == '=')
                n_padding++;
        for (size_t i = 0; i < n_text; i += 4) {
                uint32_t word = 0;

                for (size_t k = i; k < i + 4; k++) {
                        const char *digit = strchr(alphabet, text[k]);
                        bool is_padding = k >= n_text - n_padding;

                        harness_assert(digit || is_padding, "not base64: %s", text);
                        word = word << 6 | (is_padding ? 0 : (uint32_t)(digit - alphabet));
                }
                for (int shift = 16; shift >= 0; shift -= 8)
                        bytes.data[bytes.n++] = (char)(word >> shift);
        }
        bytes.n -= n_padding;
        bytes.data[bytes.n] = '\0';
        return bytes;
}
