/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All that is known of why a path went or will go, for people and for machines.  Pure.
 */

#include <json-c/json.h>

#include "base/buffer.h"
#include "command/why_fate.h"
#include "command/why_place.h"
#include "command/why_target.h"
#include "explain/logrotate_config.h"
#include "query/history.h"

/* Where records were looked for. */
typedef struct WhyLooked {
        const char *file;      /* NULL: the journal */
        const char *directory; /* of journal files, or NULL: this machine's */
        int error;             /* why it could not be read; 0 */
        bool is_partly;        /* we may not read all of it */
        uint64_t since_nsec;   /* of the oldest message; 0 there is none */
        uint64_t last_nsec;    /* of the newest record of any path; 0 there is none */
} WhyLooked;

/* All borrowed. */
typedef struct WhyReport {
        const WhyTarget *target;
        const WhyScope *scopes; /* also those without a configuration */
        size_t n_scopes;
        const WhyFate *fates; /* of those with one, in the same order */
        size_t n_fates;
        const WhyPlace *place;            /* NULL not known */
        const LogrotateStanza *logrotate; /* NULL: none names it */
        const WhyLooked *looked;          /* NULL: records were not asked for */
        const History *history;           /* with .looked */
        uint64_t now_nsec;
} WhyReport;

/* Is there anything that removed it, or will? */
bool why_report_is_answer(const WhyReport *r);
/* Could something not be looked at that might have been one? */
bool why_report_is_partial(const WhyReport *r);

/* Return: 0, -ENOMEM. */
int why_report_append_text(const WhyReport *r, bool is_colored, size_t n_columns, Buffer *b);
/* One object of a path; newly made. Return: 0, -ENOMEM. */
int why_report_to_json(const WhyReport *r, json_object **ret);
