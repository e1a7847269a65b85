/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the processes of the random test share: names, the log of what each really did, and whose
 * turn it is.
 *
 * A number of its own tells each file and directory from all others for ever; it is the owner of
 * the file, so that whoever holds a descriptor knows which one it is, whatever it is called by
 * then. A name belongs to the process that thought of it: only that one puts anything there (makes
 * it, links it, moves it there), anyone may take it away.  So it is known from the logs in which
 * order a name was filled, although there is no record of that.
 */

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RANDOM_WORKERS_MAX 4
#define RANDOM_ROOTS_MAX 2
#define RANDOM_NAME_BYTES 256

/*
 * Of an object, or of a name: who made it, and the how manieth.  The owner of roots is 0, of what
 * worker i makes i + 1.
 */
typedef uint32_t RandomId;

#define RANDOM_ID(owner, n) ((RandomId)((owner) << 24 | (n)))
#define RANDOM_OWNER(id) ((id) >> 24)
#define RANDOM_NUMBER(id) ((id)&0xffffffU)

/* A name in a directory. */
typedef struct RandomSlot {
        RandomId directory, name;
} RandomSlot;

typedef enum RandomKind {
        RANDOM_MAKE,   /* a new object in an empty slot */
        RANDOM_LINK,   /* one that there is already */
        RANDOM_CHANGE, /* of its mode, times, contents: nothing vanishes */
        RANDOM_UNLINK,
        RANDOM_RMDIR,
        RANDOM_RENAME,
        RANDOM_EXCHANGE,
} RandomKind;

/* One system call that went well, and the moments before and after it. */
typedef struct RandomOp {
        RandomKind kind;
        bool is_directory; /* of RANDOM_MAKE */
        bool is_link;      /* by link(2): of RANDOM_LINK, and of RANDOM_MAKE of what had no name */
        bool is_lower;     /* of RANDOM_MAKE: in an overlay's lower layer, before all else */
        /* Of RANDOM_MAKE, RANDOM_LINK and RANDOM_CHANGE; and what lay at the new name, as it seemed
         * to the one who moved something there. */
        RandomId object;
        uint64_t inode; /* of RANDOM_MAKE, 0: it was taken away too soon */
        RandomSlot at, to;
        uint64_t begin, end;
} RandomOp;

typedef struct RandomLog {
        pid_t pid;
        size_t n_ops, n_max;
        RandomOp ops[];
} RandomLog;

/* In shared memory. */
typedef struct RandomStage {
        uint64_t seed;
        size_t n_steps; /* of each worker */
        unsigned n_workers;
        unsigned n_roots; /* directories that stay where they are; the first one is watched */
        const char *roots[RANDOM_ROOTS_MAX];
        const char *seen[RANDOM_ROOTS_MAX]; /* where records have them */
        uint32_t n_lower;     /* objects and names of each worker in the lower layer */
        bool is_upper;        /* seen from an overlay's writable layer */
        bool is_serial;       /* one at a time, whose turn it is decided by the seed */
        bool is_careless;     /* does also what the kernel merges: see random_worker.c */
        bool is_by_directory; /* new directories are marked a moment later: wait for that */
        pid_t monitor;
        uint64_t turn_random;
        sem_t turns[RANDOM_WORKERS_MAX];
        bool is_over[RANDOM_WORKERS_MAX];
        atomic_uint_least64_t clock; /* counts up with each look */
        RandomLog *logs[RANDOM_WORKERS_MAX];
} RandomStage;

/* The next of a row of pseudo-random numbers. */
uint64_t random_next(uint64_t *state);

/* Roots are to be made by the caller; each gets its number here. Fails the test instead of NULL. */
RandomStage *random_stage_new(uint64_t seed, unsigned n_workers, size_t n_steps, bool is_serial,
                              const char *const *roots, unsigned n_roots);

/* Some are long, some hold what is no text, some end as /proc marks a deleted file. */
void random_name(RandomId name, char ret_name[static RANDOM_NAME_BYTES]);
/* Return: 0 when it is no name of ours. */
RandomId random_name_parse(const char *name);
