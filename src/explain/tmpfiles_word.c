/* SPDX-License-Identifier: MIT */

/*
 * The words of a line of tmpfiles.d.
 *
 * No word is longer than its text: an escape takes at least two bytes for one and at least six for
 * a code point, which takes four at most.
 *
 * Source: extract_first_word(), cunescape_one() and specifier_printf() of systemd 252.
 */

#include "explain/tmpfiles_word.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"

#define BLANKS " \t\n\r"

static int digit_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* n digits of a base. Return: 0, -EBADMSG. */
static int take_digits(const char *s, size_t n, int base, uint32_t *ret) {
        uint32_t v = 0;

        for (size_t i = 0; i < n; i++) {
                int d = digit_value(s[i]);

                if (d < 0 || d >= base)
                        return -EBADMSG;
                v = v * (uint32_t)base + (uint32_t)d;
        }
        *ret = v;
        return 0;
}

static void append_code_point(Buffer *b, uint32_t u) {
        if (u < 0x80) {
                buffer_append_char(b, (char)u);
        } else if (u < 0x800) {
                buffer_append_char(b, (char)(unsigned char)(0xc0 | u >> 6));
                buffer_append_char(b, (char)(unsigned char)(0x80 | (u & 0x3f)));
        } else if (u < 0x10000) {
                buffer_append_char(b, (char)(unsigned char)(0xe0 | u >> 12));
                buffer_append_char(b, (char)(unsigned char)(0x80 | (u >> 6 & 0x3f)));
                buffer_append_char(b, (char)(unsigned char)(0x80 | (u & 0x3f)));
        } else {
                buffer_append_char(b, (char)(unsigned char)(0xf0 | u >> 18));
                buffer_append_char(b, (char)(unsigned char)(0x80 | (u >> 12 & 0x3f)));
                buffer_append_char(b, (char)(unsigned char)(0x80 | (u >> 6 & 0x3f)));
                buffer_append_char(b, (char)(unsigned char)(0x80 | (u & 0x3f)));
        }
}

static bool is_code_point(uint32_t u) {
        /* Noncharacters are refused as systemd's unichar_is_valid() does. */
        return u < 0x110000 && (u & 0xfffff800) != 0xd800 && !(u >= 0xfdd0 && u <= 0xfdef) &&
               (u & 0xfffe) != 0xfffe;
}

/* Behind '\\': x, u, U and octal. Return: bytes taken, -EBADMSG. */
static int unescape_number(const char *s, Buffer *b) {
        uint32_t v;

        switch (s[0]) {
        case 'x':
                if (take_digits(s + 1, 2, 16, &v) < 0 || v == 0)
                        return -EBADMSG;
                buffer_append_char(b, (char)(unsigned char)v);
                return 3;
        case 'u':
                if (take_digits(s + 1, 4, 16, &v) < 0 || v == 0)
                        return -EBADMSG;
                append_code_point(b, v);
                return 5;
        case 'U':
                if (take_digits(s + 1, 8, 16, &v) < 0 || v == 0 || !is_code_point(v))
                        return -EBADMSG;
                append_code_point(b, v);
                return 9;
        default:
                if (take_digits(s, 3, 8, &v) < 0 || v == 0 || v > 255)
                        return -EBADMSG;
                buffer_append_char(b, (char)(unsigned char)v);
                return 3;
        }
}

/* Behind '\\'. Return: bytes taken, -EBADMSG. */
static int unescape_one(const char *s, Buffer *b) {
        static const char letters[] = "abfnrtv\\\"'s";
        static const char bytes[] = "\a\b\f\n\r\t\v\\\"' ";
        const char *letter;

        if (s[0] == '\0')
                return -EBADMSG;
        letter = strchr(letters, s[0]);
        if (!letter)
                return unescape_number(s, b);
        buffer_append_char(b, bytes[letter - letters]);
        return 1;
}

/* Behind '\\', before systemd 254. Return: bytes taken, -EBADMSG. */
static int take_literal(const char *s, Buffer *b) {
        if (s[0] == '\0')
                return -EBADMSG;
        buffer_append_char(b, s[0]);
        return 1;
}

static int take_string(Buffer *b, char **ret) {
        char *s;

        if (b->is_failed)
                return -ENOMEM;
        s = strndup(buffer_terminate(b), b->n_bytes);
        if (!s || b->is_failed) {
                free(s);
                return -ENOMEM;
        }
        *ret = s;
        return 0;
}

int tmpfiles_word_next(const char **at, bool has_escapes, char **ret_word) {
        _cleanup_buffer_ Buffer word = {0};
        const char *s = *at + strspn(*at, BLANKS);
        char quote = '\0';
        int r;

        if (*s == '\0') {
                *at = s;
                return 0;
        }
        while (*s != '\0' && (quote != '\0' || !strchr(BLANKS, *s))) {
                if (*s == '\\') {
                        r = has_escapes ? unescape_one(s + 1, &word) : take_literal(s + 1, &word);
                        if (r < 0)
                                return r;
                        s += 1 + r;
                        continue;
                }
                if (quote == '\0' && (*s == '"' || *s == '\''))
                        quote = *s;
                else if (quote != '\0' && *s == quote)
                        quote = '\0';
                else
                        buffer_append_char(&word, *s);
                s++;
        }
        if (quote != '\0')
                return -EBADMSG;

        r = take_string(&word, ret_word);
        if (r < 0)
                return r;
        *at = s + strspn(s, BLANKS);
        return 1;
}

int tmpfiles_word_unescape(const char *text, char **ret_text) {
        _cleanup_buffer_ Buffer b = {0};

        while (*text != '\0') {
                int r;

                if (*text != '\\') {
                        buffer_append_char(&b, *text++);
                        continue;
                }
                r = unescape_one(text + 1, &b);
                if (r < 0)
                        return r;
                text += 1 + r;
        }
        return take_string(&b, ret_text);
}

static bool is_letter_or_digit(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What stands behind a '%'. */
static int expand_one(char letter, const TmpfilesWorld *world, Buffer *b) {
        const char *s;
        int r;

        if (letter == '%' || letter == '\0') {
                buffer_append_char(b, '%');
                return 0;
        }
        if (!is_letter_or_digit(letter)) {
                buffer_append_char(b, '%');
                buffer_append_char(b, letter);
                return 0;
        }

        r = world->specifier ? world->specifier(world->userdata, letter, &s) : -EBADSLT;
        if (r < 0)
                return r;
        buffer_append_string(b, s);
        return 0;
}

int tmpfiles_word_expand(const char *text, const TmpfilesWorld *world, char **ret_text,
                         char *ret_letter) {
        _cleanup_buffer_ Buffer b = {0};

        while (*text != '\0') {
                if (*text == '%') {
                        char letter = text[1];
                        int r = expand_one(letter, world, &b);

                        if (r < 0) {
                                *ret_letter = letter;
                                return r;
                        }
                        text += letter == '\0' ? 1 : 2;
                } else {
                        buffer_append_char(&b, *text++);
                }
                if (b.n_bytes > TMPFILES_PATH_BYTES_MAX)
                        return -ENAMETOOLONG;
        }
        return take_string(&b, ret_text);
}
