/* SPDX-License-Identifier: MIT */

/* NUL-separated text, which may have been cut in the middle of an argument. */

#include "explain/arguments.h"

#include <string.h>

#include "base/escape.h"

const char *arguments_at(const ProcessFacts *f, size_t i) {
        size_t at = 0;

        if (!f || !f->args)
                return NULL;
        for (; i > 0 && at < f->n_args_bytes; i--)
                at += strlen(f->args + at) + 1;
        return at < f->n_args_bytes ? f->args + at : NULL;
}

void arguments_append(const ProcessFacts *f, Buffer *b) {
        const char *arg;

        if (!arguments_at(f, 0)) {
                if (f && f->name)
                        escape_append_shell_word(b, f->name, strlen(f->name));
                return;
        }
        for (size_t i = 0; (arg = arguments_at(f, i)); i++) {
                if (i > 0)
                        buffer_append_char(b, ' ');
                escape_append_shell_word(b, arg, strlen(arg));
        }
        if (f->is_args_cut)
                buffer_append_literal(b, "…");
}

void arguments_cut(Buffer *b, size_t start) {
        size_t n = ARGUMENTS_SHOWN_BYTES;

        if (b->n_bytes - start <= n)
                return;
        /* Not inside a code point. */
        while (n > 0 && ((unsigned char)b->bytes[start + n] & 0xc0) == 0x80)
                n--;
        b->n_bytes = start + n;
        buffer_append_literal(b, "…");
}
