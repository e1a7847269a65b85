/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A program that is held before it starts, and what it was given.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "identify/exec_chain.h"
#include "identify/exec_memory.h"

typedef struct ExecWaiting {
        int fd;    /* its file; belongs to who holds it */
        pid_t tid; /* the task that waits in execve(2) */
        bool is_image_known;
        ExecImage image;
        /* Of who holds it: */
        bool is_seen;        /* was looked at */
        uint64_t since_nsec; /* monotonic: its queue was empty then, or its holder has just woken */
} ExecWaiting;

/*
 * exec_waiting_read_image() - look at the beginning of its file
 *
 * Only as far as it is in memory: a disk may be slower than the program may wait.
 * Return: 0, -EAGAIN it is not in memory, errors of preadv2(2).
 */
int exec_waiting_read_image(ExecWaiting *w);

/*
 * exec_waiting_copy() - copy what it was given
 * @proc_fd:  directory descriptor of /proc
 * @memory:   room
 * @chain:    what other files of the same call have told
 * @ret_exec: all but .nsec filled on 1, undefined otherwise
 *
 * Blocks as exec_memory_read() does.
 * Return: 1, 0 nothing new, -EAGAIN it does not sleep yet, other negative errnos when it cannot be
 * known.
 */
int exec_waiting_copy(const ExecWaiting *w, int proc_fd, ExecMemory *memory, ExecChain *chain,
                      HeldExec *ret_exec);
