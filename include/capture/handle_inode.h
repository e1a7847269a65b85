/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The inode number inside a file handle, for the filesystems whose encoding is known.
 */

#include <stdint.h>

#include "capture/fan_event.h"

/*
 * handle_inode() - the inode number of what a handle names
 *
 * Return: the number, 0 where the filesystem or the encoding is not known.
 */
uint64_t handle_inode(const FileHandle *h, const char *fstype);
