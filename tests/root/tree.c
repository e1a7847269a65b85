/* SPDX-License-Identifier: MIT */

/*
 * See tree.h.
 */

#include "tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"

static void add_dir(Truth *t, const char *path, const Process *process) {
        TruthItem *item;
        struct stat st;

        harness_mkdir(path);
        harness_assert(stat(path, &st) == 0, "%s: %m", path);
        item = truth_add(t, "rmdir", path, process);
        item->type = "dir";
        item->inode = st.st_ino;
}

static void add_files(Truth *t, const char *dir, size_t n, const Process *process) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path = harness_format("%s/file-%04zu", dir, i);
                _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
                TruthItem *item;
                struct stat st;

                harness_assert(fd >= 0 && fstat(fd, &st) == 0, "%s: %m", path);
                item = truth_add(t, "unlink", path, process);
                item->type = "file";
                item->inode = st.st_ino;
        }
}

void tree_make(const char *path, size_t n_dirs, size_t n_files, Truth *t, const Process *process) {
        char **dirs = calloc(n_dirs + 1, sizeof(*dirs));

        harness_assert(dirs, "out of memory");
        add_dir(t, path, process);
        for (size_t i = 0; i < n_dirs; i++) {
                const char *parent = i < 10 ? path : dirs[i / 10 - 1];

                dirs[i] = harness_format("%s/dir-%04zu", parent, i);
                add_dir(t, dirs[i], process);
                add_files(t, dirs[i], n_files / n_dirs + (i < n_files % n_dirs), process);
        }
        for (size_t i = 0; i < n_dirs; i++)
                free(dirs[i]);
        free(dirs);
}
