/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Renames of one process that were under way at the same time, and the events between their
 * beginnings and ends that may tell what they destroyed (victims.h).
 *
 * One thread begins no rename before its last one has ended: then there is one rename in a group.
 * The events of several threads carry one pid, and which belongs to which rename is what all ways
 * to assign them have in common.
 *
 * Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "capture/fan_event.h"

/* Candidates in one group: what other threads link and unlink meanwhile. */
#define VICTIM_GROUP_CANDIDATES_MAX 256
/* More than these are not tried in all ways; then nothing is said that needs it. */
#define VICTIM_GROUP_TRIED_MAX 6

typedef struct VictimGroup VictimGroup;

/* An event that may tell of a victim. */
typedef struct VictimCandidate {
        HashLink link;  /* by the file; the owner's … */
        bool is_listed; /* … if it is in its table */
        struct VictimCandidate *next;
        VictimGroup *group;
        uint64_t position, file; /* of the event; hash of what it is about */
        uint64_t window;         /* in which it was read */
        uint64_t index;          /* how manieth event of the process in the group */
        FileHandle handle;       /* borrowed from the event */
        bool is_gone;
        bool is_directory;
        bool is_unlink;      /* it tells of one, and of no rename */
        bool is_free;        /* no rename of the group can have destroyed it; when resolved */
        unsigned n_unlinked; /* times that a name of the file was deleted afterwards */
        bool is_counted;
        unsigned n_links; /* that it had when it was asked for */
} VictimCandidate;

/* A rename, in the group's list in the order of the queue. */
typedef struct VictimMember {
        struct VictimMember *next;
        uint64_t position, source; /* of its event; hash of what it moved */
        uint64_t end;              /* position of its end; UINT64_MAX: it is not known */
        uint64_t index;
        bool is_directory;
        bool is_merged; /* no end is told: an earlier event has it */
        bool is_cut;    /* given up before its end was read */
        /* Filled by victim_group_resolve(): */
        bool is_sure;      /* the victim is the candidate, or there is none */
        bool is_destroyer; /* … but which of several candidates is not known if there is no such */
        VictimCandidate *candidate; /* the only one, or NULL */
} VictimMember;

struct VictimGroup {
        VictimGroup *next_open;
        int32_t pid;
        bool is_threaded; /* the process is known to have several threads */
        bool is_overfull; /* candidates were left out */
        bool is_resolved;
        uint64_t n_events;      /* of the process, while one of its renames is under way … */
        uint64_t last_position; /* … and of the last one */
        size_t n_open;          /* members without an end */
        size_t n_present;       /* members that have not left */
        size_t n_candidates;
        VictimMember *members;
        VictimCandidate *candidates, *last_candidate;
};

/* In the order of the queue. Return: NULL no memory, or too many: the group is overfull. */
VictimCandidate *victim_group_add(VictimGroup *g, const VictimCandidate *c);
/* Does a member stand directly in front of a candidate, with none of the process in between? */
bool victim_member_is_before(const VictimMember *m, const VictimCandidate *c);
/* All members have an end, or are given up. */
void victim_group_resolve(VictimGroup *g);
