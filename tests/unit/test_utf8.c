/* SPDX-License-Identifier: MIT */

/* UTF-8: every code point, every pair of first bytes, every truncation; base64 by RFC 4648. */

#include "base/utf8.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

/* The textbook encoder: it also encodes what must not be decoded. */
static size_t encode(uint32_t code, char *ret) {
        static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
        size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

        for (size_t i = n; i-- > 1; code >>= 6)
                ret[i] = (char)(0x80 | (code & 0x3f));
        ret[0] = (char)(n == 1 ? code : leads[n] | code);
        return n;
}

START_TEST(test_every_code_point) {
        for (uint32_t code = 0; code < 0x1fffff; code++) {
                bool is_allowed = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
                uint32_t found = 0xdeadbeef;
                char bytes[4];
                size_t n = encode(code, bytes);

                if (utf8_next(bytes, n, &found) != (is_allowed ? n : 0))
                        ck_abort_msg("U+%04X", (unsigned)code);
                if (found != (is_allowed ? code : 0xdeadbeef))
                        ck_abort_msg("U+%04X read as U+%04X", (unsigned)code, (unsigned)found);
                if (utf8_is_valid(bytes, n) != is_allowed)
                        ck_abort_msg("U+%04X validity", (unsigned)code);
                for (size_t cut = 0; cut < n; cut++)
                        if (utf8_next(bytes, cut, &found) != 0)
                                ck_abort_msg("U+%04X cut to %zu", (unsigned)code, cut);
        }
}
END_TEST

/* All sequences of up to three bytes are decoded as their own encoding or not at all. */
START_TEST(test_no_second_encoding) {
        char bytes[3], back[4];

        bytes[0] = (char)_i;
        for (int second = 0; second < 256; second++) {
                for (int third = 0; third < 256; third++) {
                        uint32_t code;
                        size_t n;

                        bytes[1] = (char)second;
                        bytes[2] = (char)third;
                        n = utf8_next(bytes, sizeof(bytes), &code);
                        /* No ck_assert() for each of 16 million: it costs a write(2). */
                        if (n > 3 || (_i < 0x80 && n != 1) ||
                            (n > 0 && (encode(code, back) != n || memcmp(back, bytes, n) != 0)))
                                ck_abort_msg("%02x %02x %02x", (unsigned)_i, (unsigned)second,
                                             (unsigned)third);
                }
        }
}
END_TEST

static const struct {
        const char *bytes;
        size_t n_bytes;
        const char *lossy; /* NULL: valid */
} texts[] = {
#define T(s) (s), sizeof(s) - 1
#define R "\xef\xbf\xbd"
        {T(""), NULL},
        {T("plain ascii, longer than eight"), NULL},
        {T("a\0b"), NULL},
        {T("1234567\xc3\xa9"), NULL},
        {T("12345678\xf0\x9f\x98\x80"), NULL},
        {T("\xc0\x80"), R R},                   /* overlong NUL */
        {T("\xc1\xbf"), R R},                   /* overlong DEL */
        {T("\xe0\x80\xaf"), R R R},             /* overlong '/' */
        {T("\xe0\x9f\xbf"), R R R},             /* overlong U+07FF */
        {T("\xf0\x80\x80\xaf"), R R R R},       /* overlong '/' */
        {T("\xf0\x8f\xbf\xbf"), R R R R},       /* overlong U+FFFF */
        {T("\xed\xa0\x80"), R R R},             /* high surrogate */
        {T("\xed\xbf\xbf"), R R R},             /* low surrogate */
        {T("\xf4\x90\x80\x80"), R R R R},       /* U+110000 */
        {T("\xf5\x80\x80\x80"), R R R R},       /* beyond */
        {T("\xf8\x88\x80\x80\x80"), R R R R R}, /* five bytes, as once allowed */
        {T("\xfc\x84\x80\x80\x80\x80"), R R R R R R},
        {T("\xfe\xff"), R R},
        {T("\x80"), R},
        {T("a\xffz"), "a" R "z"},
        {T("\xe2\x82"), R R}, /* cut euro sign */
        {T("\xe2\x82g"), R R "g"},
        {T("\xc3\xc3\xa9"), R "\xc3\xa9"},
        {T("123456789\xff"
           "123456789"),
         "123456789" R "123456789"},
#undef T
#undef R
};

START_TEST(test_valid_and_lossy) {
        _cleanup_buffer_ Buffer b = {0};
        const char *want = texts[_i].lossy ? texts[_i].lossy : texts[_i].bytes;
        size_t n_want = texts[_i].lossy ? strlen(texts[_i].lossy) : texts[_i].n_bytes;

        ck_assert_int_eq(utf8_is_valid(texts[_i].bytes, texts[_i].n_bytes), !texts[_i].lossy);
        utf8_append_lossy(&b, texts[_i].bytes, texts[_i].n_bytes);
        ck_assert_uint_eq(b.n_bytes, n_want);
        ck_assert_int_eq(memcmp(buffer_terminate(&b), want, n_want), 0);
}
END_TEST

