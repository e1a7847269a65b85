/* SPDX-License-Identifier: MIT */

/*
 * Records for people: one line a deletion, and who it was below the first of a group.
 *
 *      14:02:11.482193  unlink  /tmp/tools/x
 *                       rm[4711] as root, login alice
 *                       $ rm -rf /tmp/tools
 *                       in cron.service
 *                       started by cron, as sh[4708]
 *                       rm ← find ← sh ← cron ← systemd
 *                       why: the cron job find /tmp -delete (/etc/cron.d/clean:3)
 *      14:02:11.482210  rmdir   /tmp/tools/
 *
 * A group is consecutive deletions of one process about which the same is said; so a process that
 * executes another program opens a new one, and one that only changes its directory does not.  Why
 * is the last line of it, and said again below a later deletion that has another cause.
 *
 * Paths are never cut: whoever copies one must get it whole.  A line that does not begin with a
 * time of day in its first column is never a record: a newline in a name comes out as "\n".
 *
 * Limits: one process that takes turns with another says who it is each time.
 */

#include "record/record_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "record/record_text_who.h"
#include "record/text_cause.h"
#include "record/text_remains.h"
#include "record/text_style.h"

struct RecordText {
        RecordTextOptions options;
        UserNames *names;
        bool has_output;
        bool is_in_group;
        uint64_t deleter_id; /* of the group; 0 none known */
        uint64_t serial;     /* of its process; 0 unknown */
        Buffer who;          /* as it was said of the group */
        Buffer cause;        /* likewise, the last of them */
        Buffer scratch;
};

int record_text_new(RecordTextOptions options, UserNames *names, RecordText **ret_text) {
        RecordText *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;
        t->options = options;
        t->names = names;
        *ret_text = t;
        return 0;
}

RecordText *record_text_free(RecordText *t) {
        if (!t)
                return NULL;
        buffer_done(&t->who);
        buffer_done(&t->cause);
        buffer_done(&t->scratch);
        free(t);
        return NULL;
}

void record_text_set_columns(RecordText *t, size_t n_columns) {
        t->options.n_columns = n_columns;
}

static bool buffers_are_equal(const Buffer *a, const Buffer *b) {
        return a->n_bytes == b->n_bytes &&
               (a->n_bytes == 0 || memcmp(a->bytes, b->bytes, a->n_bytes) == 0);
}

/*
 * Takes the deleter as that of the group, with t->who about it.
 * Return: is it the group's already?
 */
static bool continue_group(RecordText *t, const Deleter *d) {
        const uint64_t id = d ? d->id : 0, serial = d ? d->process.serial : 0;
        bool is_same_process = t->is_in_group && serial == t->serial;
        Buffer who;

        if (is_same_process && id == t->deleter_id)
                return true;

        buffer_clear(&t->scratch);
        record_text_who_append(t->options, t->names, d, &t->scratch);
        is_same_process = is_same_process && buffers_are_equal(&t->scratch, &t->who);
        who = t->who;
        t->who = t->scratch;
        t->scratch = who;
        t->deleter_id = id;
        t->serial = serial;
        t->is_in_group = true;
        return is_same_process;
}

static TextStyle action_style(RecordAction a) {
        switch (a) {
        case RECORD_UNLINK:
        case RECORD_OVERWRITE:
                return TEXT_STYLE_UNLINK;
        case RECORD_RMDIR:
                return TEXT_STYLE_RMDIR;
        case RECORD_MOVE:
                return TEXT_STYLE_MOVE;
        default:
                return TEXT_STYLE_NEWS;
        }
}

/* "14:02:11.482193  unlink  " */
static void append_head(const RecordText *t, const Record *r, Buffer *b) {
        const bool is_colored = t->options.is_colored;
        const char *action = record_action_to_string(r->action);

        text_style_set(b, is_colored, TEXT_STYLE_DIM);
        clock_append_local_time(b, r->realtime_nsec);
        text_style_set(b, is_colored, TEXT_STYLE_PLAIN);
        buffer_append_literal(b, "  ");
        text_style_append(b, is_colored, action_style(r->action), action);
        for (size_t n = strlen(action); n < strlen("unlink"); n++)
                buffer_append_char(b, ' ');
        buffer_append_literal(b, "  ");
}

typedef enum PathForm {
        PATH_FORM_ALONE, /* ends the line: blanks in it cannot be mistaken */
        PATH_FORM_WORD,  /* something follows: what holds a blank is quoted */
} PathForm;

