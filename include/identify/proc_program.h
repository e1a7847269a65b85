/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which program a process runs, and where.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "identify/process_facts.h"

typedef struct ProcProgram {
        size_t n_path;    /* of the bytes in the caller's buffer, without " (deleted)" */
        ProgramFile file; /* zero where it could not be read */
        bool is_deleted;
} ProcProgram;

/*
 * proc_program_read() - read the program of a process
 * @dir_fd: descriptor of /proc/PID
 * @buf:    filled with the path
 *
 * The kernel puts " (deleted)" behind the name of a program that is gone, and a program may be
 * called so: that is told apart.  Never waits for the filesystem that the program is on, but for
 * 9p.
 *
 * Return: 0, -ENAMETOOLONG longer than a path may be, or none, errors of readlink(2).
 */
int proc_program_read(int dir_fd, char buf[static PATH_MAX], ProcProgram *ret_program);

/*
 * proc_program_read_directory() - read the working directory of a process
 * @dir_fd: descriptor of /proc/PID
 * @buf:    filled with the path, without a NUL; of one that was removed, where it was
 *
 * Return: bytes in buf, or errors of readlink(2).
 */
ssize_t proc_program_read_directory(int dir_fd, char buf[static PATH_MAX]);
