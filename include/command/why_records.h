/* SPDX-License-Identifier: MIT */
#pragma once

/* Looking for the records of a path: in the journal, or in a file of JSON lines. */

#include "command/why_report.h"

/* Where to look. */
typedef struct WhyRecords {
        const char *file;      /* "-": stdin; NULL: the journal */
        const char *directory; /* of journal files; NULL: this machine's */
        size_t n_max;          /* records that are kept */
} WhyRecords;

/*
 * why_records_find() - the last records about the end of a path
 * @ret_history, @ret_looked: filled in any case; the former to be freed by history_done()
 *
 * Return: 0, also where nothing could be read (then ret_looked->error), -ENOMEM.
 */
int why_records_find(const WhyRecords *records, const char *path, History *ret_history,
                     WhyLooked *ret_looked);
