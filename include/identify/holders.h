/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who still has a file open that has no name any more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HOLDERS_MAX 4
/* Bytes of a name, its NUL included. */
#define HOLDER_NAME_BYTES 16

typedef struct Holder {
        pid_t pid;
        int fd;                       /* the lowest of it; -1: it is the program that it runs */
        char name[HOLDER_NAME_BYTES]; /* as the kernel keeps it; "" not known */
} Holder;

typedef struct HolderSearch {
        int proc_fd;          /* directory of a /proc, borrowed */
        pid_t self;           /* not asked about */
        dev_t device;         /* as stat(2) says */
        ino_t inode;          /* … of the file */
        uint64_t budget_nsec; /* CPU time; then it ends with what was found */
        uint64_t used_nsec;   /* of it, filled in */
        Holder found[HOLDERS_MAX];
        size_t n_found;
} HolderSearch;

/*
 * holders_find() - look through the descriptors of all processes
 * @s:     filled in but for what was found
 * @first: processes that are looked at first, and alone if one of them has it
 *
 * One entry a process. Nothing is opened but directories of /proc: no file system is waited for.
 * What is only mapped into memory is not found, but for the program itself.
 */
void holders_find(HolderSearch *s, const pid_t *first, size_t n_first);
