/* SPDX-License-Identifier: MIT */

/*
 * Why a line of tmpfiles.d removed something, in words.
 *
 * A sentence says only what is so for this line: which of the times count, what moves them, and
 * how one thing is kept.  Access, modification and change time are moved by touch(1); birth time by
 * nothing; access and modification time are what rsync -t, tar and cp -p bring along from
 * elsewhere, so that something can be old as soon as it arrives.
 */

#include "explain/tmpfiles_sentence.h"

#include <string.h>

/* What may stand in a line of tmpfiles.d, and between backquotes, as it is. */
static bool is_plain(const char *s, size_t n) {
        for (size_t i = 0; i < n; i++) {
                char c = s[i];

                if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      strchr("/._-+,:=@~", c)))
                        return false;
        }
        return n > 0;
}

/* How much of the path stands right below the place: the smallest thing that a line would keep. */
static size_t first_below(const char *path, const char *place) {
        size_t n = strlen(place);

        while (n > 0 && place[n - 1] == '/')
                n--;
        if (strncmp(path, place, n) != 0 || path[n] != '/')
                return strlen(path);
        return n + 1 + strcspn(path + n + 1, "/");
}

static void append_exclusion(Buffer *b, const TmpfilesSentence *s) {
        size_t n = first_below(s->path, s->choice->rule->line.path);

        buffer_append_literal(b, "or add ");
        if (is_plain(s->path, n)) {
                buffer_append_literal(b, "`x ");
                buffer_append(b, s->path, n);
                buffer_append_literal(b, "`");
        } else {
                buffer_append_literal(b, "an x line for it");
        }
        buffer_append_literal(b, " to a file in ");
        buffer_append_string(b, s->is_user ? "~/.config/user-tmpfiles.d" : "/etc/tmpfiles.d");
}

/* "access, modification and change time". */
static void append_times(Buffer *b, unsigned times) {
        char text[64];

        tmpfiles_times_text(times, text, sizeof(text));
        buffer_append_string(b, text);
        buffer_append_literal(b, " time");
        if ((times & (times - 1)) != 0)
                buffer_append_literal(b, " alike");
}

static void append_age(Buffer *b, const TmpfilesSentence *s) {
        const TmpfilesLine *line = &s->choice->rule->line;
        unsigned times = s->choice->times_counted;
        const unsigned moved = TMPFILES_ATIME | TMPFILES_MTIME | TMPFILES_CTIME;
        char age[96];

        buffer_append_literal(b, "removed by age: what lies in ");
        buffer_append_string(b, line->path);
        if (s->age_usec == 0) {
                buffer_append_literal(b, " goes at every cleaning, since the line's age is 0");
        } else {
                tmpfiles_age_text(s->age_usec, age, sizeof(age));
                buffer_append_literal(b, " goes once it is older than ");
                buffer_append_string(b, age);
                buffer_append_literal(b, " by ");
                append_times(b, times);
        }
        if (s->age_usec > 0 && (times & ~(unsigned)(TMPFILES_ATIME | TMPFILES_MTIME)) == 0)
                buffer_append_literal(b, ", and rsync -t, tar and cp -p bring old times along");
        buffer_append_literal(b, "; to keep such a thing ");
        if (s->age_usec > 0 && (times & moved) != 0)
                buffer_append_literal(b, "touch it in time, ");
        buffer_append_literal(b, "keep it elsewhere ");
        append_exclusion(b, s);
}

static void append_remove(Buffer *b, const TmpfilesSentence *s) {
        const TmpfilesLine *line = &s->choice->rule->line;

        if (line->type == 'D') {
                buffer_append_literal(b, "removed because --remove empties ");
                buffer_append_string(b, line->path);
        } else {
                buffer_append_literal(b, "removed because --remove removes ");
                buffer_append_string(b, line->path);
                if (line->type == 'R')
                        buffer_append_literal(b, " with all in it");
        }
        if (s->is_boot)
                buffer_append_literal(b, ", as at every boot");
        buffer_append_literal(b, "; what is to stay belongs elsewhere");
}

void tmpfiles_sentence_append(Buffer *b, const TmpfilesSentence *s) {
        const TmpfilesLine *line = &s->choice->rule->line;

        switch (s->choice->reason) {
        case TMPFILES_REASON_AGE:
                append_age(b, s);
                break;
        case TMPFILES_REASON_REMOVE:
                append_remove(b, s);
                break;
        case TMPFILES_REASON_PURGE:
                buffer_append_literal(b, "removed because --purge removes all that lines like "
                                         "this one make");
                break;
        default:
                buffer_append_literal(b, "removed to make room: the line makes ");
                buffer_append_string(b, line->path);
                buffer_append_literal(b, " anew, in place of what is there");
                break;
        }
}
