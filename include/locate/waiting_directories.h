/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The directories of a walk that wait to be listed.
 *
 * Pure but for the descriptors that it holds.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/fan_event.h"

/* Of those that wait, so many are open. */
#define WAITING_DIRECTORIES_MAX_OPEN 64

/* A directory that is to be listed. */
typedef struct WaitingDirectory {
        struct WaitingDirectory *next;
        uint64_t since_nsec; /* the walk's own: it was first looked for in vain; 0 never */
        int fd;              /* -1: look for it */
        bool is_walk;        /* of a walk, not one that has come */
        int32_t handle_type;
        uint32_t n_handle;
        uint8_t handle[];
} WaitingDirectory;

/* All zero is empty. */
typedef struct WaitingDirectories {
        WaitingDirectory *walk, *fresh;
        WaitingDirectory *astray; /* not where they were thought to be: for later */
        size_t n_walk;            /* of a walk, those included that were taken and not ended */
        size_t n_open;
        uint64_t n_walks; /* times that .n_walk came down to 0 */
        bool is_walk_turn;
} WaitingDirectories;

/*
 * waiting_directories_push() - a directory is to be listed
 * @directory: its handle, copied
 * @fd:        open for reading, taken on success when there is room for it; may be NULL or hold -1
 * @is_walk:   it was there when the walk began, or was found by it; else it has come
 *
 * Return: 0, -ENOMEM.
 */
int waiting_directories_push(WaitingDirectories *w, const FileHandle *directory, int *fd,
                             bool is_walk);

/* The next to be listed, the newest of those of the walk and of those that have come, by turns;
 * NULL none.  Goes back by waiting_directories_end() or _put_astray(). */
WaitingDirectory *waiting_directories_take(WaitingDirectories *w);
/* Its descriptor, for the caller to close, or -1. */
int waiting_directories_take_fd(WaitingDirectories *w, WaitingDirectory *d);
/* Borrows from the directory. */
FileHandle waiting_directory_handle(const WaitingDirectory *d);
/* It has been listed, or cannot be: frees it, returns NULL, takes NULL. */
WaitingDirectory *waiting_directories_end(WaitingDirectories *w, WaitingDirectory *d);

/* What was taken is not where it was thought to be. */
void waiting_directories_put_astray(WaitingDirectories *w, WaitingDirectory *d);
/* Those astray wait like those that have come, which there must be none of. Return: there are any.
 */
bool waiting_directories_retry_astray(WaitingDirectories *w);

/* There is one to be taken. */
bool waiting_directories_has_next(const WaitingDirectories *w);
/* Ends all but those that were taken; what is left can be used again. */
void waiting_directories_forget(WaitingDirectories *w);
