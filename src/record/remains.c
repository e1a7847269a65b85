/* SPDX-License-Identifier: MIT */

/*
 * What is left of a file, in JSON.
 *
 * Source: Elastic Common Schema, fieldset file: numbers of users are strings there, the mode is
 * octal.
 */

#include "record/remains.h"

#include "base/clock.h"
#include "record/json_string.h"

static void append_time(Buffer *b, const char *key, const struct timespec *t) {
        /* Before 1970, which the clock's format does not have. */
        if (t->tv_sec < 0)
                return;
        buffer_append_format(b, "\"%s\":\"", key);
        clock_append_rfc3339(b, (uint64_t)t->tv_sec * CLOCK_NSEC_PER_SEC + (uint64_t)t->tv_nsec);
        buffer_append_literal(b, "\",");
}

void remains_append_file(const Remains *r, UserNames *names, Buffer *b) {
        const struct stat *st = &r->status;

        buffer_append_format(b, "\"size\":%lld,\"uid\":\"%u\",\"gid\":\"%u\",",
                             (long long)st->st_size, st->st_uid, st->st_gid);
        json_string_append_member(b, "owner", user_names_user(names, st->st_uid));
        json_string_append_member(b, "group", user_names_group(names, st->st_gid));
        buffer_append_format(b, "\"mode\":\"%04o\",", st->st_mode & 07777U);
        append_time(b, "mtime", &st->st_mtim);
        append_time(b, "ctime", &st->st_ctim);
        append_time(b, "accessed", &st->st_atim);
}

static void append_holder(const Holder *h, Buffer *b) {
        buffer_append_format(b, "{\"pid\":%d,", (int)h->pid);
        if (h->name[0] != '\0')
                json_string_append_member(b, "name", h->name);
        if (h->fd >= 0)
                buffer_append_format(b, "\"fd\":%d,", h->fd);
        if (!b->is_failed)
                b->n_bytes--; /* the last comma */
        buffer_append_char(b, '}');
}

void remains_append_whodunlink(const Remains *r, Buffer *b) {
        if (r->status.st_nlink > 0)
                buffer_append_format(b, "\"links_left\":%ju,", (uintmax_t)r->status.st_nlink);
        json_string_append_member(b, "also_at", r->also_at);
        if (r->is_held)
                buffer_append_literal(b, "\"held_open\":true,");
        if (r->n_holders == 0)
                return;
        buffer_append_literal(b, "\"held_by\":[");
        for (size_t i = 0; i < r->n_holders; i++) {
                if (i > 0)
                        buffer_append_char(b, ',');
                append_holder(&r->holders[i], b);
        }
        buffer_append_literal(b, "],");
}
