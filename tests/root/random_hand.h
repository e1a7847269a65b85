/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The hand of a process of the random test: looks at the tree, changes it by one system call at a
 * time, and writes down what went well.
 */

#include "random_log.h"

#define RANDOM_ENTRIES_MAX 64
#define RANDOM_HELD_MAX 6
#define RANDOM_CHANGED_MAX 4096
#define RANDOM_TOUCHED_MAX 65536

typedef struct RandomHand {
        RandomStage *stage;
        RandomLog *log;
        unsigned i;
        uint64_t random;
        uint32_t n_names, n_objects;
        long n_live;               /* made, less what it took away: about what there is for each */
        int held[RANDOM_HELD_MAX]; /* open, whatever becomes of it */
        size_t n_held;
        RandomSlot *changed; /* names of files with another mode or time by this process */
        size_t n_changed;
        /* Objects of which it caused an event without a name, by owner and number. */
        bool touched[RANDOM_WORKERS_MAX + 1][RANDOM_TOUCHED_MAX];
} RandomHand;

typedef struct RandomEntry {
        RandomId name;
        bool is_directory;
} RandomEntry;

/* A directory that is open, and what was in it, in the order of the names' numbers. */
typedef struct RandomDirectory {
        int fd;
        RandomId id;
        size_t n_entries, n_directories;
        RandomEntry entries[RANDOM_ENTRIES_MAX];
} RandomDirectory;

/* Takes the descriptor. Return: false when it is no directory whose number is known. */
bool random_directory_open(RandomDirectory *d, int fd);
void random_directory_done(RandomDirectory *d);
#define _cleanup_random_directory_ __attribute__((cleanup(random_directory_done)))

/* A number from 0 to below n. */
size_t random_below(RandomHand *h, size_t n);

/* Only where one is to act at a time: the turn goes to any of those that go on. */
void random_pass_turn(RandomStage *s);
void random_await_turn(RandomHand *h);
/* Between two system calls: others may do theirs now. */
void random_let_others(RandomHand *h);

RandomId random_new_name(RandomHand *h);
RandomId random_new_object(RandomHand *h);
/* Return: a descriptor, or a negative number. */
int random_open(int directory_fd, RandomId name, int flags);
/* Return: the number of an open object, 0 when there is none. */
RandomId random_id_of(int fd);

/* Some directory of the tree. */
RandomDirectory random_somewhere(RandomHand *h);
/* One of its entries, or NULL. */
const RandomEntry *random_pick(RandomHand *h, const RandomDirectory *d, bool is_directory);
const RandomEntry *random_pick_any(RandomHand *h, const RandomDirectory *d);
/* One at a name of this process, for that is where it may put another. */
const RandomEntry *random_pick_own(const RandomHand *h, const RandomDirectory *d,
                                   bool is_directory);

/* A new file, directory or symlink. Return: whether it went well, as of all below. */
bool random_make(RandomHand *h, const RandomDirectory *d, RandomId name, mode_t type);
/* A file without a name. Return: a descriptor, or a negative number. */
int random_make_nameless(RandomHand *h, const RandomDirectory *d);
/* Another name for an open object; a new one when is_first. */
bool random_link(RandomHand *h, int fd, const RandomDirectory *d, RandomId name, bool is_first);
/* Mode, times and contents of what is at a name. */
bool random_change(RandomHand *h, const RandomDirectory *d, RandomId name);
/* flags: as of unlinkat(2). Not what this process has changed: see random_worker.c. */
bool random_take_away(RandomHand *h, const RandomDirectory *d, RandomId name, int flags);
/* flags: as of renameat2(2). Only what this process has not touched: see random_worker.c. */
bool random_move(RandomHand *h, const RandomDirectory *from, RandomId name,
                 const RandomDirectory *to, RandomId new_name, unsigned flags);
