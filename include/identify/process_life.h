/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One life of one pid, and the set of all lives.  No locking: process_table.c's, behind its lock.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "identify/process_table.h"

/* Phases kept of one life; more mean a process that renames itself all day: the oldest goes. */
#define PROCESS_PHASES_MAX 16

typedef struct ProcessPhase {
        struct ProcessPhase *older;
        uint64_t since_nsec;
        ProcessFacts *facts; /* NULL unknown */
        bool has_executed;
        bool is_from_exit; /* completed by the exit record */
} ProcessPhase;

typedef struct ProcessList ProcessList;

typedef struct Process {
        HashLink link;
        struct Process *next, *previous; /* of .list */
        ProcessList *list;               /* of the dead; NULL for the living */
        struct Process *parent;          /* a reference; NULL unknown or none */
        ProcessFacts *parent_facts;      /* what the parent was at the fork */
        unsigned n_refs;                 /* the set's own and one of each child */
        unsigned n_phases;
        pid_t pid;
        uint64_t serial;
        uint64_t fork_nsec;  /* 0: before we looked */
        uint64_t begin_nsec; /* .fork_nsec, else what /proc says, to the tick; 0 unknown */
        uint64_t exit_nsec;  /* 0: alive */
        uint64_t start_ticks;
        uint64_t start_realtime_nsec; /* computed once: the clocks' distance wavers */
        bool is_start_exact; /* start_ticks is the kernel's, not computed from the fork's time */
        bool is_seen;        /* was given out in an answer */
        bool has_exit_record;
        bool is_unconfirmed; /* not yet found by the rescan that is going on */
        ProcessPhase phase;  /* the latest */
} Process;

struct ProcessList {
        Process *first, *last;
        size_t n_processes;
};

void process_list_append(ProcessList *l, Process *p);
void process_list_remove(ProcessList *l, Process *p);

typedef struct ProcessLives {
        HashTable table; /* by pid; several lives of one pid in one chain */
        uint64_t n_serials;
} ProcessLives;

void process_lives_init(ProcessLives *s);
void process_lives_done(ProcessLives *s);
int process_lives_add(ProcessLives *s, pid_t pid, Process **ret_process);
/* Takes it out of the set; it is freed with its last child. */
void process_lives_remove(ProcessLives *s, Process *p);
/* The life of a pid that began last, or NULL. */
Process *process_lives_latest(const ProcessLives *s, pid_t pid);
/* Iterates over all: NULL first, NULL at the end. Others may be removed meanwhile, none added. */
Process *process_lives_next(const ProcessLives *s, const Process *after);
size_t process_lives_count(const ProcessLives *s);
/* As process_table_find(). */
int process_lives_find(const ProcessLives *s, pid_t pid, ProcessWindow window,
                       ProcessLiveness liveness, Process **ret_process, bool *ret_is_only);

/* The first life of a pid that has no exit record and began at that time, or NULL. */
Process *process_lives_without_record(const ProcessLives *s, pid_t pid, uint64_t realtime_sec);

/* Did this life, found by a scan, start at that time, as exactly as /proc tells? */
bool process_started_at(const Process *p, uint64_t boottime_nsec);
uint64_t process_ticks(uint64_t boottime_nsec);
uint64_t process_ticks_to_nsec(uint64_t ticks);
uint64_t process_ticks_to_monotonic(uint64_t ticks);
/*
 * Links a parent where there is none yet, unless it began after its child: then its pid was
 * another's before. Shortens chains that are too long.
 */
void process_set_parent(Process *p, Process *parent);
/* Links the parent of a life that was found, if that is known by now. */
void process_lives_link_parent(const ProcessLives *s, Process *p);
/* A fork: the child is what the parent is. */
void process_inherit(Process *p, const Process *parent);
/* Consumes the facts. Return: 0, -ENOMEM (the new facts hold, the older phases are forgotten). */
int process_add_phase(Process *p, uint64_t since_nsec, ProcessFacts *facts, bool has_executed);
void process_forget_older_phases(Process *p);
/* Fills an answer with references; links parents that were not known when the life was found. */
void process_describe(const ProcessLives *s, Process *p, uint64_t until_nsec, ProcessAnswer *ret);
