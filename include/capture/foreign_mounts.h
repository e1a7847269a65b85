/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Filesystems that are mounted in other mount namespaces only: services with mounts of their own,
 * containers. No path of ours leads there, so no watch here sees them.
 */

#include <stddef.h>
#include <sys/types.h>

#include "capture/mountinfo.h"

typedef struct ForeignMounts {
        size_t n_namespaces;  /* beside ours */
        size_t n_unreadable;  /* processes whose namespace or table we may not read */
        size_t n_filesystems; /* that our table lacks; views of the kernel do not count */
        pid_t pid;            /* example: a process in one; 0 none */
        char *point;          /* … where it sees one of them, NULL none */
        char *fstype;
} ForeignMounts;

/*
 * foreign_mounts_add() - compare the table of another namespace with ours; pure
 * @seen: superblocks that were counted, grown here; starts as NULL and 0, for the caller to free
 *
 * Return: 0, -ENOMEM.
 */
int foreign_mounts_add(ForeignMounts *f, const MountTable *own, const MountTable *other, pid_t pid,
                       dev_t **seen, size_t *n_seen);

/*
 * foreign_mounts_find() - look at one process of each mount namespace
 * @proc_fd: directory descriptor of /proc
 *
 * Return: 0, -ENOMEM, errors of opening /proc.
 */
int foreign_mounts_find(int proc_fd, const MountTable *own, ForeignMounts *ret);
void foreign_mounts_done(ForeignMounts *f);
#define _cleanup_foreign_mounts_ _cleanup_(foreign_mounts_done)