/* A two-, three- and four-byte sequence behind _i ASCII bytes, cut at each byte, exactly sized. */
START_TEST(test_truncation) {
        static const char tail[] = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
        static const bool is_whole[] = {true, false, true,  false, false,
                                        true, false, false, false, true};

        for (size_t cut = 0; cut < sizeof(tail); cut++) {
                _cleanup_buffer_ Buffer b = {0};
                size_t n = (size_t)_i + cut;
                char *exact = malloc(n > 0 ? n : 1);

                ck_assert_ptr_nonnull(exact);
                memset(exact, 'x', (size_t)_i);
                memcpy(exact + _i, tail, cut);
                ck_assert_int_eq(utf8_is_valid(exact, n), is_whole[cut]);
                utf8_append_lossy(&b, exact, n);
                ck_assert(utf8_is_valid(b.bytes, b.n_bytes));
                ck_assert_int_eq(b.n_bytes == n, is_whole[cut]);
                free(exact);
        }
}
END_TEST

static const struct {
        const char *bytes, *base64;
} encodings[] = {
        /* RFC 4648, section 10 */
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xef\xff", "++//"},
        {"\xff", "/w=="},
};

START_TEST(test_base64) {
        _cleanup_buffer_ Buffer b = {0};

        utf8_append_base64(&b, encodings[_i].bytes, strlen(encodings[_i].bytes));
        ck_assert_str_eq(buffer_terminate(&b), encodings[_i].base64);
}
END_TEST

static unsigned sextet(char c) {
        return c >= 'A' && c <= 'Z'   ? (unsigned)(c - 'A')
               : c >= 'a' && c <= 'z' ? (unsigned)(c - 'a' + 26)
               : c >= '0' && c <= '9' ? (unsigned)(c - '0' + 52)
               : c == '+'             ? 62
                                      : 63;
}

START_TEST(test_base64_of_every_byte) {
        _cleanup_buffer_ Buffer b = {0};
        unsigned char bytes[256];

        for (unsigned i = 0; i < 256; i++)
                bytes[i] = (unsigned char)i;
        utf8_append_base64(&b, bytes, 255);
        ck_assert_uint_eq(b.n_bytes, 340);
        for (unsigned i = 0; i < 255; i++) {
                const char *quad = b.bytes + i / 3 * 4;
                unsigned group = sextet(quad[0]) << 18 | sextet(quad[1]) << 12 |
                                 sextet(quad[2]) << 6 | sextet(quad[3]);

                ck_assert_uint_eq(group >> (16 - 8 * (i % 3)) & 0xff, i);
        }
}
END_TEST

/* Back from what was encoded, for each length and each last byte. */
START_TEST(test_base64_and_back) {
        for (size_t n = 0; n < 8; n++) {
                for (unsigned last = 0; last < 256; last++) {
                        _cleanup_buffer_ Buffer text = {0}, bytes = {0};
                        char raw[8] = {1, '\0', '\xff', 3, '\x80', 5, 6};

                        if (n > 0)
                                raw[n - 1] = (char)last;
                        utf8_append_base64(&text, raw, n);
                        ck_assert_int_eq(
                                utf8_append_decoded_base64(&bytes, text.bytes, text.n_bytes), 0);
                        ck_assert_uint_eq(bytes.n_bytes, n);
                        ck_assert(n == 0 || memcmp(bytes.bytes, raw, n) == 0);
                }
        }
}
END_TEST

START_TEST(test_base64_refused) {
        static const char *const texts_refused[] = {
                "A",    "AA",   "AAA",      "AAAAA", "A===",  "====", "AA=A",    "=AAA",
                "AB==", "AAB=", "AA==AAAA", "AA A",  "AAA\n", "AA-_", "AAA\xc3",
        };

        for (size_t i = 0; i < sizeof(texts_refused) / sizeof(texts_refused[0]); i++) {
                _cleanup_buffer_ Buffer b = {0};

                if (utf8_append_decoded_base64(&b, texts_refused[i], strlen(texts_refused[i])) !=
                    -EBADMSG)
                        ck_abort_msg("'%s'", texts_refused[i]);
        }
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("utf8");

        tcase_add_test(tcase, test_every_code_point);
        tcase_add_loop_test(tcase, test_no_second_encoding, 0, 256);
        tcase_add_loop_test(tcase, test_valid_and_lossy, 0, sizeof(texts) / sizeof(texts[0]));
        tcase_add_loop_test(tcase, test_truncation, 0, 17);
        tcase_add_loop_test(tcase, test_base64, 0, sizeof(encodings) / sizeof(encodings[0]));
        tcase_add_test(tcase, test_base64_of_every_byte);
        tcase_add_test(tcase, test_base64_and_back);
        tcase_add_test(tcase, test_base64_refused);
        return unit_run("utf8", tcase);
}
