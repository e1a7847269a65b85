/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which deletions a user wants to hear of.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "record/record.h"

/*
 * All lists are OR'd within themselves and AND'd with each other; an empty one lets all pass.
 * Lists and strings are malloc'd and belong to the filter: record_filter_done() frees them.
 */
typedef struct RecordFilter {
        char **includes; /* path globs; one must match the path or, if there are two, the other */
        size_t n_includes;
        char **excludes; /* path globs; none may match the path */
        size_t n_excludes;
        char **comms; /* name globs on process.name, also as cut by the kernel */
        size_t n_comms;
        char **executables; /* path globs on process.executable */
        size_t n_executables;
        char **units; /* name globs on the system or the user unit, as it is or unescaped */
        size_t n_units;
        char **containers; /* name globs on id or name, or the first hexadecimal digits of an id */
        size_t n_containers;
        char **ancestors; /* of any ancestor: a name glob, or with a '/' a path glob (executable) */
        size_t n_ancestors;
        uid_t *uids; /* effective users */
        size_t n_uids;
        uid_t *login_uids; /* users of audit's login; PROCESS_ID_UNSET: of none */
        size_t n_login_uids;
        pid_t *pids;
        size_t n_pids;
        bool has_descendants; /* .pids counts for processes below them too */
        unsigned actions;     /* 1 << RecordAction; 0: all */
        bool has_no_overwrites;
} RecordFilter;

/*
 * record_filter_passes() - does a deletion pass
 *
 * An unknown fact passes no filter that asks for it.  Of a path with an unknown directory the name
 * is known: "*.o" is asked about it, a glob that starts with '/' is not.  An exclude keeps back
 * only what it is sure to match.  News about the watch always passes.
 */
bool record_filter_passes(const RecordFilter *f, const Record *r);

/* Does --action ask for moves, but not for what they destroy? Then that is told as a move. */
bool record_filter_has_moves_only(const RecordFilter *f);

/* Fewer digits than this are a container's name and nothing else. */
#define RECORD_FILTER_ID_DIGITS_MIN 4

void record_filter_done(RecordFilter *f);
