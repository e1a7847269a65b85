/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was told of a process, as bytes that a later process reads.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "identify/process_facts.h"
#include "identify/taskstats_record.h"

#define PROCESS_LOG_VERSION 1
/* Arguments and five paths. */
#define PROCESS_LOG_ENTRY_MAX_BYTES (32 * 1024)

typedef enum ProcessLogKind {
        PROCESS_LOG_PAD, /* what is left before the ring begins anew in front */
        PROCESS_LOG_FORK,
        PROCESS_LOG_EXEC,
        PROCESS_LOG_EXIT,
        PROCESS_LOG_PHASE, /* other facts hold */
        PROCESS_LOG_FOUND, /* read from /proc */
        PROCESS_LOG_RECORD,
        PROCESS_LOG_KINDS,
} ProcessLogKind;

/* Strings and facts borrow from the bytes until the next entry is parsed. */
typedef struct ProcessLogEntry {
        ProcessLogKind kind;
        pid_t pid, parent_pid; /* the second: FORK */
        uint64_t nsec;
        bool has_executed;       /* PHASE */
        bool has_facts;          /* EXEC, PHASE, FOUND */
        ProcessFactsParts parts; /* … */
        TaskstatsRecord record;  /* RECORD */
        const char *executable;  /* RECORD; NULL unknown */
} ProcessLogEntry;

/* Bytes of an entry. A multiple of 8. */
size_t process_log_entry_bytes(const ProcessLogEntry *e);
/* Writes process_log_entry_bytes(). */
void process_log_entry_write(const ProcessLogEntry *e, uint8_t *to);
/*
 * process_log_entry_parse() - the entry at the beginning of some bytes
 * @bytes: 8-byte aligned
 *
 * Return: its length, 0 there is none, -EBADMSG.
 */
ssize_t process_log_entry_parse(const uint8_t *bytes, size_t n_bytes, ProcessLogEntry *ret_entry);
