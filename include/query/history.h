/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was recorded about one path: the last records in which it vanished, alone or with a
 * directory above it.
 *
 * Bounded: of any number of records the last few are kept.
 */

#include <stdbool.h>
#include <stddef.h>

#include "query/record_parse.h"

typedef enum HistoryMatch {
        HISTORY_NONE,
        HISTORY_ITSELF,
        HISTORY_WITH_DIRECTORY, /* a directory above it was moved away or removed with all it held
                                 */
        HISTORY_IN_FOLD,        /* one of the many that a folded record sums up, perhaps */
} HistoryMatch;

/* history_match() - does a record tell of the end of a path (absolute, normal)? Pure. */
HistoryMatch history_match(const Record *record, const char *path, size_t n_path);

typedef struct HistoryEntry {
        HistoryMatch match;
        RecordParsed parsed;
        bool is_cause_late; /* its cause is not the record's, it was found afterwards */
} HistoryEntry;

typedef struct History {
        const char *path; /* borrowed */
        size_t n_path;
        size_t n_max;
        HistoryEntry *entries; /* as they came, n_max of them at most */
        size_t n_entries;
        bool is_newest_first; /* of what is added: further ones are dropped, else the oldest go */
        size_t n_read;        /* lines that were added */
        size_t n_strange;     /* of them those that are no records */
        uint64_t last_nsec;   /* of the newest record of any path that was read; 0 none */
} History;

#define _cleanup_history_ _cleanup_(history_done)

/* @n_max: 1 to 1000. Return: 0, -ENOMEM. */
int history_init(History *h, const char *path, size_t n_max, bool is_newest_first);
void history_done(History *h);

/*
 * history_add() - look at one line
 *
 * A record that comes twice (same event.id) is kept once.
 * Return: 1 go on, 0 no further one will be kept, -ENOMEM.
 */
int history_add(History *h, const char *line, size_t n_line);

/* In the order in which it happened: of n_entries the ith. */
const HistoryEntry *history_at(const History *h, size_t i);
