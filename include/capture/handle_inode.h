/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a file handle says of what it names, for the filesystems whose encoding is known.
 */

#include <stdbool.h>
#include <stdint.h>

#include "capture/fan_event.h"

/*
 * handle_inode() - the inode number of what a handle names
 *
 * Return: the number, 0 where the filesystem or the encoding is not known.
 */
uint64_t handle_inode(const FileHandle *h, const char *fstype);

/*
 * handle_is_subvolume() - is a directory the root of a btrfs subvolume
 * @h:      its handle
 * @parent: the handle of the directory that it is in
 *
 * It is when it has the number that every such root has, and lies in another subvolume than its
 * parent.  False for anything else, and where one of the handles is not known.
 */
bool handle_is_subvolume(const FileHandle *h, const FileHandle *parent, const char *fstype);
