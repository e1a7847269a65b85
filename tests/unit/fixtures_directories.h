/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Directories of the living filesystem, a tree that knows them, and events about them in flight.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "locate/dir_tree.h"
#include "locate/handle_buffer.h"
#include "locate/later_events.h"
#include "unit.h"

#define MAX_HANDLES 1024

static char place[64];
static int root_fd = -1;
static DirTree *tree;
static LaterEvents later;
static uint64_t n_events;
static HandleBuffer handles[MAX_HANDLES];
static size_t n_handles;

/* The handle of an open file, good until the end of the test. */
static inline FileHandle handle_of(int fd) {
        HandleBuffer *b = &handles[n_handles++];

        if (n_handles > MAX_HANDLES || handle_buffer_take(fd, b) != 0)
                ck_abort_msg("handle_of");
        return handle_buffer_view(b);
}

/* … and of a path below the root, "." for the root itself. */
static inline FileHandle handle_at(const char *path) {
        _cleanup_close_ int fd = openat(root_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                ck_abort_msg("%s: %s", path, strerror(errno));
        return handle_of(fd);
}

static inline void make(const char *path) {
        if (mkdirat(root_fd, path, 0700) < 0)
                ck_abort_msg("mkdir %s: %s", path, strerror(errno));
}

static inline void move(const char *from, const char *to) {
        if (renameat(root_fd, from, root_fd, to) < 0)
                ck_abort_msg("rename %s: %s", from, strerror(errno));
}

static inline FanName name_in(FileHandle directory, const char *name) {
        return (FanName){.directory = directory, .name = name, .n_name = strlen(name)};
}

/* An event in flight about a directory; a parent without bytes: out of sight. */
static inline FlightEvent add_later(uint64_t mask, FileHandle target, FanName was, FanName now) {
        FlightEvent e = {
                .fan = {.mask = mask | FAN_ONDIR, .new_name = now, .target = target},
                .position = n_events++,
        };

        if (mask & FAN_RENAME)
                e.fan.old_name = was;
        else
                e.fan.name = was;
        ck_assert(later_events_concern(&e.fan));
        ck_assert_int_eq(later_events_add(&later, &e), 0);
        return e;
}

/* On tmpfs where the place for temporary files has no handles. */
static inline void make_place(void) {
        static const char *const candidates[] = {"/tmp", "/dev/shm"};
        HandleBuffer b;

        for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
                snprintf(place, sizeof(place), "%s/unit_directories.XXXXXX", candidates[i]);
                if (!mkdtemp(place))
                        continue;
                root_fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (root_fd >= 0 && handle_buffer_take(root_fd, &b) == 0)
                        return;
                cleanup_close(&root_fd);
                rmdir(place);
        }
        ck_abort_msg("no filesystem with file handles");
}

static inline void set_up_directories(void) {
        FileHandle root;

        n_handles = n_events = 0;
        later = (LaterEvents){0};
        make_place();
        root = handle_at(".");
        ck_assert_int_eq(dir_tree_new(&root, &tree), 0);
}

/* Step by step, for paths that are longer than PATH_MAX. */
static inline void remove_all(int directory_fd, const char *name) {
        int fd = openat(directory_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);

        for (struct dirent *e; d && (e = readdir(d));) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                if (unlinkat(fd, e->d_name, 0) < 0)
                        remove_all(fd, e->d_name);
        }
        unlinkat(directory_fd, name, AT_REMOVEDIR);
}

static inline void tear_down_directories(void) {
        later_events_done(&later);
        tree = dir_tree_free(tree);
        cleanup_close(&root_fd);
        root_fd = -1;
        remove_all(AT_FDCWD, place);
}
