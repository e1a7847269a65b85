/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Inside tmpfiles_choice: one line's walk from where it acts down to one path.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explain/tmpfiles_rules.h"

/* A path that is asked about. All borrowed. */
typedef struct TmpfilesWalk {
        const TmpfilesRules *rules;
        const char *path;
        uint64_t now_nsec;
        const TmpfilesTree *tree; /* NULL: nothing is known */
        unsigned depth;           /* below the path that was asked about first */
        unsigned *n_looks;        /* shared by all of one question */
} TmpfilesWalk;

/* Does a line of this type remove anything with this operation? */
bool tmpfiles_walk_acts(const TmpfilesRules *rules, const TmpfilesItem *item,
                        TmpfilesOperation operation);

/*
 * tmpfiles_walk_to() - what one line does with the path
 * @named:      the path as the line calls it
 * @n_instance: the part of it at which the line acts
 *
 * Return: 0, -ENOMEM.
 */
int tmpfiles_walk_to(TmpfilesWalk *w, const TmpfilesItem *item, TmpfilesOperation operation,
                     char *named, size_t n_instance, TmpfilesChoice *ret);

/* The same question as tmpfiles_choose(), for what is in a directory. Return: 0, -ENOMEM. */
int tmpfiles_walk_choose(TmpfilesWalk *w, TmpfilesChoice *ret_choice);
