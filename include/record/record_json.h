/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records as JSON lines in the names of the Elastic Common Schema.
 */

#include "identify/user_names.h"
#include "record/host_facts.h"
#include "record/record.h"

/* Processes whose part of the line is kept rendered; a newer one takes an older one's place. */
#define RECORD_JSON_CACHE_ENTRIES 256

typedef struct RecordJson RecordJson;

/* @host, @names: borrowed */
int record_json_new(const HostFacts *host, UserNames *names, RecordJson **ret_json);
RecordJson *record_json_free(RecordJson *j);

/*
 * record_json_append() - append one record as one line, ending in '\n'
 *
 * Keys stand in the order of record.md.  What is not known is absent.
 * Return: 0, -ENOMEM (what was appended is not a whole line).
 */
int record_json_append(RecordJson *j, const Record *record, Buffer *ret_line);
