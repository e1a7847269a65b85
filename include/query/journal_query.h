/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The records that whodunlink wrote into the journal, newest first.
 *
 * Only what a process of root wrote counts (_UID, which journald itself puts there): anybody may
 * send a message that looks like a record.
 *
 * Source: sd-journal(3); fields of the shared design, record.md, "Journal fields".
 */

#include <stddef.h>
#include <stdint.h>

typedef struct JournalQuery JournalQuery;

/*
 * journal_query_new() - open the journal
 * @directory: of journal files; NULL: those of this machine that we may read
 *
 * Return: 0, -ENOENT no such directory, -ENOMEM, errors of sd_journal_open(3).
 */
int journal_query_new(const char *directory, JournalQuery **ret_query);
JournalQuery *journal_query_free(JournalQuery *q);

/*
 * journal_query_match_path() - only records that may tell of this path's end
 *
 * Those of the path, exact bytes, of the directories above it, and folded ones.
 * Return: 0, -ENOMEM, errors of sd_journal_add_match(3).
 */
int journal_query_match_path(JournalQuery *q, const char *path);
/*
 * journal_query_match_overwrites() - only renames that put something in the place of another
 *
 * Of those the journal has no field that names where what replaced it came from.
 * Return: as above.
 */
int journal_query_match_overwrites(JournalQuery *q);

/*
 * journal_query_previous() - the next older record
 * @ret_line: its JSON line; borrowed until the next call
 *
 * Messages without a text are passed over.
 * Return: 1, 0 there is none, errors of sd_journal_previous(3).
 */
int journal_query_previous(JournalQuery *q, const char **ret_line, size_t *ret_n_line);

/* When the oldest message of the whole journal that can be read is from. Return: 1, 0 it is empty,
 * errors. */
int journal_query_since(JournalQuery *q, uint64_t *ret_realtime_nsec);
/* The newest record of any path, or 0 when there is none at all; drops all matches. */
int journal_query_last_record(JournalQuery *q, uint64_t *ret_realtime_nsec);
