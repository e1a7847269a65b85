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
 * what a rename destroyed may so stand in front of it.  Then it is known by its name, if it came
 * there by another rename; or it is deduced, if it is gone and this rename the only one that can
 * have done it.  What cannot be told is said to be possible.
 *
 * Pure: events in the order of the queue in, answers out.
 */

#include <stdbool.h>
#include <stdint.h>

#include "capture/flight.h"

/* Events of a process behind its rename among which the victim is looked for: its other threads may
 * have come in between. */
#define VICTIMS_MAX_LATER 4096
/* How long the events of a system call may be apart, if its thread has lost its CPU: if one of them
 * may still come … */
#define VICTIMS_WAIT_NSEC (100 * UINT64_C(1000000))
/* … if one of them must come, or what has been read could be half of an unlink() … */
#define VICTIMS_WAIT_HALFWAY_NSEC (1000 * UINT64_C(1000000))
/* … and if what looks like a victim could be half of an unlink() by another thread. */
#define VICTIMS_WAIT_THREADS_NSEC (5 * UINT64_C(1000000))

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
        VICTIM_POSSIBLE, /* something was destroyed, or not */
        VICTIM_ASK,      /* that is seen by the names that it has now: see victims_answer() */
} VictimState;

typedef struct Victim {
        VictimState state;
        FileHandle handle; /* borrowed until victims_leave(), if asked until the next call; .bytes
                            * is NULL when it is not known which of several it was */
        bool is_gone;      /* no name is left, and nobody has it open */
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
/*
 * victims_answer() - the answer to VICTIM_ASK; then ask victims_find() again
 * @n_links: names that the file has now; 0 it is gone, or about to
 *
 * What was queued until they were counted must have been noted.  Who was given another name had two
 * from then on, or it was its first.
 */
void victims_answer(Victims *v, unsigned n_links);

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
