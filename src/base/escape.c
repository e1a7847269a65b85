/* SPDX-License-Identifier: MIT */

/*
 * Names made harmless for a terminal, and arguments made readable as shell words.
 *
 * Anyone who may create a file chooses bytes that end on the terminal of root.  Everything that
 * a terminal acts on or that does not show is replaced by an escape that bash reads back in
 * $'…'; printable text of any script stays as it is.
 *
 * "Does not show" is Unicode's Default_Ignorable_Code_Point, which holds the bidirectional and
 * zero-width controls, the variation selectors and the tags: two names that differ only in these
 * would look the same.
 *
 * Limits: look-alike letters and stacked combining marks pass; the terminal must be a UTF-8 one
 * (in others the bytes of a valid sequence may be C1 controls); width is wcwidth(3)'s opinion and
 * so needs setlocale(LC_CTYPE, ""), without which all that is not ASCII counts 1.
 *
 * Source: Unicode 15 DerivedCoreProperties.txt, UAX 9 (bidirectional controls), bash(1) QUOTING.
 */

#include "base/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"

typedef struct Range {
        uint32_t first, last;
} Range;

/* Sorted. */
static const Range invisible[] = {
        {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},
        {0x061c, 0x061c},   {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},
        {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164},
        {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
        {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

/* Spaces that are no ASCII: they show, but would look like the end of an unquoted word. */
static const Range spaces[] = {
        {0x00a0, 0x00a0}, {0x1680, 0x1680}, {0x2000, 0x200a}, {0x202f, 0x202f},
        {0x205f, 0x205f}, {0x2800, 0x2800}, {0x3000, 0x3000},
};

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

static bool ranges_contain(const Range *ranges, size_t n_ranges, uint32_t code) {
        for (size_t i = 0; i < n_ranges && ranges[i].first <= code; i++)
                if (code <= ranges[i].last)
                        return true;
        return false;
}

static bool is_plain_ascii(char c) {
        return c >= ' ' && c <= '~';
}

static void append_hex(Buffer *b, char kind, size_t n_digits, uint32_t v) {
        char text[10] = {'\\', kind};

        for (size_t i = n_digits; i > 0; i--, v >>= 4)
                text[1 + i] = "0123456789abcdef"[v & 15];
        buffer_append(b, text, 2 + n_digits);
}

static void append_code(Buffer *b, uint32_t code) {
        switch (code) {
        case '\n':
                buffer_append_literal(b, "\\n");
                break;
        case '\t':
                buffer_append_literal(b, "\\t");
                break;
        case '\r':
                buffer_append_literal(b, "\\r");
                break;
        case 0x1b:
                buffer_append_literal(b, "\\e");
                break;
        default:
                if (code < 0x80)
                        append_hex(b, 'x', 2, code);
                else if (code <= 0xffff)
                        append_hex(b, 'u', 4, code);
                else
                        append_hex(b, 'U', 8, code);
        }
}

/*
 * shown_length() - bytes of the code point at the front if a terminal may see it as it is
 *
 * Return: its length, 0 when it has to be escaped, in which case *ret_n is how many bytes that
 * takes and *ret_code the code point, or the byte with *ret_is_valid false.
 */
static size_t shown_length(const char *at, size_t n, size_t *ret_n, uint32_t *ret_code,
                           bool *ret_is_valid) {
        *ret_n = utf8_next(at, n, ret_code);
        *ret_is_valid = *ret_n > 0;
        if (!*ret_is_valid) {
                *ret_n = 1;
                *ret_code = (uint8_t)*at;
                return 0;
        }
        return ranges_contain(invisible, N_ELEMENTS(invisible), *ret_code) ? 0 : *ret_n;
}

/* Appends with escapes; `quote` is one more character that gets a backslash, as that itself. */
static void append_escaped(Buffer *b, const char *bytes, size_t n_bytes, char quote) {
        size_t shown = 0, at = 0; /* bytes[shown..at) wait to be appended as they are */

        while (at < n_bytes) {
                uint32_t code;
                bool is_valid;
                size_t n;

                if (bytes[at] == '\\' || (quote && bytes[at] == quote)) {
                        buffer_append(b, bytes + shown, at - shown);
                        buffer_append_char(b, '\\');
                        shown = at++;
                        continue;
                }
                if (is_plain_ascii(bytes[at])) {
                        at++;
                        continue;
                }
                if (shown_length(bytes + at, n_bytes - at, &n, &code, &is_valid) == 0) {
                        buffer_append(b, bytes + shown, at - shown);
                        if (is_valid)
                                append_code(b, code);
                        else
                                append_hex(b, 'x', 2, code);
                        shown = at + n;
                }
                at += n;
        }
        buffer_append(b, bytes + shown, at - shown);
}

void escape_append_terminal(Buffer *b, const char *bytes, size_t n_bytes) {
        append_escaped(b, bytes, n_bytes, '\0');
}

typedef enum WordKind {
        WORD_SAFE,
        WORD_QUOTED,
        WORD_ESCAPED,
} WordKind;

static bool is_safe_ascii(char c, bool is_first) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
                return true;
        /* A leading '=' is a command's path to zsh. */
        return c && strchr(is_first ? "_-./:@%+," : "_-./:@%+,=", c);
}

static WordKind word_kind(const char *bytes, size_t n_bytes) {
        WordKind kind = n_bytes == 0 ? WORD_QUOTED : WORD_SAFE;

        for (size_t at = 0, n; at < n_bytes; at += n) {
                uint32_t code;
                bool is_valid;

                if (is_plain_ascii(bytes[at])) {
                        if (!is_safe_ascii(bytes[at], at == 0))
                                kind = WORD_QUOTED;
                        n = 1;
                        continue;
                }
                if (shown_length(bytes + at, n_bytes - at, &n, &code, &is_valid) == 0)
                        return WORD_ESCAPED;
                if (ranges_contain(spaces, N_ELEMENTS(spaces), code))
                        kind = WORD_QUOTED;
        }
        return kind;
}

void escape_append_shell_word(Buffer *b, const char *bytes, size_t n_bytes) {
        switch (word_kind(bytes, n_bytes)) {
        case WORD_SAFE:
                buffer_append(b, bytes, n_bytes);
                break;
        case WORD_ESCAPED:
                buffer_append_literal(b, "$'");
                append_escaped(b, bytes, n_bytes, '\'');
                buffer_append_char(b, '\'');
                break;
        case WORD_QUOTED:
                buffer_append_char(b, '\'');
                for (size_t at = 0; at < n_bytes; at++) {
                        if (bytes[at] == '\'')
                                buffer_append_literal(b, "'\\''");
                        else
                                buffer_append_char(b, bytes[at]);
                }
                buffer_append_char(b, '\'');
                break;
        }
}

/* Columns of the code point or stray byte at the front, and its bytes. */
static size_t column_next(const char *text, size_t n_bytes, size_t *ret_n) {
        uint32_t code;
        int width;

        *ret_n = 1;
        if ((unsigned char)*text < 0x80)
                return 1;
        *ret_n = utf8_next(text, n_bytes, &code);
        if (*ret_n == 0) {
                *ret_n = 1;
                return 1;
        }
        width = wcwidth((wchar_t)code);
        return width < 0 ? 1 : (size_t)width;
}

size_t escape_width(const char *text, size_t n_bytes) {
        size_t n_columns = 0;

        for (size_t at = 0, n; at < n_bytes; at += n)
                n_columns += column_next(text + at, n_bytes - at, &n);
        return n_columns;
}

size_t escape_fit(const char *text, size_t n_bytes, size_t n_columns) {
        size_t at = 0, n;

        while (at < n_bytes) {
                size_t width = column_next(text + at, n_bytes - at, &n);

                if (width > n_columns)
                        break;
                n_columns -= width;
                at += n;
        }
        return at;
}
