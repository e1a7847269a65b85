/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which of our own entries the journal really has.
 *
 * The journal drops what it cannot write (disk full) or does not want (rate limit) without telling
 * the sender, so that only reading back says what is stored.  Entries are known by their
 * DELETION_DELIVERY and, within one delivery, by their DELETION_SEQUENCE.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_STORED_DELIVERY_KEY "DELETION_DELIVERY"

typedef struct JournalStored JournalStored;

/* @boot_id: 32 hexadecimal digits, copied. Opens nothing yet. Return: 0, -ENOMEM. */
int journal_stored_new(const char *boot_id, JournalStored **ret_stored);
JournalStored *journal_stored_free(JournalStored *s);

/* From now on entries with this are looked for; 32 hexadecimal digits. */
void journal_stored_set_delivery(JournalStored *s, const char *delivery);
/* Lets go of the journal's files, which keep their space while somebody has them open. */
void journal_stored_close(JournalStored *s);

/*
 * journal_stored_last() - the newest entry of the delivery; opens the journal if need be
 *
 * Return: 1; 0 there is none; errors of sd_journal_open(3) and its like.
 */
int journal_stored_last(JournalStored *s, uint64_t *ret_sequence);
/*
 * journal_stored_skip() - go back by so many entries from where the last call was
 *
 * Return: 1; 0 there are not so many; errors.
 */
int journal_stored_skip(JournalStored *s, uint64_t n_entries, uint64_t *ret_sequence);

/*
 * journal_stored_is_kept() - does the journal keep anything at all?
 *
 * Return: 1 it has entries of this boot, 0 it has none; errors.
 */
int journal_stored_is_kept(JournalStored *s);
/* Realtime, in microseconds, of the oldest and the newest entry, whoever's. Return: as _last(). */
int journal_stored_range(JournalStored *s, uint64_t *ret_oldest_usec, uint64_t *ret_newest_usec);
