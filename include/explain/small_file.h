/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading small files of configuration and state, which may be anything and of any size.
 */

#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"

/* Names taken of one directory; of more the first in the order of the alphabet. */
#define SMALL_FILE_NAMES_MAX 512

/*
 * small_file_open() - open a regular file to be read
 * @dir_fd: of openat(2)
 *
 * What it is, is looked at before it is opened: names may come from a command line that anybody can
 * write, and opening alone does something to a device (a watchdog begins to count) or a FIFO (who
 * writes goes on).
 *
 * Return: a descriptor, to be closed by the caller; -EINVAL no regular file, errors of open(2).
 */
int small_file_open(int dir_fd, const char *path);

/*
 * small_file_read() - read a regular file
 * @root_fd: what an absolute path begins at
 * @ret:     cleared; NUL-terminated behind its n_bytes
 *
 * Neither waits at a FIFO nor opens a device.
 * Return: 0, -EFBIG larger than n_max, -EINVAL no regular file, -ENOMEM, errors of open(2),
 * read(2).
 */
int small_file_read(int root_fd, const char *path, size_t n_max, Buffer *ret);

/* Owned names of a directory, sorted by bytes. */
typedef struct SmallFileNames {
        char **names;
        size_t n;
} SmallFileNames;

void small_file_names_done(SmallFileNames *l);
#define _cleanup_small_file_names_ _cleanup_(small_file_names_done)

/* All but those that begin with '.'. Return: 0, -ENOMEM, errors of open(2). */
int small_file_list(int root_fd, const char *directory, SmallFileNames *ret_names);

/*
 * small_file_user() - the name of a user in /etc/passwd
 * @ret_name: newly allocated
 *
 * The name service is not asked: it may take seconds.
 * Return: 0, -ENOENT, as small_file_read().
 */
int small_file_user(int root_fd, uid_t uid, char **ret_name);
