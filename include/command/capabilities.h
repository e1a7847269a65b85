/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The capabilities that a watch uses, and what it lacks without each.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Capability {
        unsigned number;
        const char *name;
        const char *purpose; /* "to mark filesystems" */
        const char *without; /* what a watch is then like: "nothing can be watched" */
        bool is_needed;      /* nothing works without it */
        bool is_tried;       /* a watch finds out by itself, and says it by what fails */
} Capability;

/* All of them, the needed ones first. */
const Capability *capabilities_all(size_t *ret_n);

/*
 * capabilities_read() - the effective ones of this process
 * @ret_effective: bit N is capability N
 *
 * Source: capget(2).
 * Return: 0, a negative errno.
 */
int capabilities_read(uint64_t *ret_effective);
bool capabilities_have(uint64_t effective, const Capability *c);

/*
 * capabilities_drop() - give up for good all that a watch never uses
 * @is_set_up: real-time priorities have been given
 *
 * Kept, in every thread that is started from here on: those of capabilities_all(), and CAP_FOWNER,
 * without which listing others' directories would change their access times.  SYS_ADMIN is used as
 * long as filesystems are mounted, DAC_READ_SEARCH for each directory, NET_ADMIN and SYS_PTRACE by
 * the witness, SYS_NICE only until everything is set up.
 *
 * Return: 0, errors of privilege_keep().
 */
int capabilities_drop(bool is_set_up);
