/* SPDX-License-Identifier: MIT */

/*
 * See random_worker.h.
 *
 * One limit of the kernel is kept out of the way on purpose (kernel.md, section 2): an event about
 * the same object at the same names by the same process as one that still waits in the queue is
 * merged into that one, and happens in its place.
 * - What is moved or linked gets a name that never was before, unless it replaces something. Making
 *   and unlinking one name over and over is done: each time another object is at that name.
 * - Whoever changed the mode or the time of a file does not unlink it: that would seem to have
 *   happened when it was changed.
 * - What a rename destroyed is told by events without a name.  So each process moves, replaces or
 *   exchanges an object only if it has not caused such an event of it before: has not moved it,
 * given it or taken it a name, nor changed the mode of a directory.
 */

#include "random_worker.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "process.h"
#include "random_hand.h"

#define LIVE_MAX 120
#define DEPTH_MAX 200
#define CHAIN_MAX 24
static void do_make_file(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);

        random_make(h, &d, random_new_name(h), S_IFREG);
}

static void do_make_directory(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);

        random_make(h, &d, random_new_name(h), S_IFDIR);
}

static void do_make_symlink(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);

        random_make(h, &d, random_new_name(h), S_IFLNK);
}

/* One directory in the other. */
static void do_make_chain(RandomHand *h) {
        RandomDirectory d = random_somewhere(h);

        for (size_t i = 0; i < CHAIN_MAX; i++) {
                RandomId name = random_new_name(h);
                RandomDirectory next = {.fd = -1};
                bool is_open;

                if (!random_make(h, &d, name, S_IFDIR))
                        break;
                is_open = random_directory_open(&next,
                                                random_open(d.fd, name, O_RDONLY | O_DIRECTORY));
                random_directory_done(&d);
                d = next;
                if (!is_open)
                        break;
                random_let_others(h);
        }
        random_directory_done(&d);
}

static void do_link(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory from = random_somewhere(h);
        _cleanup_random_directory_ RandomDirectory to = random_somewhere(h);
        const RandomEntry *e = random_pick(h, &from, false);
        _cleanup_close_ int fd = e ? random_open(from.fd, e->name, O_PATH) : -1;

        random_link(h, fd, &to, random_new_name(h), false);
}

/* A file without a name: it gets one, or vanishes without having had one. */
static void do_temporary_file(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);
        _cleanup_close_ int fd = random_make_nameless(h, &d);

        if (fd >= 0 && random_below(h, 2) == 0)
                random_link(h, fd, &d, random_new_name(h), true);
}

/* Nothing of this makes anything vanish. */
static void do_change(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);
        const RandomEntry *e = random_pick_any(h, &d);

        if (e)
                random_change(h, &d, e->name);
}

/* Opens something, and keeps it open while it is moved and removed. */
static void do_hold(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);
        const RandomEntry *e = random_pick_any(h, &d);
        size_t i = h->n_held % RANDOM_HELD_MAX;

        if (!e)
                return;
        if (h->n_held++ >= RANDOM_HELD_MAX)
                cleanup_close(&h->held[i]);
        h->held[i] = random_open(d.fd, e->name, O_RDONLY | O_NONBLOCK);
}

static void do_unlink(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);
        const RandomEntry *e = random_pick(h, &d, false);

        if (e)
                random_take_away(h, &d, e->name, 0);
}

static void do_rmdir(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);
        const RandomEntry *e = random_pick(h, &d, true);

        if (e)
                random_take_away(h, &d, e->name, AT_REMOVEDIR);
}

/* rm -rf, as rm does it: by descriptors, whatever the directories are called meanwhile. */
static void remove_all(RandomHand *h, const RandomDirectory *d, size_t depth) {
        for (size_t i = 0; i < d->n_entries; i++) {
                const RandomEntry *e = &d->entries[i];
                _cleanup_random_directory_ RandomDirectory inner = {.fd = -1};

                if (e->is_directory && depth < DEPTH_MAX &&
                    random_directory_open(&inner,
                                          random_open(d->fd, e->name, O_RDONLY | O_DIRECTORY)))
                        remove_all(h, &inner, depth + 1);
                random_take_away(h, d, e->name, e->is_directory ? AT_REMOVEDIR : 0);
                random_let_others(h);
        }
}

static void do_remove_tree(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);

        if (RANDOM_OWNER(d.id) != 0)
                remove_all(h, &d, 0);
}

/* One name again and again: each time another file. */
static void do_churn(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);
        RandomId name = random_new_name(h);

        for (size_t i = 0; i < 10; i++) {
                if (!random_make(h, &d, name, S_IFREG) || !random_take_away(h, &d, name, 0))
                        break;
                if (i % 4 == 3)
                        random_let_others(h);
        }
}

