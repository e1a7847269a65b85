/* SPDX-License-Identifier: MIT */

/* Escapes: every byte, every code point, and that the exact bytes can be read back. */

#include "base/escape.h"

#include <locale.h>
#include <string.h>

#include "base/utf8.h"
#include "unit.h"

#define T(s) (s), sizeof(s) - 1
#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
        const char *bytes;
        size_t n_bytes;
        const char *terminal, *word;
} texts[] = {
        {T(""), "", "''"},
        {T("plain"), "plain", "plain"},
        {T("/usr/bin/x-1.2_3:4@5%6+7,8=9"), "/usr/bin/x-1.2_3:4@5%6+7,8=9",
         "/usr/bin/x-1.2_3:4@5%6+7,8=9"},
        {T("=x"), "=x", "'=x'"},
        {T("~"), "~", "'~'"},
        {T("a b"), "a b", "'a b'"},
        {T("it's"), "it's", "'it'\\''s'"},
        {T("'"), "'", "''\\'''"},
        {T("$(rm)"), "$(rm)", "'$(rm)'"},
        {T("!x`*?[]{}<>|&;\"#^()"), "!x`*?[]{}<>|&;\"#^()", "'!x`*?[]{}<>|&;\"#^()'"},
        {T("a\\b"), "a\\\\b", "'a\\b'"},
        {T("a\nb"), "a\\nb", "$'a\\nb'"},
        {T("\t\r\n\x1b"), "\\t\\r\\n\\e", "$'\\t\\r\\n\\e'"},
        {T("\x1b[2J\a"), "\\e[2J\\x07", "$'\\e[2J\\x07'"},
        {T("\0"), "\\x00", "$'\\x00'"},
        {T("\x7f"), "\\x7f", "$'\\x7f'"},
        {T("'\n\\"), "'\\n\\\\", "$'\\'\\n\\\\'"},
        {T("\xff"
           "a"),
         "\\xffa", "$'\\xffa'"},
        {T("\x9b"
           "31m"),
         "\\x9b31m", "$'\\x9b31m'"}, /* C1 CSI as a byte */
        {T("\xc2\x9b"
           "31m"),
         "\\u009b31m", "$'\\u009b31m'"},                              /* and as a code point */
        {T("\xc0\x8a"), "\\xc0\\x8a", "$'\\xc0\\x8a'"},               /* overlong newline */
        {T("\xed\xa0\x80"), "\\xed\\xa0\\x80", "$'\\xed\\xa0\\x80'"}, /* surrogate */
        {T("\xc3"), "\\xc3", "$'\\xc3'"},
        {T("\xc3\xa9"), "\xc3\xa9", "\xc3\xa9"},
        {T("\xe6\x97\xa5 \xf0\x9f\x98\x80"), "\xe6\x97\xa5 \xf0\x9f\x98\x80",
         "'\xe6\x97\xa5 \xf0\x9f\x98\x80'"},
        {T("a\xc2\xa0z"), "a\xc2\xa0z", "'a\xc2\xa0z'"},          /* no-break space */
        {T("a\xe3\x80\x80"), "a\xe3\x80\x80", "'a\xe3\x80\x80'"}, /* ideographic space */
        {T("\xe2\x80\xaegpj.exe"), "\\u202egpj.exe", "$'\\u202egpj.exe'"},
        {T("\xef\xbb\xbfx"), "\\ufeffx", "$'\\ufeffx'"},
        {T("\xf3\xa0\x81\x81"), "\\U000e0041", "$'\\U000e0041'"}, /* a tag */
};

START_TEST(test_terminal) {
        _cleanup_buffer_ Buffer b = {0};

        escape_append_terminal(&b, texts[_i].bytes, texts[_i].n_bytes);
        ck_assert_str_eq(buffer_terminate(&b), texts[_i].terminal);
}
END_TEST

START_TEST(test_shell_word) {
        _cleanup_buffer_ Buffer b = {0};

        escape_append_shell_word(&b, texts[_i].bytes, texts[_i].n_bytes);
        ck_assert_str_eq(buffer_terminate(&b), texts[_i].word);
}
END_TEST

