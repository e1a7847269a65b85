/* SPDX-License-Identifier: MIT */

/*
 * Reading our own entries back, by as few looks as can be: the newest, and one as many entries
 * before it as there should be.
 *
 * Source: sd_journal_previous_skip(3), sd_journal_get_fd(3),
 * sd_journal_get_cutoff_realtime_usec(3).
 */

#include "sink/journal_stored.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

struct JournalStored {
        sd_journal *journal; /* NULL: not open */
        char match[sizeof(JOURNAL_STORED_DELIVERY_KEY) + 1 + 32];
        char boot_match[sizeof("_BOOT_ID=") + 32];
};

int journal_stored_new(const char *boot_id, JournalStored **ret_stored) {
        JournalStored *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        snprintf(s->boot_match, sizeof(s->boot_match), "_BOOT_ID=%s", boot_id);
        *ret_stored = s;
        return 0;
}

JournalStored *journal_stored_free(JournalStored *s) {
        if (s) {
                journal_stored_close(s);
                free(s);
        }
        return NULL;
}

void journal_stored_close(JournalStored *s) {
        if (s->journal)
                sd_journal_close(s->journal);
        s->journal = NULL;
}

static int set_match(JournalStored *s) {
        sd_journal_flush_matches(s->journal);
        return sd_journal_add_match(s->journal, s->match, 0);
}

void journal_stored_set_delivery(JournalStored *s, const char *delivery) {
        snprintf(s->match, sizeof(s->match), JOURNAL_STORED_DELIVERY_KEY "=%s", delivery);
        if (s->journal && set_match(s) < 0)
                journal_stored_close(s);
}

/* Opens it, or takes in which files have come and gone since the last time. */
static int refresh(JournalStored *s) {
        int r;

        if (s->journal) {
                r = sd_journal_process(s->journal);
                if (r >= 0)
                        return 0;
                journal_stored_close(s);
        }
        r = sd_journal_open(&s->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_ALL_NAMESPACES);
        if (r < 0)
                return r;
        /* Files are followed only once this was asked for. */
        r = sd_journal_get_fd(s->journal);
        if (r >= 0)
                r = set_match(s);
        if (r < 0)
                journal_stored_close(s);
        return r < 0 ? r : 0;
}

static int sequence_here(JournalStored *s, uint64_t *ret_sequence) {
        static const char key[] = "DELETION_SEQUENCE=";
        const size_t n_key = sizeof(key) - 1;
        char digits[24], *end;
        const void *data;
        size_t n;
        int r;

        r = sd_journal_get_data(s->journal, "DELETION_SEQUENCE", &data, &n);
        if (r < 0)
                return r;
        if (n <= n_key || n - n_key >= sizeof(digits))
                return -EBADMSG;
        memcpy(digits, (const char *)data + n_key, n - n_key);
        digits[n - n_key] = '\0';
        errno = 0;
        *ret_sequence = strtoull(digits, &end, 10);
        return errno != 0 || *end != '\0' ? -EBADMSG : 1;
}

int journal_stored_last(JournalStored *s, uint64_t *ret_sequence) {
        int r;

        r = refresh(s);
        if (r >= 0)
                r = sd_journal_seek_tail(s->journal);
        if (r >= 0)
                r = sd_journal_previous(s->journal);
        return r <= 0 ? r : sequence_here(s, ret_sequence);
}

int journal_stored_skip(JournalStored *s, uint64_t n_entries, uint64_t *ret_sequence) {
        int r;

        r = sd_journal_previous_skip(s->journal, n_entries);
        if (r < 0)
                return r;
        return (uint64_t)r < n_entries ? 0 : sequence_here(s, ret_sequence);
}

static int find_of_boot(JournalStored *s) {
        int r;

        sd_journal_flush_matches(s->journal);
        r = sd_journal_add_match(s->journal, s->boot_match, 0);
        if (r >= 0)
                r = sd_journal_seek_tail(s->journal);
        return r < 0 ? r : sd_journal_previous(s->journal);
}

int journal_stored_is_kept(JournalStored *s) {
        int r, error;

        r = refresh(s);
        if (r < 0)
                return r;
        r = find_of_boot(s);
        error = set_match(s);
        return error < 0 ? error : r;
}

int journal_stored_range(JournalStored *s, uint64_t *ret_oldest_usec, uint64_t *ret_newest_usec) {
        int r;

        r = refresh(s);
        return r < 0 ? r
                     : sd_journal_get_cutoff_realtime_usec(s->journal, ret_oldest_usec,
                                                           ret_newest_usec);
}
