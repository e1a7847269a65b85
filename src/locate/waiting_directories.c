/* SPDX-License-Identifier: MIT */

/*
 * What waits to be listed waits on a stack, so that a walk in depth holds little; those on top are
 * kept open, so that they need not be looked for again.
 *
 * There are two stacks that are served by turns: one could grow for ever, where directories come
 * faster than they are listed.
 */

#include "locate/waiting_directories.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static void put_on(WaitingDirectory **stack, WaitingDirectory *d) {
        d->next = *stack;
        *stack = d;
}

int waiting_directories_push(WaitingDirectories *w, const FileHandle *directory, int *fd,
                             bool is_walk) {
        WaitingDirectory *d = malloc(sizeof(*d) + directory->n_bytes);

        if (!d)
                return -ENOMEM;
        d->is_walk = is_walk;
        w->n_walk += is_walk;
        d->fd = -1;
        if (fd && *fd >= 0 && w->n_open < WAITING_DIRECTORIES_MAX_OPEN) {
                d->fd = take_fd(fd);
                w->n_open++;
        }
        d->since_nsec = 0;
        d->handle_type = directory->type;
        d->n_handle = directory->n_bytes;
        memcpy(d->handle, directory->bytes, directory->n_bytes);
        put_on(is_walk ? &w->walk : &w->fresh, d);
        return 0;
}

WaitingDirectory *waiting_directories_take(WaitingDirectories *w) {
        WaitingDirectory **stack = w->is_walk_turn ? &w->walk : &w->fresh, *d;

        w->is_walk_turn = !w->is_walk_turn;
        if (!*stack)
                stack = w->walk ? &w->walk : &w->fresh;
        d = *stack;
        if (d)
                *stack = d->next;
        return d;
}

int waiting_directories_take_fd(WaitingDirectories *w, WaitingDirectory *d) {
        w->n_open -= d->fd >= 0;
        return take_fd(&d->fd);
}

FileHandle waiting_directory_handle(const WaitingDirectory *d) {
        return (FileHandle){.type = d->handle_type, .n_bytes = d->n_handle, .bytes = d->handle};
}

WaitingDirectory *waiting_directories_end(WaitingDirectories *w, WaitingDirectory *d) {
        _cleanup_close_ int fd = -1;

        if (!d)
                return NULL;
        fd = waiting_directories_take_fd(w, d);
        if (d->is_walk && --w->n_walk == 0)
                w->n_walks++;
        free(d);
        return NULL;
}

void waiting_directories_put_astray(WaitingDirectories *w, WaitingDirectory *d) {
        put_on(&w->astray, d);
}

bool waiting_directories_retry_astray(WaitingDirectories *w) {
        w->fresh = TAKE_PTR(w->astray);
        return w->fresh;
}

bool waiting_directories_has_next(const WaitingDirectories *w) {
        return w->walk || w->fresh;
}

static void end_all(WaitingDirectories *w, WaitingDirectory **stack) {
        while (*stack) {
                WaitingDirectory *d = *stack;

                *stack = d->next;
                waiting_directories_end(w, d);
        }
}

void waiting_directories_forget(WaitingDirectories *w) {
        end_all(w, &w->walk);
        end_all(w, &w->fresh);
        end_all(w, &w->astray);
}
