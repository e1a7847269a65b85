/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Storms in few records: when one process deletes more than so many entries within a second, the
 * rest of that second is one record that counts them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

/* As the journal has it, unless the user says otherwise. */
#define FOLD_DEFAULT 256
/* Processes whose seconds are counted at a time; a further one takes the place of the one that has
 * been quiet for longest, whose fold then ends early. */
#define FOLD_PROCESSES_MAX 1024

typedef struct Fold Fold;

/* @n_plain: entries of one process and second that are told one by one. Return: 0, -ENOMEM. */
int fold_new(uint64_t n_plain, Fold **ret_fold);
Fold *fold_free(Fold *f);

/*
 * fold_take() - count a deletion or move
 * @r:         its .realtime_nsec says which second it is of; .deleter is kept as long as needed
 * @now_nsec:  monotonic
 * @ticket:    greater than that of the record before
 *
 * What is not known to be of one process (whose life was not found) is never folded.
 * Return: 1 it is in a fold, and nothing more is to be written of it; 0 it is to be written, after
 * all that fold_next() has then; -ENOMEM it is to be written, likewise.
 */
int fold_take(Fold *f, const Record *r, uint64_t now_nsec, uint64_t ticket);

/*
 * fold_next() - the next fold that has ended
 * @now_nsec:  monotonic: of a process that has been quiet for a second by then it has ended, too;
 *             UINT64_MAX: all have
 * @ret_record: borrows until the next call of any function here; to be numbered and written
 *
 * Return: 1, 0 there is none.
 */
int fold_next(Fold *f, uint64_t now_nsec, Record *ret_record);

/* The ticket of the oldest record that is in a fold which was not handed out; UINT64_MAX none. */
uint64_t fold_oldest_ticket(const Fold *f);
/* When fold_next() should be asked, if nothing comes until then; monotonic; UINT64_MAX never. */
uint64_t fold_due_nsec(const Fold *f);
