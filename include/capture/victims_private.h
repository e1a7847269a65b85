/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of victims.h share. */

#include "capture/arrivals.h"
#include "capture/file_news.h"
#include "capture/victim_group.h"
#include "capture/victim_orphans.h"
#include "capture/victims.h"

/* Processes that are known to have several threads; a power of two. */
#define VICTIMS_THREADED_SLOTS 64

typedef struct Rename {
        struct Rename *next, *previous;
        struct Rename *next_directory; /* that was not given out */
        VictimGroup *group;
        VictimMember member;
        FanName new_name;        /* borrowed from the event */
        uint64_t name, old_name; /* hashes */
        uint64_t window;         /* in which it was read */
        int32_t pid;
        bool is_decided;
        bool is_exchange; /* half of one: it destroys nothing */
        Victim victim;
        uint8_t *deduced; /* backing of its handle, if that was an orphan's */
        Victim replaced;  /* what was known to be at its new name; backed by … */
        uint8_t copy[];
} Rename;

struct Victims {
        Rename *head, *tail;  /* in flight */
        Rename *directories;  /* that have destroyed one, and were not given out */
        VictimGroup *open;    /* groups with renames under way, oldest first */
        size_t n_open;        /* such renames */
        HashTable candidates; /* of all groups, by file */
        Arrivals arrivals;
        FileNews news; /* its window ends when the queue is seen empty */
        VictimOrphans orphans;
        bool has_merged_directories; /* of renames in this window, that wait for its end */
        VictimCandidate *asked;      /* victims_answer() is about this one … */
        uint64_t asked_position;     /* … else about the orphan of this event */
        int32_t threaded[VICTIMS_THREADED_SLOTS];
};

static inline Rename *victims_rename_of(VictimMember *m) {
        return HASH_ENTRY(m, Rename, member);
}

/* Who has what, of a group that has ended or is given up. */
void victims_decide_group(Victims *v, VictimGroup *g);
/* The window ends. */
void victims_decide_window(Victims *v);

/*
 * victims_groups_count() - an event of a process was read that ends none of its renames
 * @is_candidate: it may tell of a victim
 *
 * Return: the group of those that are under way, or NULL.
 */
VictimGroup *victims_groups_count(Victims *v, const FlightEvent *e, bool is_candidate);
void victims_groups_add_candidate(Victims *v, VictimGroup *g, const FlightEvent *e,
                                  FileHandle handle, uint64_t file);
/* Return: the rename that it is the end of, or NULL. */
Rename *victims_groups_note_end(Victims *v, const FlightEvent *e, uint64_t file);
/* A name of a file was deleted; e was counted. */
void victims_groups_note_deletion(Victims *v, uint64_t position, uint64_t file);
/* A rename begins. g: as victims_groups_count() returned it. Return: 0, -ENOMEM. */
int victims_groups_join(Victims *v, Rename *r, VictimGroup *g);
/* The renames of a group that are under way are not waited for any more. */
void victims_groups_cut(Victims *v, VictimGroup *g);
/* A rename leaves the flight, and its group. */
void victims_groups_leave(Victims *v, Rename *r);
