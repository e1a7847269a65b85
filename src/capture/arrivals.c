/* SPDX-License-Identifier: MIT */

/*
 * Names are known by 64 bits of hash: who makes two names of one hash deceives us about the renames
 * over them.
 */

#include "capture/arrivals.h"

#include <stdlib.h>
#include <string.h>

Arrival *arrivals_find(const Arrivals *a, uint64_t name) {
        if (a->table.n_links == 0)
                return NULL;
        for (HashLink *l = hash_table_first(&a->table, name); l; l = l->next)
                if (l->hash == name)
                        return HASH_ENTRY(l, Arrival, link);
        return NULL;
}

void arrivals_remove(Arrivals *a, Arrival *arrival) {
        hash_table_remove(&a->table, &arrival->link);
        if (arrival->newer)
                arrival->newer->older = arrival->older;
        else
                a->newest = arrival->older;
        if (arrival->older)
                arrival->older->newer = arrival->newer;
        else
                a->oldest = arrival->newer;
        free(arrival);
}

Arrival *arrivals_add(Arrivals *a, uint64_t name, const FileHandle *handle, uint64_t file) {
        Arrival *before = arrivals_find(a, name), *arrival;

        if (before)
                arrivals_remove(a, before);
        else if (a->table.n_links == ARRIVALS_MAX)
                arrivals_remove(a, a->oldest);

        arrival = malloc(sizeof(*arrival) + handle->n_bytes);
        if (!arrival)
                return NULL;
        if (hash_table_insert(&a->table, &arrival->link, name) < 0) {
                free(arrival);
                return NULL;
        }
        arrival->mask = 0;
        arrival->file = file;
        arrival->handle_type = handle->type;
        arrival->n_handle = handle->n_bytes;
        memcpy(arrival->handle, handle->bytes, handle->n_bytes);
        arrival->newer = NULL;
        arrival->older = a->newest;
        if (a->newest)
                a->newest->newer = arrival;
        else
                a->oldest = arrival;
        a->newest = arrival;
        return arrival;
}

void arrivals_forget_all(Arrivals *a) {
        while (a->oldest)
                arrivals_remove(a, a->oldest);
}

void arrivals_done(Arrivals *a) {
        arrivals_forget_all(a);
        hash_table_done(&a->table);
}
