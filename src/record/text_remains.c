/* SPDX-License-Identifier: MIT */

/*
 * What is left of a file, for people.
 *
 *      also at /srv/copy (3 other names left)
 *      1 other name left, not known where
 *      still open by tail[123], can be saved: cp /proc/123/fd/4 FILE
 */

#include "record/text_remains.h"

#include <string.h>

static void append_names(const TextLine *l, const Remains *r) {
        const unsigned long long n = r->status.st_nlink;
        const char *names = n == 1 ? "name" : "names";

        if (!r->also_at) {
                buffer_append_format(l->out, "%llu other %s left", n, names);
                text_line_label(l, ", not known where");
                return;
        }
        text_line_label(l, "also at ");
        text_line_word(l->out, r->also_at, strlen(r->also_at));
        buffer_append_format(l->out, " (%llu other %s left)", n, names);
}

static void append_holders(const TextLine *l, const Remains *r) {
        const Holder *h = r->holders;

        buffer_append_literal(l->out, "still open");
        for (size_t i = 0; i < r->n_holders; i++) {
                text_line_label(l, i == 0 ? " by " : ", ");
                if (h[i].name[0] != '\0')
                        text_line_word(l->out, h[i].name, strlen(h[i].name));
                else
                        buffer_append_literal(l->out, "pid ");
                buffer_append_format(l->out, h[i].name[0] != '\0' ? "[%d]" : "%d", (int)h[i].pid);
        }
        if (r->n_holders == 0) {
                text_line_label(l, ", not known by whom");
                return;
        }
        text_line_label(l, ", can be saved: ");
        if (h->fd >= 0)
                buffer_append_format(l->out, "cp /proc/%d/fd/%d FILE", (int)h->pid, h->fd);
        else
                buffer_append_format(l->out, "cp /proc/%d/exe FILE", (int)h->pid);
}

void text_remains_append(const TextLine *l, const Remains *r) {
        if (r->status.st_nlink == 0 && !r->is_held)
                return;
        text_line_begin(l);
        if (r->status.st_nlink > 0)
                append_names(l, r);
        else
                append_holders(l, r);
        text_line_end(l);
}