static void append_path(RecordText *t, const RecordPath *p, bool is_directory, PathForm form,
                        Buffer *b) {
        buffer_clear(&t->scratch);
        record_path_append(p, &t->scratch);
        if (is_directory && t->scratch.n_bytes > 0 &&
            t->scratch.bytes[t->scratch.n_bytes - 1] != '/')
                buffer_append_char(&t->scratch, '/');

        /* No known path begins with this. */
        if (!p->directory) {
                buffer_append_literal(b, "…/");
                form = PATH_FORM_WORD;
        }
        if (form == PATH_FORM_WORD)
                escape_append_shell_word(b, t->scratch.bytes, t->scratch.n_bytes);
        else
                escape_append_terminal(b, t->scratch.bytes, t->scratch.n_bytes);
        if (!p->directory)
                buffer_append_literal(b, " (directory not known)");
        if (t->scratch.is_failed)
                b->is_failed = true;
}

static void append_place(RecordText *t, const Record *r, Buffer *b) {
        const bool is_with_all = r->is_subvolume && r->action == RECORD_RMDIR;
        const bool has_two = r->action == RECORD_MOVE || r->action == RECORD_OVERWRITE;
        const PathForm form = has_two || is_with_all ? PATH_FORM_WORD : PATH_FORM_ALONE;

        if (r->path.name)
                append_path(t, &r->path, r->is_directory, form, b);
        else
                buffer_append_literal(b, "(path not known)");

        if (is_with_all)
                buffer_append_literal(b, " (subvolume, with all it held)");
        if (!has_two)
                return;
        buffer_append_string(b, r->action == RECORD_MOVE ? " → " : " ← ");
        if (r->new_path.name)
                append_path(t, &r->new_path, r->is_directory, form, b);
        else
                buffer_append_literal(b, "(not known where)");
}

/* Why, unless it was said of this group already. */
static void append_cause(RecordText *t, const Cause *c, bool is_continued, Buffer *b) {
        const bool is_said = is_continued && t->cause.n_bytes > 0;
        Buffer before;

        if (!is_continued)
                buffer_clear(&t->cause);
        if (!c)
                return;
        buffer_clear(&t->scratch);
        text_cause_append(&(TextLine){.options = t->options, .out = &t->scratch}, c);
        if (is_said && buffers_are_equal(&t->scratch, &t->cause))
                return;
        before = t->cause;
        t->cause = t->scratch;
        t->scratch = before;
        buffer_append(b, t->cause.bytes, t->cause.n_bytes);
        if (t->cause.is_failed)
                b->is_failed = true;
}

/* "9744 more in or below /tmp/x (9700 files, 44 directories)" */
static void append_fold(const RecordFold *f, Buffer *b) {
        buffer_append_u64(b, f->n_entries);
        buffer_append_literal(b, " more");
        if (f->common_directory) {
                buffer_append_literal(b, " in or below ");
                escape_append_shell_word(b, f->common_directory, f->n_common_directory);
        }
        buffer_append_literal(b, " (");
        buffer_append_u64(b, f->n_files);
        buffer_append_string(b, f->n_files == 1 ? " file, " : " files, ");
        buffer_append_u64(b, f->n_directories);
        buffer_append_string(b, f->n_directories == 1 ? " directory" : " directories");
        if (f->n_moves > 0) {
                buffer_append_literal(b, "; ");
                buffer_append_u64(b, f->n_moves);
                buffer_append_literal(b, " moved");
        }
        if (f->n_overwrites > 0) {
                buffer_append_literal(b, "; ");
                buffer_append_u64(b, f->n_overwrites);
                buffer_append_literal(b, " replaced");
        }
        buffer_append_char(b, ')');
}

static void append_deletion(RecordText *t, const Record *r, Buffer *b) {
        bool is_continued = continue_group(t, r->deleter);

        if (!is_continued && t->has_output)
                buffer_append_char(b, '\n');
        append_head(t, r, b);
        if (r->action == RECORD_FOLD)
                append_fold(r->fold, b);
        else
                append_place(t, r, b);
        buffer_append_char(b, '\n');
        if (r->remains)
                text_remains_append(
                        &(TextLine){.options = t->options, .out = b, .scratch = &t->scratch},
                        r->remains);
        if (!is_continued)
                buffer_append(b, t->who.bytes, t->who.n_bytes);
        append_cause(t, r->cause, is_continued, b);
        if (t->who.is_failed)
                b->is_failed = true;
        t->has_output = true;
}

static void append_news(RecordText *t, const Record *r, Buffer *b) {
        if (t->is_in_group)
                buffer_append_char(b, '\n');
        append_head(t, r, b);
        if (r->message)
                escape_append_terminal(b, r->message, strlen(r->message));
        buffer_append_char(b, '\n');
        t->is_in_group = false;
        t->has_output = true;
}

void record_text_append(RecordText *t, const Record *record, Buffer *ret_text) {
        if (record_action_has_deleter(record->action))
                append_deletion(t, record, ret_text);
        else if (record->action == RECORD_LOSS || record->action == RECORD_COVERAGE)
                append_news(t, record, ret_text);
}
