/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The mount table of a namespace as /proc/PID/mountinfo writes it, and which mount a path lies on.
 * Pure but for mount_table_read().
 *
 * Source: proc_pid_mountinfo(5); escapes \ooo of space, tab, newline and backslash are undone.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Mount {
        int id;
        int parent_id;
        dev_t device;        /* of the superblock; on btrfs not what stat(2) says */
        char *root;          /* the directory of the filesystem that is mounted */
        char *point;         /* where, as seen from the process's root */
        char *fstype;        /* "ext4", "fuse.sshfs" */
        char *source;        /* "/dev/sda1", "tmpfs" */
        char *super_options; /* "rw,subvolid=5,subvol=/" */
} Mount;

typedef struct MountTable {
        Mount *mounts; /* in the kernel's order */
        size_t n_mounts;
} MountTable;

#define _cleanup_mount_table_ _cleanup_(mount_table_done)

/*
 * mount_table_parse() - decode the text of a mountinfo file
 * @text:      n_bytes bytes, not NUL-terminated, taken as hostile
 * @ret_table: filled on 0, untouched otherwise; released by mount_table_done()
 *
 * Shape:  ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG…] - FSTYPE SOURCE SUPEROPTIONS, a line
 * each. SOURCE may be empty.  An unfinished last line (no newline) is an error.
 *
 * Return: 0, -EBADMSG a line that is not of that shape, -ENOMEM.
 */
int mount_table_parse(const char *text, size_t n_bytes, MountTable *ret_table);
void mount_table_done(MountTable *t);

/*
 * mount_table_read() - read and decode the table of a namespace
 * @proc_fd: directory descriptor of a /proc; "self/mountinfo" below it is read
 *
 * The file is read whole from one open descriptor until two reads agree or eight were made: a
 * table that changes while it is read can show a mount twice or not at all.
 *
 * Return: 0, -EBADMSG, -ENOMEM, errors of openat(2) and read(2).
 */
int mount_table_read(int proc_fd, MountTable *ret_table);

/* The same for the namespace of a process. */
int mount_table_read_of(int proc_fd, pid_t pid, MountTable *ret_table);

/*
 * mount_table_find() - the mount that an absolute, symlink-free path lies on
 *
 * Walks from the root mount through the children whose mount points lead to the path, so that a
 * mount hidden below a later one is never taken.  Borrowed from the table.  NULL when the table
 * holds no root.
 */
const Mount *mount_table_find(const MountTable *t, const char *path);

/*
 * mount_subvolume() - the btrfs subvolume that the mount's root lies in, as a path from the top
 * level; borrowed from the table.  NULL: no btrfs, or the subvolume is deleted.
 */
const char *mount_subvolume(const Mount *m);

/* Is the mount the one a path lookup of its own mount point ends on (not hidden by another)? */
int mount_table_is_visible(const MountTable *t, const Mount *m);
