/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is left of a file that lost a name: asked by its handle.
 */

#include <limits.h>
#include <sys/stat.h>

#include "locate/live_mount.h"

/* Entries of a directory among which another name is looked for. */
#define LIVE_OBJECT_SCAN_MAX 1024

typedef struct LiveObject {
        struct stat status;  /* .st_nlink 0: no name is left, but someone has it open */
        char path[PATH_MAX]; /* from the mount's root, checked to lead to it; "" none was found */
} LiveObject;

/*
 * live_object_read() - look at an object now
 * @directory:  where it had a name, and may have another; .bytes NULL unknown
 *
 * The path is the one that the kernel has in its cache, else one in that directory.
 *
 * Return: 0, -ESTALE it is gone, -errno of fstat(2).
 */
int live_object_read(const LiveMount *m, const FileHandle *object, const FileHandle *directory,
                     LiveObject *ret_object);
