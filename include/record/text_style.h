/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The few looks of text for people.  Only the first eight colours and bold and dim, which every
 * palette, dark or light, keeps readable; the path itself stays in the terminal's own colour.
 *
 * Source: ECMA-48, 8.3.117 SGR.
 */

#include "base/buffer.h"

typedef enum TextStyle {
        TEXT_STYLE_PLAIN,
        TEXT_STYLE_DIM,
        TEXT_STYLE_UNLINK,
        TEXT_STYLE_RMDIR,
        TEXT_STYLE_MOVE,
        TEXT_STYLE_NEWS,
} TextStyle;

/* Appends the sequence that sets a look from TEXT_STYLE_PLAIN, or goes back to it. */
static inline void text_style_set(Buffer *b, bool is_colored, TextStyle s) {
        static const char *const sequences[] = {
                [TEXT_STYLE_PLAIN] = "\033[0m",     [TEXT_STYLE_DIM] = "\033[2m",
                [TEXT_STYLE_UNLINK] = "\033[1;31m", [TEXT_STYLE_RMDIR] = "\033[1;35m",
                [TEXT_STYLE_MOVE] = "\033[1;33m",   [TEXT_STYLE_NEWS] = "\033[1;33m",
        };

        if (is_colored)
                buffer_append_string(b, sequences[s]);
}

/* Appends one of our own words in a look. */
static inline void text_style_append(Buffer *b, bool is_colored, TextStyle s, const char *word) {
        text_style_set(b, is_colored, s);
        buffer_append_string(b, word);
        text_style_set(b, is_colored, TEXT_STYLE_PLAIN);
}
