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
