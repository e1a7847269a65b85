/* SPDX-License-Identifier: MIT */

/* The journal, read backwards. */

#include "query/journal_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/path.h"

struct JournalQuery {
        sd_journal *journal;
        Buffer match;
};

int journal_query_new(const char *directory, JournalQuery **ret_query) {
        JournalQuery *q = calloc(1, sizeof(*q));
        int r;

        if (!q)
                return -ENOMEM;
        if (directory)
                r = sd_journal_open_directory(&q->journal, directory, 0);
        else
                r = sd_journal_open(&q->journal, SD_JOURNAL_LOCAL_ONLY);
        /* A record with long arguments is longer than the 64 kB that it gives by itself. */
        if (r >= 0)
                r = sd_journal_set_data_threshold(q->journal, 0);
        if (r >= 0)
                r = sd_journal_seek_tail(q->journal);
        if (r < 0) {
                journal_query_free(q);
                return r;
        }
        *ret_query = q;
        return 0;
}

JournalQuery *journal_query_free(JournalQuery *q) {
        if (!q)
                return NULL;
        sd_journal_close(q->journal);
        buffer_done(&q->match);
        free(q);
        return NULL;
}

static int add_match(JournalQuery *q, const char *field, const char *value, size_t n_value) {
        buffer_clear(&q->match);
        buffer_append_string(&q->match, field);
        buffer_append_char(&q->match, '=');
        buffer_append(&q->match, value, n_value);
        if (q->match.is_failed)
                return -ENOMEM;
        return sd_journal_add_match(q->journal, q->match.bytes, q->match.n_bytes);
}

static int match_ours(JournalQuery *q) {
        int r = add_match(q, "SYSLOG_IDENTIFIER", "whodunlink", strlen("whodunlink"));

        return r < 0 ? r : add_match(q, "_UID", "0", 1);
}

int journal_query_match_path(JournalQuery *q, const char *path) {
        size_t n = strlen(path);
        int r;

        sd_journal_flush_matches(q->journal);
        r = match_ours(q);
        if (r >= 0)
                r = sd_journal_add_conjunction(q->journal);
        /* Values of one field are alternatives. */
        for (; r >= 0; n = path_directory_length(path, n)) {
                r = add_match(q, "DELETION_PATH", path, n);
                if (n <= 1)
                        break;
        }
        if (r >= 0)
                r = sd_journal_add_disjunction(q->journal);
        if (r >= 0)
                r = add_match(q, "DELETION_ACTION", "fold", strlen("fold"));
        return r < 0 ? r : sd_journal_seek_tail(q->journal);
}

int journal_query_match_overwrites(JournalQuery *q) {
        int r;

        sd_journal_flush_matches(q->journal);
        r = match_ours(q);
        if (r >= 0)
                r = add_match(q, "DELETION_ACTION", "overwrite", strlen("overwrite"));
        return r < 0 ? r : sd_journal_seek_tail(q->journal);
}

int journal_query_previous(JournalQuery *q, const char **ret_line, size_t *ret_n_line) {
        static const char field[] = "MESSAGE=";

        for (;;) {
                const void *data;
                size_t n;
                int r = sd_journal_previous(q->journal);

                if (r <= 0)
                        return r;
                r = sd_journal_get_data(q->journal, "MESSAGE", &data, &n);
                /* EBADMSG: the file is damaged here; what is before it can still be read. */
                if (r == -ENOENT || r == -EBADMSG)
                        continue;
                if (r < 0)
                        return r;
                if (n < strlen(field) || memcmp(data, field, strlen(field)) != 0)
                        continue;
                *ret_line = (const char *)data + strlen(field);
                *ret_n_line = n - strlen(field);
                return 1;
        }
}

int journal_query_since(JournalQuery *q, uint64_t *ret_realtime_nsec) {
        uint64_t from_usec = 0;
        int r = sd_journal_get_cutoff_realtime_usec(q->journal, &from_usec, NULL);

        if (r <= 0)
                return r;
        *ret_realtime_nsec = from_usec * CLOCK_NSEC_PER_USEC;
        return 1;
}

int journal_query_last_record(JournalQuery *q, uint64_t *ret_realtime_nsec) {
        uint64_t usec;
        int r;

        sd_journal_flush_matches(q->journal);
        r = match_ours(q);
        if (r >= 0)
                r = sd_journal_seek_tail(q->journal);
        if (r >= 0)
                r = sd_journal_previous(q->journal);
        if (r <= 0)
                return r;
        r = sd_journal_get_realtime_usec(q->journal, &usec);
        if (r < 0)
                return r;
        *ret_realtime_nsec = usec * CLOCK_NSEC_PER_USEC;
        return 1;
}
