/* SPDX-License-Identifier: MIT */

/*
 * See operation.h.
 */

#include "operation.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"

/* Until a new directory is marked. */
#define MARKING_SEC 0.05

static void make_directory(const OperationPlace *p, const char *path) {
        harness_mkdir(path);
        if (p->is_by_directory)
                harness_sleep(MARKING_SEC);
}

void operation_do_all(OperationPlace *p, const Operation *list) {
        for (; list->name; list++) {
                p->directory = harness_format("%s/%s", p->watched, list->name);
                make_directory(p, p->directory);
                list->function(p);
        }
}

char *operation_path(const OperationPlace *p, const char *name) {
        return harness_format("%s/%s", p->directory, name);
}

char *operation_file(const OperationPlace *p, const char *name) {
        char *path = operation_path(p, name);

        harness_touch(path);
        return path;
}

char *operation_directory(const OperationPlace *p, const char *name) {
        char *path = operation_path(p, name);

        make_directory(p, path);
        return path;
}

struct stat operation_look(const char *path) {
        struct stat st;

        harness_assert(lstat(path, &st) == 0, "%s: %m", path);
        return st;
}

static void describe(TruthItem *item, const struct stat *was) {
        item->type = S_ISDIR(was->st_mode) ? "dir" : "file";
        item->inode = was->st_ino;
}

void operation_expect(OperationPlace *p, const char *action, const char *path,
                      const struct stat *was, const Process *who) {
        describe(truth_add(&p->truth, action, path, who), was);
}

void operation_expect_move(OperationPlace *p, const char *from, const char *to,
                           const struct stat *was, const Process *who) {
        bool is_outside = strncmp(to, p->outside, strlen(p->outside)) == 0;

        /* Where nothing is marked nobody sees it arrive. */
        if (p->is_by_directory && is_outside)
                describe(truth_add(&p->truth, "move", from, who), was);
        else
                describe(truth_add_move(&p->truth, from, to, who), was);
}

void operation_expect_overwrite(OperationPlace *p, const char *lost, const char *from,
                                const struct stat *was, const Process *who) {
        if (p->is_by_directory)
                truth_add_move(&p->truth, from, lost, who);
        else
                describe(truth_add_overwrite(&p->truth, lost, from, who), was);
}

void operation_unlink(OperationPlace *p, const char *path) {
        struct stat was = operation_look(path);

        harness_unlink(path);
        operation_expect(p, "unlink", path, &was, &p->own);
}
