/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A fanotify group that tells of directories that come to be in directories that are marked one by
 * one.
 */

#include "capture/fan_event.h"

typedef struct NewDirectories NewDirectories;

/* Return: 0, errors of fanotify_init(2), -ENOMEM. */
int new_directories_new(NewDirectories **ret_new);
NewDirectories *new_directories_free(NewDirectories *n);

/* Readable when a directory has come. */
int new_directories_fd(const NewDirectories *n);

/*
 * new_directories_mark() - tell of directories that are made in a directory or moved into it
 * @directory_fd: open for reading
 *
 * Return: 0, errors of fanotify_mark(2).
 */
int new_directories_mark(NewDirectories *n, int directory_fd);

/* No directory comes any more, and what is queued is of no interest. */
void new_directories_stop(NewDirectories *n);

/*
 * new_directories_next() - where the next new directory was at first
 * @ret_name: filled on 1, borrowed until the next call; .directory.bytes is NULL when the kernel's
 *            queue had no room for some of them
 *
 * Return: 1, 0 none is queued, -EBADMSG the kernel's bytes do not decode: some are lost; errors of
 * read(2).
 */
int new_directories_next(NewDirectories *n, FanName *ret_name);
