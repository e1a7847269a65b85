/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One execve(2) opens several files: a script, its interpreter, the interpreter's interpreter, and
 * for an ELF program its ld.so.  From what was seen at each of them, what the program is given.
 * Pure.
 */

#include "identify/exec_call.h"
#include "identify/exec_image.h"
#include "identify/held_execs.h"

/* Execs that may be under way at one time; beyond it the one that was seen longest ago goes. */
#define EXEC_CHAIN_MAX 64

/* What was read of a task while it waits to open one file. */
typedef struct ExecView {
        pid_t tid;
        ExecCall call;
        const char *filename; /* as it gave it */
        size_t n_filename;
        const char *args; /* as it gave them, NUL-terminated each unless cut */
        size_t n_args_bytes;
        bool is_args_cut;
        const char *path; /* of the file, without " (deleted)" */
        size_t n_path;
        bool is_deleted;
        const ExecImage *image; /* of the file; NULL: could not be read in time */
} ExecView;

typedef struct ExecChain ExecChain;

int exec_chain_new(ExecChain **ret_chain);
ExecChain *exec_chain_free(ExecChain *c);

/*
 * exec_chain_see() - one more file of an exec
 * @ret_exec: filled on 1, but for pid and nsec; untouched otherwise
 *
 * It is the next file of the same call when thread, call and all that it gave are the same, and it
 * is not the file the call began with: then a failed call is made again.
 *
 * Return: 1 what is known is now *ret_exec, 0 it is what it was before.
 */
int exec_chain_see(ExecChain *c, const ExecView *v, HeldExec *ret_exec);
