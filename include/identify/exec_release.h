/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Letting go of every program that is held: what the thread that holds them and the process that
 * watches over it share.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Events taken at once; each is an open descriptor. */
#define EXEC_RELEASE_BATCH 16

/* Why programs are held no longer. */
typedef enum ExecHoldEnd {
        EXEC_HOLD_END_NONE, /* they are */
        EXEC_HOLD_END_ASKED,
        EXEC_HOLD_END_LATE,       /* one had waited longer than the bound */
        EXEC_HOLD_END_STALLED,    /* nothing moved for nearly the bound */
        EXEC_HOLD_END_UNGUARDED,  /* the watchdog is gone */
        EXEC_HOLD_END_UNREADABLE, /* the group cannot be read */
} ExecHoldEnd;

/* In memory that both processes have. */
typedef struct ExecHoldShared {
        atomic_uint heartbeat; /* counts the steps of the thread */
        atomic_bool is_busy;   /* it has taken events, or is about to, and has not answered all */
        atomic_bool is_dozing; /* the watchdog looks again only when something is queued or it is
                                  woken: who finds it so when getting busy wakes it */
        atomic_int end;        /* ExecHoldEnd: the first reason stands */
} ExecHoldShared;

/* Sets the reason unless there is one. Return: was it set by this call? */
bool exec_release_declare(ExecHoldShared *shared, ExecHoldEnd end);
/* Takes all marks away: no more programs are held from now on. */
void exec_release_flush(int fan_fd);
/* Allows one. Return: 0, -ENOENT it does not wait (any longer), errors of write(2). */
int exec_release_allow(int fan_fd, int event_fd);
/* Allows all that are still queued, unread. Return: 0, errors of read(2). */
int exec_release_queued(int fan_fd);
/* Allows all that another process has taken, whatever descriptors it has them under. */
void exec_release_taken(int fan_fd, int n_fds);
/* Bytes of events that are queued. */
size_t exec_release_n_queued(int fan_fd);

/* Closes all descriptors of this table but 0, 1, 2 and those given; sorts them. */
void exec_release_keep_fds(int *fds, size_t n_fds);
