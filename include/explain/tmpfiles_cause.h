/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The cause of what systemd-tmpfiles deleted: the line that asked for it.
 *
 * Off the hot path: may run systemd-tmpfiles --cat-config, for which it waits a bounded time; its
 * answer is kept, per user, root and list of files, until a directory of the configuration changes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "explain/cause.h"

/* Command lines kept with their configuration; the one not asked for longest goes first. */
#define TMPFILES_CAUSES_MAX 8
/* A configuration is looked at anew for changes, at most that often. */
#define TMPFILES_CAUSES_CHECK_NSEC (UINT64_C(1) * 1000 * 1000 * 1000)

typedef struct TmpfilesCauses TmpfilesCauses;

int tmpfiles_causes_new(TmpfilesCauses **ret_causes); /* Return: 0, -ENOMEM. */
TmpfilesCauses *tmpfiles_causes_free(TmpfilesCauses *c);

/* What was deleted and by whom. All borrowed. */
typedef struct TmpfilesDeletion {
        const char *path; /* absolute */
        bool is_directory;
        const char *executable;  /* of the deleter; NULL unknown */
        const char *name;        /* its comm; NULL unknown */
        const char *const *args; /* its command line, args[0] included; NULL-terminated or NULL */
        uid_t uid;               /* effective */
        uint64_t at_nsec;        /* realtime; 0 for now */
} TmpfilesDeletion;

/* Is the deleter systemd-tmpfiles, by its executable or, where that is not known, its name? */
bool tmpfiles_cause_is_deleter(const char *executable, const char *name);

/*
 * tmpfiles_cause() - which line deleted it
 * @ret_cause: on 1, to be freed by cause_done(): rule, source, explanation; unit and triggered_by
 *             are left NULL
 *
 * Return: 1 found; also when the line is not known, with an explanation that says why (rule NULL);
 * 0 the deleter is not systemd-tmpfiles; -ENOMEM.
 */
int tmpfiles_cause(TmpfilesCauses *c, const TmpfilesDeletion *deletion, Cause *ret_cause);
