/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Entries on their way to the journal: first those that were sent and are not known to be stored,
 * then those that were not sent yet.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct JournalItem {
        struct JournalItem *next;
        uint64_t sequence;  /* greater than that of the one before */
        uint64_t sent_usec; /* realtime; 0 not sent */
        size_t n_bytes;
        bool is_stored; /* for whoever sorts them out */
        char bytes[];
} JournalItem;

typedef struct JournalQueue {
        JournalItem *first, *last;
        JournalItem *unsent; /* the first of them; NULL none */
        size_t n_sent;
        size_t n_bytes; /* of all, with what each takes beside its bytes */
} JournalQueue;

/* Copies the bytes. Return: 0, -ENOMEM. */
int journal_queue_append(JournalQueue *q, uint64_t sequence, const void *bytes, size_t n_bytes);
void journal_queue_done(JournalQueue *q);

/* The first unsent one was sent. */
void journal_queue_sent(JournalQueue *q, uint64_t realtime_usec);
/* All of them are to be sent anew. */
void journal_queue_unsend(JournalQueue *q);
/* Its place among the sent ones, from 1; 0 it is not among them. */
size_t journal_queue_find(const JournalQueue *q, uint64_t sequence);
/* Drops the first n of the sent ones. */
void journal_queue_drop(JournalQueue *q, size_t n);
/* Drops those of the sent ones that have .is_stored. */
void journal_queue_drop_stored(JournalQueue *q);
