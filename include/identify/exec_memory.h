/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading what a task gave to execve(2) from its memory.
 */

#include "identify/exec_chain.h"

typedef struct ExecMemory {
        char filename[PATH_MAX];
        char args[PROCESS_ARGS_MAX_BYTES];
} ExecMemory;

/*
 * exec_memory_read() - fill in a view's filename and args
 * @tid:    waits in the call, so that it cannot end and its memory is its own
 * @memory: the bytes that the view borrows
 * @v:      has its call
 *
 * Bounded: so many bytes, and so many pages however they are spread; what is beyond is cut.
 * Blocks for as long as the memory does that somebody else may be in charge of (userfaultfd(2), a
 * mapped file of a FUSE filesystem): to be called where that does no harm.
 *
 * Return: 0, -EFAULT the filename or the list cannot be read, -ENOBUFS the filename is longer than
 * one may be, errors of process_vm_readv(2).
 */
int exec_memory_read(pid_t tid, ExecMemory *memory, ExecView *v);
