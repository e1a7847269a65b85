/* SPDX-License-Identifier: MIT */

/*
 * The table holds the first event of each directory only, and those that follow it hang behind in
 * order of position: a directory that is renamed over and over would otherwise fill one chain of
 * the table, which is searched for each of the renames.  Only events with ONDIR and a target are
 * indexed; files need no index.
 */

#include "locate/later_events.h"

#include <errno.h>
#include <stdlib.h>

/* A later event about a directory: where it was until then, and from then on. Borrows from the
 * flight. */
struct LaterEvent {
        HashLink link;                /* of the first one of its directory */
        struct LaterEvent *next_same; /* the next about the same directory; or the next spare one */
        struct LaterEvent *last_same; /* of the first one: the end of that queue, maybe itself */
        uint64_t position;
        FileHandle directory;
        FanName was;
        FanName now; /* where it was moved to */
};

static uint64_t later_hash(const FileHandle *h) {
        return hash_bytes(h->bytes, h->n_bytes);
}

/* Where the event says its target was before it; .directory.bytes is NULL when it does not. */
static FanName event_was(const FanEvent *e) {
        return e->old_name.directory.bytes ? e->old_name : e->name;
}

bool later_events_concern(const FanEvent *e) {
        return (e->mask & FAN_ONDIR) && (e->mask & (FAN_DELETE | FAN_RENAME)) && e->target.bytes &&
               (event_was(e).directory.bytes || e->new_name.directory.bytes);
}

static LaterEvent *later_new(LaterEvents *l) {
        LaterEvent *later = l->spare;

        if (!later)
                return malloc(sizeof(*later));
        l->spare = later->next_same;
        l->n_spare--;
        return later;
}

static void later_drop(LaterEvents *l, LaterEvent *later) {
        if (l->n_spare == LATER_EVENTS_SPARE_MAX) {
                free(later);
                return;
        }
        later->next_same = l->spare;
        l->spare = later;
        l->n_spare++;
}

/* The first later event about a directory, or NULL. */
static LaterEvent *later_find(const LaterEvents *l, const FileHandle *directory) {
        uint64_t hash = later_hash(directory);

        for (HashLink *i = hash_table_first(&l->table, hash); i; i = i->next) {
                LaterEvent *later = HASH_ENTRY(i, LaterEvent, link);

                if (i->hash == hash && file_handle_equal(&later->directory, directory))
                        return later;
        }
        return NULL;
}

int later_events_add(LaterEvents *l, const FlightEvent *e) {
        LaterEvent *first, *later;
        int r;

        later = later_new(l);
        if (!later)
                return -ENOMEM;

        *later = (LaterEvent){
                .last_same = later,
                .position = e->position,
                .directory = e->fan.target,
                .was = event_was(&e->fan),
                .now = e->fan.new_name,
        };
        first = later_find(l, &later->directory);
        if (first) {
                first->last_same->next_same = later;
                first->last_same = later;
                return 0;
        }
        r = hash_table_insert(&l->table, &later->link, later_hash(&later->directory));
        if (r < 0)
                later_drop(l, later);
        return r;
}

const FanName *later_events_find(const LaterEvents *l, const FileHandle *directory) {
        const LaterEvent *later = later_find(l, directory);

        return later ? &later->was : NULL;
}

bool later_events_last(const LaterEvents *l, const FileHandle *directory, FanName *ret_now) {
        const LaterEvent *first = l->table.n_links > 0 ? later_find(l, directory) : NULL;

        if (!first)
                return false;
        *ret_now = first->last_same->now;
        return true;
}

void later_events_remove(LaterEvents *l, const FlightEvent *e) {
        LaterEvent *first = later_find(l, &e->fan.target), *next;

        if (!first || first->position != e->position)
                return;
        next = first->next_same;
        if (!next) {
                hash_table_remove(&l->table, &first->link);
                later_drop(l, first);
                return;
        }
        /* The next one moves into the first one's place: the table stays as it is. */
        first->position = next->position;
        first->directory = next->directory;
        first->was = next->was;
        first->now = next->now;
        first->next_same = next->next_same;
        if (first->last_same == next)
                first->last_same = first;
        later_drop(l, next);
}

static void later_free_queue(LaterEvent *later) {
        while (later) {
                LaterEvent *next = later->next_same;

                free(later);
                later = next;
        }
}

void later_events_done(LaterEvents *l) {
        for (size_t i = 0; i < l->table.n_buckets; i++)
                while (l->table.buckets[i]) {
                        HashLink *link = l->table.buckets[i];

                        l->table.buckets[i] = link->next;
                        later_free_queue(HASH_ENTRY(link, LaterEvent, link));
                }
        later_free_queue(l->spare);
        hash_table_done(&l->table);
}
