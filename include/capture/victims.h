/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What renames destroyed, and what is gone for good: told by events that have no name of their own.
 *
 * The kernel says of a rename over an existing file: RENAME, then ATTRIB with the handle of the
 * file that lost its name, then MOVE_SELF with the handle of the one that got it, and at last, if
 * that was the other's last name and nobody has it open, DELETE_SELF.  A link() is one such ATTRIB,
 * too; but it comes behind the MOVE_SELF of a rename before it.
 *
 * Events about one handle by one process are merged into the oldest of them that was not read yet:
 * what a rename destroyed may so stand in front of it, and then it is known by its name, if it came
 * there by another rename.
 *
 * Pure: events in the order of the queue in, answers out.
 */

#include <stdbool.h>
#include <stdint.h>

#include "capture/flight.h"

/* Events of a process behind its rename among which the victim is looked for: its threads may have
 * come in between. */
#define VICTIMS_MAX_LATER 32
/* How long the events of a system call may be apart, if its process has lost its CPU … */
#define VICTIMS_WAIT_NSEC (100 * UINT64_C(1000000))
/* … and if what has been read could be half of an unlink(). */
#define VICTIMS_WAIT_HALFWAY_NSEC (1000 * UINT64_C(1000000))

typedef struct Victims Victims;

/* Return: 0, -ENOMEM. */
int victims_new(Victims **ret_victims);
/* Takes NULL. */
Victims *victims_free(Victims *v);

typedef enum VictimsUse {
        VICTIMS_USE_NONE, /* the event tells of other events: nobody needs to look at it again */
        VICTIMS_USE_SOME,
        VICTIMS_USE_GONE, /* the same; and its target has no name left, and nobody has it open */
} VictimsUse;

/*
 * victims_note() - an event was read
 *
 * To be called for each event in the order of reading. Borrows the handle of an event that is
 * behind a rename until victims_leave() of that rename.
 *
 * Return: a VictimsUse, -ENOMEM.
 */
int victims_note(Victims *v, const FlightEvent *e);
/* All that was noted happened before the queue was seen empty: later events merge with later ones.
 */
void victims_drained(Victims *v);

typedef enum VictimState {
        VICTIM_NONE,
        VICTIM_CERTAIN,
        VICTIM_POSSIBLE, /* destroyed, or given another name by link(): ask victim_is_likely() */
} VictimState;

typedef struct Victim {
        VictimState state;
        FileHandle handle;   /* borrowed until victims_leave() */
        bool is_gone;        /* no name is left, and nobody has it open */
        unsigned n_unlinked; /* times that a name of it was deleted afterwards */
} Victim;

/*
 * victims_find() - what a rename destroyed
 * @e:          the oldest rename that has not left
 * @waited_nsec: how long ago it was read, if the queue has been read since; 0 else; UINT64_MAX: no
 *               more is waited for
 *
 * Return: 0; -EAGAIN an event is still missing, read on.
 */
int victims_find(Victims *v, const FlightEvent *e, uint64_t waited_nsec, Victim *ret_victim);

/* A rename put a directory in the place of another one, which is gone by that. */
typedef struct VictimDirectory {
        uint64_t position; /* of the rename */
        FileHandle handle; /* of the lost one; borrowed until victims_leave() of the rename … */
        FanName name;      /* … and so is where it was */
} VictimDirectory;

/*
 * victims_next_directory() - a lost directory that was not given out yet
 *
 * To be called until it has no more, each time after victims_note() and victims_find().
 * Return: 1, 0 no more.
 */
int victims_next_directory(Victims *v, VictimDirectory *ret_directory);

/* The rename leaves, and so do all before it. */
void victims_leave(Victims *v, const FlightEvent *e);

/*
 * victim_is_likely() - was a possible victim destroyed
 * @n_links: names that it has now; 0: it is gone, or about to
 *
 * Who was given another name had two from then on.  True means certainly, false that both can be.
 */
bool victim_is_likely(const Victim *victim, unsigned n_links);
