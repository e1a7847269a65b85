/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Single operations on files, each of which does what its name says in a directory of its own and
 * writes down what a person would expect to be told of it: the rows of the `operations` test.
 */

#include <stddef.h>
#include <sys/stat.h>

#include "filesystem.h"
#include "process.h"
#include "truth.h"

typedef struct OperationPlace {
        Filesystem fs;
        char *watched, *outside; /* two directories of it */
        char *directory;         /* in `watched`, of the operation that is being done */
        /* Directories are marked one by one, where the filesystem as a whole cannot be: new ones a
         * moment later, and what is replaced by a rename is not told. */
        bool is_by_directory;
        pid_t monitor;
        Process own;
        Truth truth;
} OperationPlace;

typedef struct Operation {
        const char *name;
        void (*function)(OperationPlace *p);
} Operation;

/* What one process does to names; ended by one without a name. */
extern const Operation operations_on_names[];
/* The same by other ways: from other namespaces, by other processes, by io_uring, through mounts.
 */
extern const Operation operations_by_ways[];

/* On what is in the lower layer of an overlay with redirect_dir=on. */
extern const Operation operations_on_layers[];
/* Makes what these need in a directory of that layer, before it is mounted. */
void operation_fill_layer(const char *lower, const Operation *list);

/* Does all of a list, each in a directory of its own. */
void operation_do_all(OperationPlace *p, const Operation *list);

/* A path in the directory of the operation; newly allocated. */
char *operation_path(const OperationPlace *p, const char *name);
/* A new empty file or directory there. */
char *operation_file(const OperationPlace *p, const char *name);
char *operation_directory(const OperationPlace *p, const char *name);

/* What is at a path now; to be taken before it goes. */
struct stat operation_look(const char *path);
/* What was at a path is expected to be told as gone. */
void operation_expect(OperationPlace *p, const char *action, const char *path,
                      const struct stat *was, const Process *who);
void operation_expect_move(OperationPlace *p, const char *from, const char *to,
                           const struct stat *was, const Process *who);
/* … as replaced by what was at `from`. */
void operation_expect_overwrite(OperationPlace *p, const char *lost, const char *from,
                                const struct stat *was, const Process *who);
/* unlink(2) by this process, and expects it. */
void operation_unlink(OperationPlace *p, const char *path);
