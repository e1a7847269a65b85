/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a workload really did, and the comparison with what the monitor said, both ways.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor.h"
#include "process.h"

typedef struct TruthItem {
        const char *action;
        char *path;
        char *target;           /* of a move or overwrite, else NULL */
        const Process *process; /* NULL: anyone */
        const char *type;       /* file.type, or NULL */
        uint64_t inode;         /* 0: not looked at */
        size_t i;               /* order of addition */
        unsigned n_expected, n_seen;
} TruthItem;

typedef struct Truth {
        TruthItem *items;
        size_t n_items, n_allocated;
        bool is_sorted;
        bool is_ordered; /* the records must come in the order of the items */
} Truth;

/* How far the monitor's story is from the truth. */
typedef struct TruthDiff {
        size_t n_records;
        size_t n_missing;    /* happened, no record */
        size_t n_doubled;    /* more records than deletions */
        size_t n_unexpected; /* never happened */
        size_t n_wrong;      /* a fact of the record is not true */
        size_t n_unknown;    /* records that lack a fact about the deleter */
        size_t n_unresolved; /* path_source is none or absent */
        size_t n_disordered;
        size_t n_noted;
} TruthDiff;

void truth_done(Truth *t);
#define _cleanup_truth_ __attribute__((cleanup(truth_done)))

/* Copies path; borrows the process. Return: the item, until the next addition. */
TruthItem *truth_add(Truth *t, const char *action, const char *path, const Process *process);
TruthItem *truth_add_move(Truth *t, const char *from, const char *to, const Process *process);
/* What was at `lost` is gone, for what was at `from` was renamed onto it. */
TruthItem *truth_add_overwrite(Truth *t, const char *lost, const char *from,
                               const Process *process);

/* Compares with all deletions in the monitor's output, and notes the first few differences. */
TruthDiff truth_compare(Truth *t, const Monitor *m);
/* Nothing missing, doubled, made up, untrue or without a path; at most n_unknown_allowed. */
void truth_assert(const TruthDiff *diff, size_t n_unknown_allowed);
/* Stops the monitor, compares, asserts. */
void truth_check(Truth *t, Monitor *m, size_t n_unknown_allowed);
