/* SPDX-License-Identifier: MIT */

/*
 * Listing what waits for it, a few names at a time, so that deletions are read in between.
 *
 * A directory that is not where the tree has it was moved by an event that nobody has read yet: it
 * is looked for again, for some time.  One that is out of sight waits for its return.
 *
 * Source: readdir(3).
 */

#include "locate/dir_index.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "locate/dir_index_private.h"

/* Names of one listing between two looks at the clock. */
#define LIST_MAX_NAMES 16
/* How long a directory may be nowhere: events that tell where it went are read all the time. */
#define ASTRAY_MAX_NSEC (2 * UINT64_C(1000000000))

static DirNode *waiting_node(const DirIndex *x, const WaitingDirectory *w) {
        FileHandle h = waiting_directory_handle(w);

        return dir_tree_find(x->tree, &h);
}

static bool is_out_of_sight(const DirNode *n) {
        for (size_t depth = 0; depth < DIR_TREE_MAX_DEPTH && !n->is_root; depth++) {
                if (n->is_outside || !n->parent)
                        return true;
                n = n->parent;
        }
        return false;
}

/* Not where it is thought to be. */
static void put_astray(DirIndex *x, WaitingDirectory *w, int error) {
        DirNode *n = waiting_node(x, w);
        uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);

        if (w->since_nsec == 0)
                w->since_nsec = now;
        /* Out of sight it cannot be opened: until it returns. */
        if (!n || error == -ENOENT || is_out_of_sight(n)) {
                if (n)
                        n->is_unlisted = true;
                waiting_directories_end(&x->waiting, w);
                return;
        }
        if (error != -ESTALE || now - w->since_nsec > ASTRAY_MAX_NSEC) {
                dir_index_note_gap(x, error, n, "", 0);
                waiting_directories_end(&x->waiting, w);
                return;
        }
        waiting_directories_put_astray(&x->waiting, w);
}

/* Opens the next listing. Return: 1, 0 nothing waits, -EAGAIN try the next one, -ENOMEM. */
static int begin_listing(DirIndex *x) {
        WaitingDirectory *w = waiting_directories_take(&x->waiting);
        int fd, r;

        if (!w)
                return 0;
        fd = waiting_directories_take_fd(&x->waiting, w);
        if (fd < 0) {
                DirNode *n = waiting_node(x, w);

                r = n ? dir_opener_open(&x->opener, n, &fd) : -ESTALE;
                if (r == -ENOMEM) {
                        waiting_directories_end(&x->waiting, w);
                        return r;
                }
                if (r < 0) {
                        put_astray(x, w, r);
                        return -EAGAIN;
                }
        }
        x->listing = fdopendir(fd);
        if (!x->listing) {
                r = -errno;
                close(fd);
                if (r == -ENOMEM) {
                        waiting_directories_end(&x->waiting, w);
                        return r;
                }
                /* It asks a FUSE server what that is, which may have lost it since it was opened.
                 */
                put_astray(x, w, dir_index_is_no_directory(r) ? -ESTALE : r);
                return -EAGAIN;
        }
        x->listed = w;
        return 1;
}

void dir_index_end_listing(DirIndex *x) {
        if (x->listing)
                closedir(x->listing);
        x->listing = NULL;
        x->listed = waiting_directories_end(&x->waiting, x->listed);
}

static bool may_be_directory(const struct dirent *e) {
        if (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN)
                return false;
        return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Some names of the listing. Return: 1 there may be more, 0 that was all, -ENOMEM. */
static int list_some(DirIndex *x) {
        DirNode *n = waiting_node(x, x->listed);

        if (!n)
                return 0; /* it has been removed */
        for (size_t i = 0; i < LIST_MAX_NAMES; i++) {
                struct dirent *e;
                int r;

                errno = 0;
                e = readdir(x->listing);
                if (!e) {
                        if (errno != 0 && !dir_index_is_no_directory(-errno))
                                dir_index_note_gap(x, -errno, n, "", 0);
                        return 0;
                }
                r = 0;
                if (may_be_directory(e))
                        r = dir_index_add(x, dirfd(x->listing), n, e->d_name, x->listed);
                if (r < 0)
                        return r;
        }
        return 1;
}

int dir_index_walk(DirIndex *x, uint64_t until_nsec) {
        int r;

        do {
                r = x->listing ? 1 : begin_listing(x);
                if (r == 0)
                        break;
                if (r == -EAGAIN)
                        continue;
                if (r > 0)
                        r = list_some(x);
                if (r <= 0)
                        dir_index_end_listing(x);
                if (r < 0)
                        return r;
        } while (clock_now_nsec(CLOCK_MONOTONIC) < until_nsec);

        if (waiting_directories_has_next(&x->waiting) || x->listing)
                return 1;
        return waiting_directories_retry_astray(&x->waiting) ? 1 : 0;
}
