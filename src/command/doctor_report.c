/* SPDX-License-Identifier: MIT */

/*
 *      ok       kernel: Linux 6.18.44
 *      missing  capability: CAP_SYS_NICE, for real-time priority; …
 *               → run it as root: sudo whodunlink …
 *
 * Lines are not wrapped: whoever greps for "cannot" gets all of it.
 */

#include "command/doctor_report.h"

#include <stdlib.h>
#include <string.h>

#include "record/json_string.h"
#include "record/text_style.h"

static const char *const marks[] = {
        [DOCTOR_OK] = "ok",
        [DOCTOR_NOTE] = "note",
        [DOCTOR_MISSING] = "missing",
        [DOCTOR_CANNOT] = "cannot",
};

/* As wide as the longest mark, and two blanks. */
#define MARK_COLUMNS 9

void doctor_report_add(DoctorReport *r, DoctorMark mark, const char *topic, const char *what,
                       const char *advice) {
        DoctorItem *items = reallocarray(r->items, r->n_items + 1, sizeof(*items));
        DoctorItem item = {.mark = mark, .topic = topic};

        if (items)
                r->items = items;
        item.what = strdup(what);
        item.advice = advice ? strdup(advice) : NULL;
        if (!items || !item.what || (advice && !item.advice)) {
                free(item.what);
                free(item.advice);
                r->is_failed = true;
                return;
        }
        items[r->n_items++] = item;
}

void doctor_report_done(DoctorReport *r) {
        for (size_t i = 0; i < r->n_items; i++) {
                free(r->items[i].what);
                free(r->items[i].advice);
        }
        free(r->items);
        *r = (DoctorReport){0};
}

static size_t count(const DoctorReport *r, DoctorMark mark) {
        size_t n = 0;

        for (size_t i = 0; i < r->n_items; i++)
                n += r->items[i].mark == mark;
        return n;
}

bool doctor_report_is_well(const DoctorReport *r) {
        return !r->is_failed && count(r, DOCTOR_MISSING) == 0 && count(r, DOCTOR_CANNOT) == 0;
}

static TextStyle style_of(DoctorMark mark) {
        switch (mark) {
        case DOCTOR_MISSING:
                return TEXT_STYLE_NEWS;
        case DOCTOR_CANNOT:
                return TEXT_STYLE_UNLINK;
        case DOCTOR_OK:
        case DOCTOR_NOTE:
                break;
        }
        return TEXT_STYLE_PLAIN;
}

static void append_mark(const char *mark, TextStyle style, bool is_colored, Buffer *b) {
        if (style == TEXT_STYLE_PLAIN)
                buffer_append_string(b, mark);
        else
                text_style_append(b, is_colored, style, mark);
        for (size_t n = strlen(mark); n < MARK_COLUMNS; n++)
                buffer_append_char(b, ' ');
}

static void append_summary(const DoctorReport *r, Buffer *b) {
        size_t n_missing = count(r, DOCTOR_MISSING), n_cannot = count(r, DOCTOR_CANNOT);

        if (doctor_report_is_well(r)) {
                buffer_append_literal(b, "all is well\n");
                return;
        }
        if (n_cannot > 0)
                buffer_append_format(b, "%zu cannot be done", n_cannot);
        if (n_missing > 0)
                buffer_append_format(b, "%s%zu missing", n_cannot > 0 ? ", " : "", n_missing);
        buffer_append_char(b, '\n');
}

void doctor_report_append_text(const DoctorReport *r, bool is_colored, Buffer *b) {
        for (size_t i = 0; i < r->n_items; i++) {
                const DoctorItem *item = &r->items[i];

                append_mark(marks[item->mark], style_of(item->mark), is_colored, b);
                buffer_append_string(b, item->topic);
                buffer_append_literal(b, ": ");
                buffer_append_string(b, item->what);
                buffer_append_char(b, '\n');
                if (!item->advice)
                        continue;
                append_mark("", TEXT_STYLE_PLAIN, false, b);
                buffer_append_literal(b, "→ ");
                buffer_append_string(b, item->advice);
                buffer_append_char(b, '\n');
        }
        append_summary(r, b);
}

static void append_member(Buffer *b, const char *key, const char *value) {
        buffer_append_char(b, '"');
        buffer_append_string(b, key);
        buffer_append_literal(b, "\":\"");
        json_string_append(b, value, strlen(value));
        buffer_append_char(b, '"');
}

void doctor_report_append_json(const DoctorReport *r, Buffer *b) {
        buffer_append_literal(b, "{\"version\":\"" PROJECT_VERSION "\",\"is_well\":");
        buffer_append_string(b, doctor_report_is_well(r) ? "true" : "false");
        buffer_append_literal(b, ",\"checks\":[");
        for (size_t i = 0; i < r->n_items; i++) {
                const DoctorItem *item = &r->items[i];

                buffer_append_string(b, i > 0 ? ",{" : "{");
                append_member(b, "result", marks[item->mark]);
                buffer_append_char(b, ',');
                append_member(b, "topic", item->topic);
                buffer_append_char(b, ',');
                append_member(b, "what", item->what);
                if (item->advice) {
                        buffer_append_char(b, ',');
                        append_member(b, "advice", item->advice);
                }
                buffer_append_char(b, '}');
        }
        buffer_append_literal(b, "]}\n");
}
