/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Decoding of /proc/TID/syscall of a task that waits inside execve(2) or execveat(2).  Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ExecCall {
        uint64_t filename; /* addresses in the task's memory */
        uint64_t argv;
        uint64_t stack;
        size_t n_pointer_bytes; /* of the addresses in argv[]: 4 or 8 */
        int directory_fd;       /* execveat(2): what a relative filename is relative to */
        bool has_directory;     /* it is execveat(2) */
} ExecCall;

/*
 * exec_call_parse() - decode the one line of /proc/TID/syscall
 * @text:     n_bytes bytes
 * @ret_call: filled on 0, untouched otherwise
 *
 * Shape:  "running\n", "-1 0xSP 0xPC\n" or "NR 0xARG (six of them) 0xSP 0xPC\n".
 * The number alone does not tell by which of the machine's tables it counts.  A task that opens a
 * program to execute it is in no other system call, so 11 is execve(2) of a 32-bit program.
 * Source: proc_pid_syscall(5); fs/proc/base.c (proc_pid_syscall) of Linux 6.18; the tables of
 * x86-64 (also i386 and x32) and of arm64 (also 32-bit), elsewhere the machine's own numbers.
 *
 * Return: 0, -EAGAIN the task is not asleep yet, -ENOENT it is in no exec call, -EBADMSG.
 */
int exec_call_parse(const char *text, size_t n_bytes, ExecCall *ret_call);
