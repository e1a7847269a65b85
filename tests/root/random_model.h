/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The tree of the random test as it must have been at each moment, by replaying the logs: what a
 * record of each operation has to say, if there is to be one.
 */

#include "random_log.h"

/* What the monitor has to say of one step. */
typedef struct RandomExpected {
        const RandomOp *op;
        pid_t pid;
        bool is_told;
        const char *action;
        char *path, *target; /* target: NULL if there is none */
        const char *type;
        uint64_t inode; /* 0: not known */
        /* It may be told as a file: a directory that is in no writable layer. */
        bool may_be_file;
        /* It is told by a whiteout, since the lower layer had something there. */
        bool may_have_no_inode;
        /* Its directory, and that of target, may be unknown: see find_overwritten(). */
        bool may_be_nowhere, may_target_be_nowhere;
        /*
         * It may be told as a move, with source_type and source_inode: the kernel has merged what
         * it says of the victim into an earlier event about the number of its names by the same
         * process, if that was still in the queue.
         */
        bool may_be_move;
        const char *source_type;
        uint64_t source_inode;
} RandomExpected;

typedef struct RandomModel RandomModel;

/* Borrows the stage, whose workers have ended. */
RandomModel *random_model_new(const RandomStage *stage);
RandomModel *random_model_free(RandomModel *m);

/*
 * random_model_step() - do the next step of a worker's log
 *
 * An exchange is two steps, since it is two events; any other operation is one. When the step needs
 * what another worker has made, as is known from the owner of a name or of a directory, that is
 * done before.
 *
 * Return: false at the end of the log. Fails the test when what really happened cannot have
 * happened in this order.
 */
bool random_model_step(RandomModel *m, unsigned worker, RandomExpected *ret_expected);
void random_expected_done(RandomExpected *e);

/* The worker whose next step comes first by the clock; -1 at the end. */
int random_model_first(const RandomModel *m);
/* The next operation of a worker that must have a record, or NULL. */
const RandomOp *random_model_next_told(const RandomModel *m, unsigned worker);

/* Fails the test unless the tree on the disk is the model's. */
void random_model_compare(const RandomModel *m);
