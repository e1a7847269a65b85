/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Events behind a rename that may tell of its victim, until that is decided (victims.h).
 *
 * Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/fan_event.h"

/* Candidates that wait for their rename: of each open one, the victims of all threads. */
#define VICTIM_CANDIDATES_MAX 256
/* It comes right behind no open rename of its process. */
#define VICTIM_CANDIDATE_NO_RENAME UINT64_MAX

typedef struct VictimCandidate {
        uint64_t position, file; /* of the event; hash of what it is about */
        uint64_t rename;         /* position of the one that it comes right behind */
        FileHandle handle;       /* borrowed from the event */
        int32_t pid;
        bool is_gone;
        bool is_directory;
        unsigned n_later; /* events of the process behind it */
        unsigned n_unlinked;
} VictimCandidate;

/* All zero is empty. */
typedef struct VictimCandidates {
        size_t n;
        VictimCandidate items[VICTIM_CANDIDATES_MAX];
} VictimCandidates;

/* In the order of the queue; does nothing when there is no room. */
void victim_candidates_add(VictimCandidates *v, const VictimCandidate *c);
/* An event of a process was read that is none of them. */
void victim_candidates_count_later(VictimCandidates *v, int32_t pid);
/* A name of a file was deleted by a process. */
void victim_candidates_note_deletion(VictimCandidates *v, int32_t pid, uint64_t file);

/* What a rename looks for. */
typedef struct VictimSearch {
        uint64_t position; /* of the rename's event */
        uint64_t source;   /* hash of what it moved: no rename destroys that itself */
        int32_t pid;
        bool is_directory;
} VictimSearch;

/* Takes out the earliest one of its process behind a rename. Return: false there is none. */
bool victim_candidates_take_from(VictimCandidates *v, const VictimSearch *s, VictimCandidate *ret);
/* … that comes right behind it, whichever thread's event it is. */
bool victim_candidates_take_behind(VictimCandidates *v, const VictimSearch *s,
                                   VictimCandidate *ret);
/* Right behind the rename there may be the first of the two events of an unlink(). */
bool victim_candidates_is_halfway(const VictimCandidates *v, uint64_t rename);
