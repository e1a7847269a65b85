/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The handle of a file that is open, as fanotify reports it.
 */

#include <fcntl.h>
#include <stdint.h>

#include "capture/fan_event.h"

/* MAX_HANDLE_SZ of the kernel. */
#define HANDLE_BUFFER_MAX_BYTES 128

/* struct file_handle with room for the largest handle. */
typedef union HandleBuffer {
        struct file_handle handle;
        uint8_t room[sizeof(struct file_handle) + HANDLE_BUFFER_MAX_BYTES];
} HandleBuffer;

/*
 * handle_buffer_take() - the handle of an open file
 * @fd: may be O_PATH
 *
 * Where handles cannot be opened again (overlay without nfs_export) it is only good to be compared.
 * Return: 0, -EOPNOTSUPP no handles here, other errors of name_to_handle_at(2).
 */
int handle_buffer_take(int fd, HandleBuffer *ret);
/* Borrows from the buffer. */
FileHandle handle_buffer_view(const HandleBuffer *b);
