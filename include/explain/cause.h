/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Why something was deleted: what asked the deleter to do it, as far as that was found out.
 *
 * Strings are bytes of whoever wrote the configuration or started the program: renderers escape
 * them.
 */

#include "base/cleanup.h"

typedef enum CauseType {
        CAUSE_TMPFILES,  /* a line of tmpfiles.d */
        CAUSE_TIMER,     /* a timer, path or socket unit started the deleter's unit */
        CAUSE_CRON,      /* a job of cron, anacron or at */
        CAUSE_PACKAGE,   /* a package manager */
        CAUSE_LOGROTATE, /* a stanza of logrotate's configuration */
        CAUSE_CONTAINER, /* what runs in a container */
        CAUSE_LOGIN,     /* a person's session */
} CauseType;

/* As in whodunlink.cause.type. */
const char *cause_type_to_string(CauseType t);

/* Each string is owned, and NULL when it is not known. */
typedef struct Cause {
        CauseType type;
        char *rule;         /* the line, the job or the command that asked for it */
        char *source;       /* FILE:LINE, or FILE, where that stands */
        char *unit;         /* the deleter's unit, as systemctl spells it */
        char *triggered_by; /* the unit that started that one */
        char *explanation;  /* one sentence that a person can act on, without a full stop */
} Cause;

/* Frees the strings; all are NULL afterwards. */
void cause_done(Cause *c);
/* Return: 0, -ENOMEM. */
int cause_copy(const Cause *c, Cause *ret_cause);

#define _cleanup_cause_ _cleanup_(cause_done)
