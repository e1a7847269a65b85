/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Events that tell of a name more or less of a file, and of no rename that was read before them.
 *
 * Mostly a link().  But the kernel merges what it says of one file into the oldest event of the
 * same process that was not read yet: so the loss of what a later rename destroyed may be in it.
 *
 * Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "capture/fan_event.h"

/* Then the oldest is forgotten, and of its process nothing more is deduced. */
#define VICTIM_ORPHANS_MAX 16384

typedef struct VictimOrphanOwner VictimOrphanOwner;

typedef struct VictimOrphan {
        HashLink link;                        /* by file */
        struct VictimOrphan *newer, *older;   /* of all … */
        struct VictimOrphan *next, *previous; /* … and of the process */
        VictimOrphanOwner *owner;
        uint64_t position, file; /* of the event; hash of what it is about */
        uint64_t window;         /* in which it was read: events merge within one only */
        int32_t pid;
        bool is_directory;
        bool is_gone;        /* no name is left, and nobody has it open */
        bool is_counted;     /* it has been asked for its names … */
        bool is_nameless;    /* … and has none */
        bool is_shared;      /* others may have destroyed it as well */
        unsigned n_unlinked; /* times that a name of it was deleted afterwards by others */
        int handle_type;
        uint32_t n_handle;
        uint8_t handle[];
} VictimOrphan;

/* Zeroed it is empty. */
typedef struct VictimOrphans {
        HashTable files, owners;
        VictimOrphan *newest, *oldest;
        uint64_t lost_pids;   /* a bit for each rest of a division by 64 … */
        uint64_t lost_window; /* … up to this window */
} VictimOrphans;

void victim_orphans_done(VictimOrphans *o);
/* An event was read: .position to .is_gone are taken, and the handle copied. */
void victim_orphans_add(VictimOrphans *o, const VictimOrphan *orphan, const FileHandle *handle);
/* It was told of by another process, or later on: what happened to it may have happened then. */
void victim_orphans_note_other(VictimOrphans *o, int32_t pid, uint64_t file, uint64_t window);
/* A name was deleted, and that told so far of it is explained if it was by the same process. */
void victim_orphans_note_deletion(VictimOrphans *o, int32_t pid, uint64_t file);
/* Renames ask only for those of this window and later ones. */
void victim_orphans_forget_before(VictimOrphans *o, uint64_t window);

/* What is told of a file: FAN_ATTRIB, and FAN_DELETE_SELF if it is gone; 0 nothing. */
uint64_t victim_orphans_mask(const VictimOrphans *o, int32_t pid, uint64_t file, uint64_t window);

/* What a rename looks for that destroyed nothing as far as is known. */
typedef struct VictimOrphanSearch {
        uint64_t position, source; /* of its event; hash of what it moved */
        uint64_t window;           /* in which it was read */
        int32_t pid;
        bool is_directory;
} VictimOrphanSearch;

typedef enum VictimOrphanAnswer {
        VICTIM_ORPHAN_NONE,
        VICTIM_ORPHAN_LOST,     /* *ret is the only one, and was destroyed without a deletion */
        VICTIM_ORPHAN_POSSIBLE, /* there may be one */
        VICTIM_ORPHAN_ASK,      /* *ret_orphan must be asked for its names */
} VictimOrphanAnswer;

/* A rename may have destroyed any of those that fit: none is known to be another one's. */
void victim_orphans_share(VictimOrphans *o, const VictimOrphanSearch *s);

VictimOrphanAnswer victim_orphans_find(VictimOrphans *o, const VictimOrphanSearch *s,
                                       VictimOrphan **ret_orphan);
/* The names that the one of an event has now. */
void victim_orphans_answer(VictimOrphans *o, uint64_t position, unsigned n_links);
/* The one of an event, or NULL. */
VictimOrphan *victim_orphans_at(const VictimOrphans *o, uint64_t position);
/* A rename has taken it. */
void victim_orphans_remove(VictimOrphans *o, VictimOrphan *orphan);
FileHandle victim_orphan_handle(const VictimOrphan *orphan);
