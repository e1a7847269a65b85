/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The top level of a btrfs of which only subvolumes are mounted.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Objectid (8 bytes), root id (8), generation (4): a file handle of type BTRFS_TOP_HANDLE_TYPE. */
#define BTRFS_TOP_HANDLE_BYTES 20
#define BTRFS_TOP_HANDLE_TYPE 0x4d

/*
 * btrfs_top_clone() - a detached mount of the top level, with all subvolumes in it
 * @point:  where one of its subvolumes, or a directory of one, is mounted
 * @source: its device as mountinfo has it
 *
 * Nothing is mounted anywhere: the mount is in no namespace and goes with the descriptor. It keeps
 * the superblock like any other clone, and changes none of its options.
 *
 * Owns:   the caller closes *ret_fd, which is good for openat(2) and little else (O_PATH).
 * Source: open_by_handle_at(2), open_tree(2), ioctl BTRFS_IOC_TREE_SEARCH.
 *
 * Return: 0, -EPERM, -ENOTDIR the mount is one of a file, -ENOMEM, other errors of these and of
 * fsopen(2).
 */
int btrfs_top_clone(const char *point, const char *source, int *ret_fd);

/*
 * btrfs_top_make_handle() - the top level's file handle from what a search for its inode found
 * @items:   items as BTRFS_IOC_TREE_SEARCH returns them: a header in host order, then the item
 * @n_items: how many the kernel says there are
 *
 * Return: 0, -EBADMSG not the inode of a root directory.
 */
int btrfs_top_make_handle(const void *items, size_t n_bytes, uint32_t n_items,
                          uint8_t ret_handle[static BTRFS_TOP_HANDLE_BYTES]);
