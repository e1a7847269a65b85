/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From an event's pid to its Deleter, while the event's pidfd is still open.
 */

#include <stdbool.h>
#include <stdint.h>

#include "capture/flight.h"
#include "identify/deleter.h"
#include "identify/witness.h"

/* Deleters remembered, by pid; a newer one takes an older one's place. */
#define IDENTIFIER_CACHE_ENTRIES 1024

typedef struct Identifier Identifier;

/*
 * identifier_new() - attribute events to processes
 * @table:   the shared table, borrowed
 * @witness: NULL where there is no process connector: then only the living are known
 * @source:  borrowed
 */
int identifier_new(ProcessTable *table, Witness *witness, const ProcSource *source,
                   Identifier **ret_identifier);
Identifier *identifier_free(Identifier *i);

/* From now on each new deleter is told of; it is borrowed, and may be referenced. */
void identifier_tell(Identifier *i, void (*made)(void *userdata, const Deleter *d), void *userdata);

/* Does it follow every life of every pid, and can pidfds be left out then without harm? */
bool identifier_spares_pidfds(const Identifier *i);

/*
 * identifier_begin() - a new batch of events was read
 *
 * Waits until the witness has seen all that happened before.  Return: 0, -ETIMEDOUT.
 */
int identifier_begin(Identifier *i);

/*
 * identifier_find() - who did it
 * @e:           an event of the batch, its pidfd still open
 * @ret_deleter: a new reference; with an unknown process one that holds the pid only
 *
 * For a living process what no event tells of (working directory, control group, login, title,
 * whether its program is still there) is read anew once a batch; one that is not in the table is
 * read from /proc and proven by the pidfd to have been the same afterwards.
 *
 * Return: 0, -ENOMEM.
 */
int identifier_find(Identifier *i, const FlightEvent *e, Deleter **ret_deleter);
