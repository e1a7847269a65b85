/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records as entries of the journal.
 */

#include "identify/user_names.h"
#include "record/host_facts.h"
#include "record/record.h"

/* Processes whose fields are kept rendered; a newer one takes an older one's place. */
#define RECORD_JOURNAL_CACHE_ENTRIES 256

typedef struct RecordJournal RecordJournal;

/* @host, @names: borrowed */
int record_journal_new(const HostFacts *host, UserNames *names, RecordJournal **ret_journal);
RecordJournal *record_journal_free(RecordJournal *j);

/*
 * record_journal_append() - append the fields of one entry, as the journal's socket takes them
 *
 * MESSAGE is the whole JSON line; the others are to be looked for.  Paths and names are exact
 * bytes.  What is not known has no field.  The fields of a user are as they are in the JSON line:
 * no names for the numbers of a container.  The DELETION_DIRECTORY of a fold is what all of it was
 * in or below.
 *
 * Return: 0, -ENOMEM (what was appended is not a whole entry).
 */
int record_journal_append(RecordJournal *j, const Record *record, Buffer *ret_fields);
