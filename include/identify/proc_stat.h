/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Decoding of the small files of /proc/PID.  Pure: bytes in, structs out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct ProcStat {
        pid_t pid;
        pid_t ppid;
        pid_t session;        /* pid of the session leader, 0 for kernel threads */
        char comm[64];        /* NUL-terminated; 15 bytes for programs, longer for kernel threads */
        char state;           /* R S D Z T … */
        int tty;              /* device number of the controlling terminal, 0 none */
        uint64_t start_ticks; /* since boot (boottime), in clock ticks of sysconf(_SC_CLK_TCK) */
        bool is_exiting;      /* it is about to end, or a zombie */
} ProcStat;

/*
 * proc_stat_parse() - decode /proc/PID/stat
 * @text:     n_bytes bytes
 * @ret_stat: filled on 0, untouched otherwise
 *
 * The name may hold spaces, parentheses and newlines ("foo) S 1"): it ends at the last ')'.
 * Source: proc_pid_stat(5); fields 1 to 7, 9 and 22;
 * PF_EXITING of linux/sched.h.
 *
 * Return: 0, -EBADMSG.
 */
int proc_stat_parse(const char *text, size_t n_bytes, ProcStat *ret_stat);

/* User and group ids of /proc/PID/status: real and effective. */
typedef struct ProcIds {
        uid_t real_uid;
        uid_t effective_uid;
        gid_t real_gid;
        gid_t effective_gid;
} ProcIds;

/*
 * proc_status_parse() - decode the "Uid:" and "Gid:" lines of /proc/PID/status
 *
 * The "Name:" line before them is escaped by the kernel and cannot hold a newline.
 * Return: 0, -EBADMSG when either line is missing or odd.
 */
int proc_status_parse(const char *text, size_t n_bytes, ProcIds *ret_ids);

/*
 * proc_status_vpid_parse() - decode the "NSpid:" line of /proc/PID/status
 * @ret_vpid: the last of its numbers, the pid in the innermost namespace
 *
 * Return: 0, -EBADMSG when the line is missing or odd.
 */
int proc_status_vpid_parse(const char *text, size_t n_bytes, pid_t *ret_vpid);

/*
 * proc_status_tgid_parse() - decode the "Tgid:" line of /proc/TID/status: the process of a thread
 *
 * Return: 0, -EBADMSG when it is missing or odd.
 */
int proc_status_tgid_parse(const char *text, size_t n_bytes, uint32_t *ret_pid);

/*
 * proc_u32_parse() - decode a file that holds one number, as loginuid and sessionid do
 *
 * A trailing newline is allowed.  4294967295 is "unset" and returned as it is.
 * Return: 0, -EBADMSG.
 */
int proc_u32_parse(const char *text, size_t n_bytes, uint32_t *ret);
