/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Entries to the journal, kept until they are known to be stored, and sent again if they are not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is kept at most: above it nothing more should be taken from the kernel, whose queue holds
 * it.  An entry takes some 5 kB, and 8 MiB are looked for at once.
 */
#define JOURNAL_DELIVERY_MAX_BYTES ((size_t)32 * 1024 * 1024)

typedef enum JournalDeliveryState {
        JOURNAL_DELIVERY_SENDING,  /* as fast as the journal takes them */
        JOURNAL_DELIVERY_SETTLING, /* some were dropped: the fate of all that were sent is awaited
                                    */
        JOURNAL_DELIVERY_PROBING,  /* one is sent now and then, until it is stored */
        JOURNAL_DELIVERY_TRUSTING, /* the journal keeps nothing that could be looked at */
} JournalDeliveryState;

typedef struct JournalDelivery JournalDelivery;

/* Both are copied. Return: 0, -ENOMEM, -ENAMETOOLONG, errors of getrandom(2). */
int journal_delivery_new(const char *socket_path, const char *boot_id,
                         JournalDelivery **ret_delivery);
JournalDelivery *journal_delivery_free(JournalDelivery *d);

/* @fields: of the native protocol, copied. Return: 0, -ENOMEM. */
int journal_delivery_add(JournalDelivery *d, uint64_t sequence, const void *fields,
                         size_t n_fields);

/*
 * journal_delivery_work() - send what can be sent, look for what should be stored
 *
 * Return: 0 all is stored, or sent, where nothing can be looked at; -EAGAIN not yet: go on when
 * journal_delivery_fd() is writable or after journal_delivery_wait_usec().
 */
int journal_delivery_work(JournalDelivery *d);

/* To wait for room in the journal's queue; -1: there is nothing to wait for in this way. */
int journal_delivery_fd(const JournalDelivery *d);
/* From the last journal_delivery_work() on; UINT64_MAX: not before something is added. */
uint64_t journal_delivery_wait_usec(const JournalDelivery *d);

/* Bytes that are not known to be stored. */
size_t journal_delivery_n_bytes(const JournalDelivery *d);
/* The sequence of the first entry that is not; 0 none. */
uint64_t journal_delivery_first(const JournalDelivery *d);
JournalDeliveryState journal_delivery_state(const JournalDelivery *d);
/* What the last attempt to send said: 0, -EAGAIN, -ENOENT, … */
int journal_delivery_error(const JournalDelivery *d);
/* Since the last call: were entries given up that the journal did not store while it stored
 * others'? */
bool journal_delivery_take_refusal(JournalDelivery *d);
