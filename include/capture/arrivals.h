/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What renames brought to names, as long as it was not seen to leave them.
 */

#include <stdint.h>

#include "base/hash_table.h"
#include "capture/fan_event.h"

/* Then the oldest is forgotten. */
#define ARRIVALS_MAX 16384

typedef struct Arrival {
        HashLink link; /* by the hash of directory and name, which is all that is kept of them */
        struct Arrival *newer, *older;
        uint64_t file; /* hash of its handle */
        /* What the event said that told of its arrival, and maybe of more; 0 it was not read. */
        uint64_t mask, window;
        int32_t pid;
        int32_t handle_type;
        uint32_t n_handle;
        uint8_t handle[];
} Arrival;

/* Zeroed it is empty. */
typedef struct Arrivals {
        HashTable table;
        Arrival *newest, *oldest;
} Arrivals;

void arrivals_done(Arrivals *a);
/* In the place of what was known of that name. Return: NULL no memory: the name is not known. */
Arrival *arrivals_add(Arrivals *a, uint64_t name, const FileHandle *handle, uint64_t file);
/* NULL: nothing is known to be there. */
Arrival *arrivals_find(const Arrivals *a, uint64_t name);
void arrivals_remove(Arrivals *a, Arrival *arrival);
void arrivals_forget_all(Arrivals *a);