static const uint32_t hidden[] = {
        0x80,   0x85,   0x9b,   0x9f,   0xad,   0x34f,   0x61c,   0x115f,  0x180e,  0x200b,
        0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029,  0x202a,  0x202b,  0x202c,  0x202d,
        0x202e, 0x2060, 0x2061, 0x2066, 0x2067, 0x2068,  0x2069,  0x206f,  0x3164,  0xfe00,
        0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xfffb, 0x1bca0, 0x1d173, 0xe0001, 0xe007f, 0xe01ef,
};
static const uint32_t seen[] = {
        ' ',    '~',    0xa0,   0xa1,   0xac,   0xae,   0xe9,    0x301,   0x61b,   0x61d,
        0x200a, 0x2010, 0x2027, 0x202f, 0x205f, 0x2070, 0x3163,  0x3165,  0xfdff,  0xfe10,
        0xfefe, 0xff00, 0xff9f, 0xffa1, 0xfffc, 0xfffd, 0x1f600, 0xdffff, 0xe1000, 0x10ffff,
};

static size_t encode(uint32_t code, char *ret) {
        static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
        size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

        for (size_t i = n; i-- > 1; code >>= 6)
                ret[i] = (char)(0x80 | (code & 0x3f));
        ret[0] = (char)(n == 1 ? code : leads[n] | code);
        return n;
}

START_TEST(test_hidden) {
        _cleanup_buffer_ Buffer b = {0};
        char bytes[4];
        size_t n = encode(hidden[_i], bytes);

        escape_append_terminal(&b, bytes, n);
        ck_assert_uint_eq(strtoul(buffer_terminate(&b) + 2, NULL, 16), hidden[_i]);
        ck_assert_uint_eq(b.n_bytes, hidden[_i] > 0xffff ? 10 : 6);
        ck_assert_int_eq(b.bytes[1], hidden[_i] > 0xffff ? 'U' : 'u');
}
END_TEST

START_TEST(test_seen) {
        _cleanup_buffer_ Buffer b = {0};
        char bytes[4];
        size_t n = encode(seen[_i], bytes);

        escape_append_terminal(&b, bytes, n);
        ck_assert_uint_eq(b.n_bytes, n);
        ck_assert_int_eq(memcmp(b.bytes, bytes, n), 0);
}
END_TEST

/* Reads escapes back as bash does within $'…'. */
static void unescape(Buffer *b, const char *at, size_t n_bytes) {
        const char *end = at + n_bytes;

        while (at < end) {
                char hex[9] = "", bytes[4];
                size_t n_digits;

                if (*at != '\\') {
                        buffer_append_char(b, *at++);
                        continue;
                }
                at += 2;
                n_digits = at[-1] == 'x' ? 2 : at[-1] == 'u' ? 4 : at[-1] == 'U' ? 8 : 0;
                if (n_digits == 0) {
                        buffer_append_char(b, at[-1] == 'n'   ? '\n'
                                              : at[-1] == 't' ? '\t'
                                              : at[-1] == 'r' ? '\r'
                                              : at[-1] == 'e' ? '\x1b'
                                                              : at[-1]);
                        continue;
                }
                memcpy(hex, at, n_digits);
                at += n_digits;
                if (n_digits == 2)
                        buffer_append_char(b, (char)strtoul(hex, NULL, 16));
                else
                        buffer_append(b, bytes, encode((uint32_t)strtoul(hex, NULL, 16), bytes));
        }
}

