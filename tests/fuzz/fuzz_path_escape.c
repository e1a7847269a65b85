/* SPDX-License-Identifier: MIT */

/*
 * A hostile name on its way to a terminal: nothing in what is printed acts on it, and the exact
 * bytes can be read back.
 */

#include <locale.h>

#include "base/escape.h"
#include "base/path.h"
#include "base/utf8.h"
#include "fuzz.h"

static void append_code(Buffer *b, uint32_t code) {
        if (code < 0x80)
                buffer_append_char(b, (char)code);
        else if (code < 0x800)
                buffer_append_char(b, (char)(0xc0 | code >> 6));
        else if (code < 0x10000)
                buffer_append_char(b, (char)(0xe0 | code >> 12));
        else
                buffer_append_char(b, (char)(0xf0 | code >> 18));
        if (code >= 0x10000)
                buffer_append_char(b, (char)(0x80 | (code >> 12 & 0x3f)));
        if (code >= 0x800)
                buffer_append_char(b, (char)(0x80 | (code >> 6 & 0x3f)));
        if (code >= 0x80)
                buffer_append_char(b, (char)(0x80 | (code & 0x3f)));
}

static uint32_t take_hex(const char **at, size_t n_digits) {
        char digits[9] = {0};

        memcpy(digits, *at, n_digits);
        fuzz_check(strspn(digits, "0123456789abcdef") == n_digits);
        *at += n_digits;
        return (uint32_t)strtoul(digits, NULL, 16);
}

/* Undoes one escape; *at is behind its backslash. */
static void unescape(Buffer *b, const char **at) {
        char kind = *(*at)++;

        if (kind == 'x')
                buffer_append_char(b, (char)take_hex(at, 2));
        else if (kind == 'u')
                append_code(b, take_hex(at, 4));
        else if (kind == 'U')
                append_code(b, take_hex(at, 8));
        else if (kind == 'n' || kind == 't' || kind == 'r' || kind == 'e')
                buffer_append_char(b, kind == 'n'   ? '\n'
                                      : kind == 't' ? '\t'
                                      : kind == 'r' ? '\r'
                                                    : '\033');
        else {
                fuzz_check(kind == '\\' || kind == '\'');
                buffer_append_char(b, kind);
        }
}

/* Reads a word as bash does: plain, '…' with '\'' in between, or $'…'. */
static void unquote(Buffer *b, const char *at) {
        bool is_escaped = at[0] == '$' && at[1] == '\'';
        bool is_quoted = false;

        if (is_escaped)
                at++;
        while (*at) {
                if (*at == '\'') {
                        is_quoted = !is_quoted;
                        at++;
                } else if (*at == '\\' && (is_escaped || !is_quoted)) {
                        at++;
                        unescape(b, &at);
                } else {
                        fuzz_check(is_quoted || !strchr(" \"$&()*;<>?[]^`{|}~#!", *at));
                        buffer_append_char(b, *at++);
                }
        }
        fuzz_check(!is_quoted);
}

/* Of code points: no control, none that reorders or hides, no line or paragraph separator. */
static void check_harmless(const char *text, size_t n) {
        while (n > 0) {
                uint32_t c;
                size_t n_code = utf8_next(text, n, &c);

                fuzz_check(n_code > 0);
                fuzz_check(c >= 0x20 && !(c >= 0x7f && c < 0xa0));
                fuzz_check(!(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e));
                fuzz_check(!(c >= 0x2060 && c <= 0x206f) && c != 0xfeff && c != 0x061c);
                text += n_code;
                n -= n_code;
        }
}

static void check_fit(const char *text, size_t n, size_t n_columns) {
        size_t n_fit = escape_fit(text, n, n_columns);

        fuzz_check(n_fit <= n && escape_width(text, n_fit) <= n_columns);
        if (n_fit < n) {
                fuzz_check(((unsigned char)text[n_fit] & 0xc0) != 0x80);
                fuzz_check(escape_width(text, n) > n_columns);
        }
}

static void check_terminal(const char *bytes, size_t n_bytes) {
        _cleanup_buffer_ Buffer b = {0}, again = {0};
        const char *at;

        escape_append_terminal(&b, bytes, n_bytes);
        fuzz_check(!b.is_failed);
        check_harmless(b.bytes, b.n_bytes);
        for (size_t i = 0; i < 12; i++)
                check_fit(b.bytes, b.n_bytes, i);
        fuzz_check(escape_fit(b.bytes, b.n_bytes, SIZE_MAX) == b.n_bytes);

        for (at = buffer_terminate(&b); *at;)
                if (*at == '\\') {
                        at++;
                        unescape(&again, &at);
                } else
                        buffer_append_char(&again, *at++);
        fuzz_check(again.n_bytes == n_bytes);
        fuzz_check(n_bytes == 0 || memcmp(again.bytes, bytes, n_bytes) == 0);
}

static void check_shell(const char *bytes, size_t n_bytes) {
        _cleanup_buffer_ Buffer b = {0}, again = {0};

        escape_append_shell_word(&b, bytes, n_bytes);
        fuzz_check(!b.is_failed && b.n_bytes > 0);
        check_harmless(b.bytes, b.n_bytes);
        unquote(&again, buffer_terminate(&b));
        fuzz_check(again.n_bytes == n_bytes);
        fuzz_check(n_bytes == 0 || memcmp(again.bytes, bytes, n_bytes) == 0);
}

static void check_utf8(const char *bytes, size_t n_bytes) {
        _cleanup_buffer_ Buffer lossy = {0}, base64 = {0};

        utf8_append_lossy(&lossy, bytes, n_bytes);
        fuzz_check(utf8_is_valid(lossy.bytes, lossy.n_bytes));
        fuzz_check(utf8_is_valid(bytes, n_bytes) ==
                   (lossy.n_bytes == n_bytes &&
                    (n_bytes == 0 || memcmp(lossy.bytes, bytes, n_bytes) == 0)));
        utf8_append_base64(&base64, bytes, n_bytes);
        fuzz_check(base64.n_bytes == (n_bytes + 2) / 3 * 4);
}

/* Not for normal paths only: it must stay in its bounds for any. */
static void check_path(const char *bytes, size_t n_bytes) {
        size_t n = n_bytes / 2;

        fuzz_check(path_is_within(bytes, n_bytes, bytes, n_bytes) == (n_bytes > 0));
        if (path_is_within(bytes, n_bytes, bytes + n, n_bytes - n))
                fuzz_check(memcmp(bytes, bytes + n, n_bytes - n) == 0);
        if (n_bytes > 0 && bytes[0] == '/')
                fuzz_check(path_directory_length(bytes, n_bytes) <= n_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        static bool is_ready;

        /* wcwidth(3) knows wide and combining characters in a UTF-8 locale only. */
        if (!is_ready)
                is_ready = setlocale(LC_CTYPE, "C.UTF-8") != NULL;

        check_terminal((const char *)bytes, n_bytes);
        check_shell((const char *)bytes, n_bytes);
        check_utf8((const char *)bytes, n_bytes);
        check_path((const char *)bytes, n_bytes);
        return 0;
}