static void do_move(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory from = random_somewhere(h),
                                                   to = random_somewhere(h);
        const RandomEntry *e = random_pick_any(h, &from);

        if (e)
                random_move(h, &from, e->name, &to, random_new_name(h),
                            random_below(h, 3) ? 0 : RENAME_NOREPLACE);
}

/* Over a file, or over a directory, which must be empty; or in vain. */
static void do_move_over(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory from = random_somewhere(h),
                                                   to = random_somewhere(h);
        const RandomEntry *e = random_pick_any(h, &from),
                          *victim = e ? random_pick_own(h, &to, e->is_directory) : NULL;
        RandomId name = victim ? victim->name : random_new_name(h);

        if (!e)
                return;
        if (!victim && !random_make(h, &to, name, e->is_directory ? S_IFDIR : S_IFREG))
                return;
        random_let_others(h);
        random_move(h, &from, e->name, &to, name, random_below(h, 6) ? 0 : RENAME_NOREPLACE);
}

/* Something new with something old, which never comes back to a name that it had. */
static void do_exchange(RandomHand *h) {
        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h),
                                                   other = random_somewhere(h);
        const RandomEntry *e = random_pick_any(h, &other);
        RandomId name = random_new_name(h);

        if (!e || !random_make(h, &d, name, random_below(h, 2) ? S_IFDIR : S_IFREG))
                return;
        random_let_others(h);
        if (random_below(h, 2))
                random_move(h, &d, name, &other, e->name, RENAME_EXCHANGE);
        else
                random_move(h, &other, e->name, &d, name, RENAME_EXCHANGE);
}

static const struct {
        void (*function)(RandomHand *h);
        unsigned weight;
        bool is_making;
} whims[] = {
        {do_make_file, 24, true},   {do_make_directory, 16, true},
        {do_make_symlink, 3, true}, {do_make_chain, 1, true},
        {do_link, 6, true},         {do_temporary_file, 4, true},
        {do_churn, 3, true},        {do_change, 6, false},
        {do_hold, 6, false},        {do_unlink, 22, false},
        {do_rmdir, 8, false},       {do_remove_tree, 2, false},
        {do_move, 16, false},       {do_move_over, 12, false},
        {do_exchange, 4, false},
};

#define N_WHIMS (sizeof(whims) / sizeof(*whims))

static void follow_whim(RandomHand *h) {
        size_t n = 0, i = 0;

        for (size_t k = 0; k < N_WHIMS; k++)
                n += whims[k].weight;
        n = random_below(h, n);
        while (n >= whims[i].weight)
                n -= whims[i++].weight;
        if (!whims[i].is_making || h->n_live < LIVE_MAX)
                whims[i].function(h);
}

static void work(void *userdata) {
        RandomHand *h = userdata;

        h->changed = calloc(RANDOM_CHANGED_MAX, sizeof(*h->changed));
        if (!h->changed)
                _exit(EXIT_FAILURE);
        umask(0);
        if (h->stage->is_serial)
                random_await_turn(h);
        for (size_t i = 0; i < h->stage->n_steps; i++) {
                follow_whim(h);
                random_let_others(h);
        }
        h->stage->is_over[h->i] = true;
        if (h->stage->is_serial)
                random_pass_turn(h->stage);
}

static RandomHand *hand_new(RandomStage *stage, unsigned i) {
        RandomHand *h = calloc(1, sizeof(*h));

        harness_assert(h, "out of memory");
        h->stage = stage;
        h->log = stage->logs[i];
        h->i = i;
        h->random = stage->seed + i;
        h->random = random_next(&h->random);
        h->n_names = h->n_objects = stage->n_lower;
        return h;
}

void random_workers_fill(RandomStage *stage, uint32_t n) {
        for (unsigned i = 0; i < stage->n_workers; i++) {
                RandomHand *h = hand_new(stage, i);

                umask(0);
                for (uint32_t k = 0; k < n; k++) {
                        _cleanup_random_directory_ RandomDirectory d = random_somewhere(h);

                        harness_assert(random_make(h, &d, random_new_name(h),
                                                   random_below(h, 3) ? S_IFREG : S_IFDIR),
                                       "cannot fill the lower layer: %m");
                        /* Above, what is told of it has the inode of the copy, if any. */
                        h->log->ops[k].inode = 0;
                        h->log->ops[k].is_lower = true;
                }
                umask(022);
                free(h);
        }
        stage->n_lower = n;
}

void random_worker_start(RandomStage *stage, unsigned i) {
        RandomHand *h = hand_new(stage, i);

        h->log->pid = process_fork(work, h);
        free(h);
}

void random_workers_begin(RandomStage *stage) {
        if (stage->is_serial)
                random_pass_turn(stage);
}