/* What reaches a terminal: valid UTF-8 without a single control. */
static bool is_harmless(const char *bytes, size_t n_bytes) {
        for (size_t at = 0, n; at < n_bytes; at += n) {
                uint32_t code;

                n = utf8_next(bytes + at, n_bytes - at, &code);
                if (n == 0 || code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
                    (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
                        return false;
        }
        return true;
}

static void check_round_trip(Buffer *b, Buffer *back, const char *bytes, size_t n_bytes) {
        buffer_clear(b);
        buffer_clear(back);
        escape_append_terminal(b, bytes, n_bytes);
        unescape(back, b->bytes, b->n_bytes);
        if (!is_harmless(b->bytes, b->n_bytes) || back->n_bytes != n_bytes ||
            memcmp(back->bytes, bytes, n_bytes) != 0)
                ck_abort_msg("terminal: '%s'", buffer_terminate(b));

        buffer_clear(b);
        escape_append_shell_word(b, bytes, n_bytes);
        if (!is_harmless(b->bytes, b->n_bytes))
                ck_abort_msg("word: '%s'", buffer_terminate(b));
        if (b->n_bytes < 3 || memcmp(b->bytes, "$'", 2) != 0)
                return;
        buffer_clear(back);
        unescape(back, b->bytes + 2, b->n_bytes - 3);
        if (back->n_bytes != n_bytes || memcmp(back->bytes, bytes, n_bytes) != 0)
                ck_abort_msg("word: '%s'", buffer_terminate(b));
}

START_TEST(test_every_byte_pair) {
        _cleanup_buffer_ Buffer b = {0}, back = {0};
        char bytes[3];

        for (int first = 0; first < 256; first++) {
                for (int second = 0; second < 256; second++) {
                        bytes[0] = (char)first;
                        bytes[1] = (char)second;
                        bytes[2] = '4'; /* a digit that an escape must not swallow */
                        check_round_trip(&b, &back, bytes, 1);
                        check_round_trip(&b, &back, bytes, 2);
                        check_round_trip(&b, &back, bytes, 3);
                }
        }
}
END_TEST

START_TEST(test_every_code_point) {
        _cleanup_buffer_ Buffer b = {0}, back = {0};

        for (uint32_t code = 0; code <= 0x10ffff; code++) {
                char bytes[5];
                size_t n = encode(code, bytes);

                bytes[n] = 'a';
                check_round_trip(&b, &back, bytes, n + 1);
        }
}
END_TEST

/* Each text cut at each byte, exactly sized. */
START_TEST(test_truncation) {
        _cleanup_buffer_ Buffer b = {0}, back = {0};

        for (size_t cut = 0; cut <= texts[_i].n_bytes; cut++) {
                char *bytes = malloc(cut > 0 ? cut : 1);

                ck_assert_ptr_nonnull(bytes);
                memcpy(bytes, texts[_i].bytes, cut);
                if (cut > 0)
                        check_round_trip(&b, &back, bytes, cut);
                escape_width(bytes, cut);
                ck_assert_uint_le(escape_fit(bytes, cut, cut / 2), cut);
                free(bytes);
        }
}
END_TEST

static const struct {
        const char *text;
        size_t n_text, n_columns;
        size_t fits[6]; /* bytes that fit into 0, 1, … columns */
} widths[] = {
        {T(""), 0, {0, 0, 0, 0, 0, 0}},
        {T("abc"), 3, {0, 1, 2, 3, 3, 3}},
        {T("\xc3\xa9z"), 2, {0, 2, 3, 3, 3, 3}},
        {T("\xe6\x97\xa5\xe6\x9c\xac"), 4, {0, 0, 3, 3, 6, 6}}, /* wide */
        {T("e\xcc\x81z"), 2, {0, 3, 4, 4, 4, 4}},               /* combining acute */
        {T("a\xf0\x9f\x98\x80"), 3, {0, 1, 1, 5, 5, 5}},        /* emoji */
        {T("\xff\xfe"), 2, {0, 1, 2, 2, 2, 2}},                 /* stray bytes */
        {T("a\xe6\x97"), 3, {0, 1, 2, 3, 3, 3}},                /* cut */
        {T("\x01"), 1, {0, 1, 1, 1, 1, 1}},                     /* unescaped control */
        {T("\xf4\x8f\xbf\xbf"), 1, {0, 4, 4, 4, 4, 4}},         /* noncharacter */
};

START_TEST(test_width_and_fit) {
        /* wcwidth(3) knows nothing but ASCII in the "C" locale. */
        ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
        ck_assert_uint_eq(escape_width(widths[_i].text, widths[_i].n_text), widths[_i].n_columns);
        for (size_t n = 0; n < N(widths[0].fits); n++)
                ck_assert_uint_eq(escape_fit(widths[_i].text, widths[_i].n_text, n),
                                  widths[_i].fits[n]);
        ck_assert_uint_eq(escape_fit(widths[_i].text, widths[_i].n_text, SIZE_MAX),
                          widths[_i].n_text);
}
END_TEST

START_TEST(test_width_without_locale) {
        ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C"));
        ck_assert_uint_eq(escape_width(T("a\xc3\xa9\xe6\x97\xa5")), 3);
        ck_assert_uint_eq(escape_fit(T("a\xc3\xa9\xe6\x97\xa5"), 2), 3);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("escape");

        tcase_add_loop_test(tcase, test_terminal, 0, N(texts));
        tcase_add_loop_test(tcase, test_shell_word, 0, N(texts));
        tcase_add_loop_test(tcase, test_hidden, 0, N(hidden));
        tcase_add_loop_test(tcase, test_seen, 0, N(seen));
        tcase_add_test(tcase, test_every_byte_pair);
        tcase_add_test(tcase, test_every_code_point);
        tcase_add_loop_test(tcase, test_truncation, 0, N(texts));
        tcase_add_loop_test(tcase, test_width_and_fit, 0, N(widths));
        tcase_add_test(tcase, test_width_without_locale);
        return unit_run("escape", tcase);
}
