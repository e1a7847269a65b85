/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is known of a process in one phase of its life (between two execs, or changes of name or
 * user).  Immutable once published, so two threads may read it without a lock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "identify/proc_stat.h"

/* More than this of an argument list is cut, and the record says so: a record of each of a
 * million deletions repeats it. */
#define PROCESS_ARGS_MAX_BYTES 4096
/* What the kernel keeps of a program's name: TASK_COMM_LEN of linux/sched.h less the NUL. */
#define PROCESS_COMM_MAX_BYTES 15
/* "unset", as the kernel writes it in loginuid and sessionid. */
#define PROCESS_ID_UNSET UINT32_MAX

/* The file that a process executes, as statx(2) tells; on btrfs and overlay the device is not that
 * of the superblock. */
typedef struct ProgramFile {
        dev_t device;
        uint64_t inode;    /* 0 unknown */
        uint64_t mount_id; /* as in mountinfo; 0 unknown */
} ProgramFile;

typedef struct ProcessFacts {
        char comm[64]; /* "" unknown */
        bool has_ids;
        bool has_login_uid; /* what .login_uid says was read, also that it is unset */
        bool has_real_ids;  /* only the real ones of .ids are known */
        ProcIds ids;
        uint32_t login_uid;       /* PROCESS_ID_UNSET: unset or unknown */
        uint32_t session_id;      /* of audit; likewise */
        pid_t session;            /* pid of the session leader; 0 none or unknown */
        int tty;                  /* device number, 0 none */
        uint64_t start_ticks;     /* since boot; 0 unknown */
        pid_t ppid;               /* when it was read; 0 unknown */
        pid_t vpid;               /* its pid in its own pid namespace; 0 unknown or no other */
        bool is_in_pid_namespace; /* another one than ours: a container of some kind */
        dev_t root_device;        /* of its root directory, in a container; 0 unknown */
        char invocation_id[33];   /* of its unit's run, 32 hexadecimal digits; "" unknown */
        ProgramFile program;
        const char *name; /* comm, or what it was before the kernel cut it; NULL unknown */
        /* Each NULL when unknown; NUL-terminated; they live in this same allocation. */
        const char *executable; /* without " (deleted)" */
        const char *working_directory;
        const char *cgroup; /* path in systemd's hierarchy */
        const char *args;   /* NUL-separated and -terminated */
        size_t n_args_bytes;
        const char *title; /* what it calls itself by now in place of its arguments */
        bool is_executable_deleted;
        bool is_args_cut;
} ProcessFacts;

/* The parts of a new ProcessFacts; strings are copied, NULL is unknown; .facts.name is derived. */
typedef struct ProcessFactsParts {
        ProcessFacts facts; /* the scalars of it */
        const char *executable, *working_directory, *cgroup, *title;
        size_t n_executable, n_working_directory, n_cgroup, n_title;
        const char *args;
        size_t n_args_bytes;
} ProcessFactsParts;

/* One reference, the caller's. Return: NULL out of memory. */
ProcessFacts *process_facts_new(const ProcessFactsParts *parts);
/* Parts that say the same as `f`, to be changed and made new; borrows from it. */
ProcessFactsParts process_facts_parts(const ProcessFacts *f);
ProcessFacts *process_facts_ref(ProcessFacts *f);
ProcessFacts *process_facts_unref(ProcessFacts *f);
/* Do the numbers of users mean others to it than to us: is it in a container, as far as we see? */
bool process_facts_is_in_container(const ProcessFacts *f);
void process_facts_unrefp(ProcessFacts **f);
#define _cleanup_process_facts_ _cleanup_(process_facts_unrefp)
