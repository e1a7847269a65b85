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
#include "monitor.h"

/* A new directory is marked within this time, or later than anyone wants to wait. */
#define MARKING_SEC 2.0

static void make_directory(const OperationPlace *p, const char *path) {
        size_t n_before = p->is_by_directory ? monitor_count_marks(p->monitor) : 0;
        double end = harness_now() + MARKING_SEC;

        harness_mkdir(path);
        while (p->is_by_directory && monitor_count_marks(p->monitor) <= n_before &&
               harness_now() < end)
                harness_sleep(0.001);
}

void operation_do_all(OperationPlace *p, const Operation *list) {
        for (; list->name; list++) {
                p->directory = harness_format("%s/%s", p->watched, list->name);
                if (access(p->directory, F_OK) < 0)
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
