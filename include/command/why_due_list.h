/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The soonest of any number of things that are due: a bounded list, of which the latest go first.
 * Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "explain/tmpfiles_config.h"

typedef struct WhyDue {
        uint64_t due_nsec;
        char *path; /* owned */
        bool is_directory;
        const TmpfilesRule *rule; /* borrowed; NULL not known */
} WhyDue;

typedef struct WhyDueList {
        WhyDue *entries; /* a heap, the latest first; after why_due_list_sort() the soonest first */
        size_t n_entries, n_max, n_allocated;
        uint64_t n_added; /* also those that were let go of */
} WhyDueList;

#define _cleanup_why_due_list_ _cleanup_(why_due_list_done)

/* @n_max: at least 1. */
void why_due_list_init(WhyDueList *l, size_t n_max);
void why_due_list_done(WhyDueList *l);

/* Copies the path; equal ones go by their names, so that the order is always the same.
 * Return: 0, -ENOMEM. */
int why_due_list_add(WhyDueList *l, uint64_t due_nsec, const char *path, bool is_directory,
                     const TmpfilesRule *rule);

/* Nothing may be added afterwards. */
void why_due_list_sort(WhyDueList *l);
