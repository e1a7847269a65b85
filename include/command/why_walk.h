/* SPDX-License-Identifier: MIT */
#pragma once

/* A walk through all below a directory, collecting what is due until some moment. */

#include "command/why_due_list.h"
#include "command/why_world.h"

typedef struct WhyWalk {
        const WhyWorld *world;
        uint64_t until_nsec; /* realtime; what is due at or before it */
        WhyDueList list;
        uint64_t n_seen;
        uint64_t n_later;      /* due, but after .until_nsec */
        uint64_t n_unreadable; /* directories that could not be listed */
} WhyWalk;

/*
 * why_walk_run() - look at everything below a directory, not at itself
 * @directory: absolute, not a symlink
 *
 * Filesystems mounted below are entered, views of the kernel (proc, sysfs) and network filesystems
 * are not; symlinks are not followed, and access times stay as they are.
 *
 * Return: 0; errors of openat(2) for the directory itself; -ENOMEM.
 */
int why_walk_run(WhyWalk *w, const char *directory);
