/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Paths of programs by the file that an exit record names.
 */

#include <sys/types.h>

#include "identify/process_facts.h"

/* Programs remembered; a new one takes the place of the one that was learned first. */
#define PROGRAM_PATHS_MAX 4096
/* Names remembered under which a program was started: an interpreter has that of each script. */
#define PROGRAM_PATHS_COMMS_MAX 8

typedef struct ProgramPaths ProgramPaths;

/* @proc_fd: directory descriptor of a /proc, borrowed. Return: 0, -ENOMEM. */
int program_paths_new(int proc_fd, ProgramPaths **ret_paths);
ProgramPaths *program_paths_free(ProgramPaths *p);

/*
 * program_paths_learn() - remember the path of a program that runs
 *
 * An exit record has the superblock's device, statx(2) that of a subvolume or a layer: where they
 * may differ (major number 0) the mount table is asked, now and then for each mount.  What lies on
 * a mount of another namespace is not learned then.  No path is learned that has been deleted.
 */
void program_paths_learn(ProgramPaths *p, const ProcessFacts *facts);

/*
 * program_paths_find() - the path of a program, or NULL
 * @superblock: its device
 * @comm:       the name of the process; one that was not started from this path, nor under such a
 *              name, has another program that got the inode of a deleted one
 *
 * NULL, too, where two are known, as of a btrfs and a snapshot of it: the record does not tell them
 * apart.  Borrowed until the next call of program_paths_learn().
 */
const char *program_paths_find(const ProgramPaths *p, dev_t superblock, uint64_t inode,
                               const char *comm);
