/* SPDX-License-Identifier: MIT */

/*
 * The last records about a path.
 *
 * Limit: a path is followed back neither through the moves that brought it where it is, nor through
 * those of the directories above it.
 */

#include "query/history.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

/* Of many that were summed up only the first and the last have names. */
static HistoryMatch match_fold(const RecordFold *f, const char *path, size_t n_path) {
        if ((f->n_first == n_path && memcmp(f->first, path, n_path) == 0) ||
            (f->n_last == n_path && memcmp(f->last, path, n_path) == 0))
                return HISTORY_ITSELF;
        /* Also the directory itself may be one of them. */
        if (f->common_directory && f->common_directory[0] == '/' &&
            path_is_within(path, n_path, f->common_directory, f->n_common_directory))
                return HISTORY_IN_FOLD;
        return HISTORY_NONE;
}

/* @had_content: what was in it went with it. */
static HistoryMatch match_path(const RecordPath *gone, bool had_content, const char *path,
                               size_t n_path) {
        _cleanup_buffer_ Buffer b = {0};

        if (!gone->directory || !gone->name)
                return HISTORY_NONE;
        record_path_append(gone, &b);
        if (b.is_failed || !path_is_within(path, n_path, b.bytes, b.n_bytes))
                return HISTORY_NONE;
        if (b.n_bytes == n_path)
                return HISTORY_ITSELF;
        return had_content ? HISTORY_WITH_DIRECTORY : HISTORY_NONE;
}

HistoryMatch history_match(const Record *record, const char *path, size_t n_path) {
        HistoryMatch match;

        if (record->action == RECORD_FOLD)
                return match_fold(record->fold, path, n_path);
        if (!record_action_is_deletion(record->action))
                return HISTORY_NONE;
        /* A directory that is removed was empty, unless it is a subvolume. */
        match = match_path(&record->path,
                           record->is_directory &&
                                   (record->action == RECORD_MOVE || record->is_subvolume),
                           path, n_path);
        /* What was renamed over another is gone from its old name, and has no other record. */
        if (match == HISTORY_NONE && record->action == RECORD_OVERWRITE)
                match = match_path(&record->new_path, record->is_directory, path, n_path);
        return match;
}

int history_init(History *h, const char *path, size_t n_max, bool is_newest_first) {
        assert(n_max >= 1 && n_max <= 1000);
        *h = (History){
                .path = path,
                .n_path = strlen(path),
                .n_max = n_max,
                .is_newest_first = is_newest_first,
                .entries = calloc(n_max, sizeof(*h->entries)),
        };
        return h->entries ? 0 : -ENOMEM;
}

void history_done(History *h) {
        for (size_t i = 0; i < h->n_entries; i++)
                record_parsed_done(&h->entries[i].parsed);
        free(h->entries);
        *h = (History){0};
}

static void drop(History *h, size_t i) {
        record_parsed_done(&h->entries[i].parsed);
        h->n_entries--;
        memmove(h->entries + i, h->entries + i + 1, (h->n_entries - i) * sizeof(*h->entries));
        for (; i < h->n_entries; i++)
                record_parsed_moved(&h->entries[i].parsed);
}

static bool is_known(const History *h, const char *id) {
        for (size_t i = 0; id && i < h->n_entries; i++) {
                const char *other = record_parsed_id(&h->entries[i].parsed);

                if (other && strcmp(other, id) == 0)
                        return true;
        }
        return false;
}

static void put(History *h, HistoryMatch match, const RecordParsed *p) {
        HistoryEntry *e;

        if (h->n_entries == h->n_max)
                drop(h, 0);
        e = &h->entries[h->n_entries++];
        *e = (HistoryEntry){.match = match, .parsed = *p};
        record_parsed_moved(&e->parsed);
}

int history_add(History *h, const char *line, size_t n_line) {
        RecordParsed p;
        HistoryMatch match;
        int r;

        if (h->is_newest_first && h->n_entries == h->n_max)
                return 0;
        h->n_read++;
        r = record_parse(line, n_line, &p);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                h->n_strange++;
                return 1;
        }
        if (p.record.realtime_nsec > h->last_nsec)
                h->last_nsec = p.record.realtime_nsec;
        match = history_match(&p.record, h->path, h->n_path);
        if (match == HISTORY_NONE || is_known(h, record_parsed_id(&p)))
                record_parsed_done(&p);
        else
                put(h, match, &p);
        return !h->is_newest_first || h->n_entries < h->n_max;
}

const HistoryEntry *history_at(const History *h, size_t i) {
        assert(i < h->n_entries);
        return &h->entries[h->is_newest_first ? h->n_entries - 1 - i : i];
}
