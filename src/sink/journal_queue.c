/* SPDX-License-Identifier: MIT */

/* A list in the order of sending.  Pure. */

#include "sink/journal_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int journal_queue_append(JournalQueue *q, uint64_t sequence, const void *bytes, size_t n_bytes) {
        JournalItem *item = malloc(sizeof(*item) + n_bytes);

        if (!item)
                return -ENOMEM;
        *item = (JournalItem){.sequence = sequence, .n_bytes = n_bytes};
        memcpy(item->bytes, bytes, n_bytes);
        if (q->last)
                q->last->next = item;
        else
                q->first = item;
        q->last = item;
        if (!q->unsent)
                q->unsent = item;
        q->n_bytes += sizeof(*item) + n_bytes;
        return 0;
}

static void drop_first(JournalQueue *q) {
        JournalItem *item = q->first;

        q->first = item->next;
        if (!q->first)
                q->last = NULL;
        if (q->unsent == item)
                q->unsent = item->next;
        else
                q->n_sent--;
        q->n_bytes -= sizeof(*item) + item->n_bytes;
        free(item);
}

void journal_queue_done(JournalQueue *q) {
        while (q->first)
                drop_first(q);
}

void journal_queue_sent(JournalQueue *q, uint64_t realtime_usec) {
        q->unsent->sent_usec = realtime_usec;
        q->unsent = q->unsent->next;
        q->n_sent++;
}

void journal_queue_unsend(JournalQueue *q) {
        for (JournalItem *item = q->first; item != q->unsent; item = item->next)
                item->sent_usec = 0;
        q->unsent = q->first;
        q->n_sent = 0;
}

size_t journal_queue_find(const JournalQueue *q, uint64_t sequence) {
        size_t n = 1;

        for (const JournalItem *item = q->first; item != q->unsent; item = item->next, n++)
                if (item->sequence == sequence)
                        return n;
        return 0;
}

void journal_queue_drop(JournalQueue *q, size_t n) {
        for (size_t i = 0; i < n; i++)
                drop_first(q);
}

void journal_queue_drop_stored(JournalQueue *q) {
        JournalQueue kept = {0};
        JournalItem *unsent = q->unsent, *last = NULL;

        while (q->first != unsent) {
                JournalItem *item = q->first;

                if (item->is_stored) {
                        drop_first(q);
                        continue;
                }
                q->first = item->next;
                item->next = NULL;
                if (last)
                        last->next = item;
                else
                        kept.first = item;
                last = item;
        }
        if (!last)
                return;
        last->next = unsent;
        q->first = kept.first;
        if (!unsent)
                q->last = last;
}
