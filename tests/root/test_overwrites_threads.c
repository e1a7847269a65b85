/* SPDX-License-Identifier: MIT */

/*
 * Threads of one process that rename, link and unlink at once, each in a directory of its own, so
 * that no lock of the kernel keeps their events apart: they have one pid, and the event that tells
 * what a rename destroyed has no name.
 *
 * What is said must be true: an overwrite destroyed what it says, and a move that destroyed
 * something says that this is not known.  With one thread nothing may be left open.
 */

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "monitor.h"
#include "process.h"
#include "record.h"

#define THREADS_MAX 4
#define N_ROUNDS 2000

typedef enum Deed {
        DEED_MOVE,          /* to a name where nothing is */
        DEED_OVERWRITE,     /* the last name of a file */
        DEED_OVERWRITE_TWO, /* one of two names, given by another process */
        DEED_UNLINK,
        DEED_LINK,
        N_DEEDS,
} Deed;

/* What one thread does, in shared memory. */
typedef struct Hand {
        pthread_t thread;
        const char *directory;
        size_t n;
        unsigned i;
        uint64_t *inodes; /* of what each deed destroyed */
        unsigned *n_told;
} Hand;

static Deed deed_of(const Hand *h, size_t k) {
        return (Deed)((k * 7 + h->i * 3 + k / 11) % N_DEEDS);
}

static void name(const Hand *h, size_t k, char prefix, char ret[static 128]) {
        snprintf(ret, 128, "%s/%c%zu", h->directory, prefix, k);
}

static bool is_overwrite(Deed d) {
        return d == DEED_OVERWRITE || d == DEED_OVERWRITE_TWO;
}

/* By the test, before: so that the threads themselves cause no event about a file twice. */
static void prepare(Hand *h) {
        char from[128], to[128], other[128];
        struct stat st;

        for (size_t k = 0; k < h->n; k++) {
                name(h, k, 's', from);
                name(h, k, 'd', to);
                name(h, k, 'o', other);
                harness_touch(from);
                if (!is_overwrite(deed_of(h, k)))
                        continue;
                harness_touch(to);
                if (deed_of(h, k) == DEED_OVERWRITE_TWO)
                        ck_assert_int_eq(link(to, other), 0);
                ck_assert_int_eq(lstat(to, &st), 0);
                h->inodes[k] = st.st_ino;
        }
}

static void *do_deeds(void *userdata) {
        Hand *h = userdata;
        char from[128], to[128];
        int r = 0;

        for (size_t k = 0; k < h->n && r == 0; k++) {
                name(h, k, 's', from);
                name(h, k, 'd', to);
                switch (deed_of(h, k)) {
                case DEED_UNLINK:
                        r = unlink(from);
                        break;
                case DEED_LINK:
                        r = link(from, to);
                        break;
                default:
                        r = rename(from, to);
                }
        }
        if (r < 0)
                _exit(EXIT_FAILURE);
        return NULL;
}

typedef struct Crew {
        size_t n;
        Hand hands[THREADS_MAX];
} Crew;

static void work(void *userdata) {
        Crew *c = userdata;

        for (size_t i = 0; i < c->n; i++)
                if (pthread_create(&c->hands[i].thread, NULL, do_deeds, &c->hands[i]) != 0)
                        _exit(EXIT_FAILURE);
        for (size_t i = 0; i < c->n; i++)
                pthread_join(c->hands[i].thread, NULL);
}

typedef struct Tally {
        size_t n_right, n_doubtful, n_wrong;
} Tally;

static void judge(const Hand *h, size_t k, struct json_object *record, Tally *t) {
        const char *action = record_string(record, "event.action");
        const char *inode = record_string(record, "file.inode");
        const Deed deed = deed_of(h, k);
        const char *expected = deed == DEED_UNLINK  ? "unlink"
                               : is_overwrite(deed) ? "overwrite"
                                                    : "move";

        harness_assert(deed != DEED_LINK && ++h->n_told[k] == 1, "deed %zu was told twice", k);
        if (record_get(record, "whodunlink.overwrite_unknown")) {
                harness_assert(strcmp(action, "move") == 0 && deed != DEED_UNLINK, "%s", action);
                t->n_doubtful++;
        } else if (strcmp(action, expected) != 0 ||
                   (is_overwrite(deed) && inode && strtoull(inode, NULL, 10) != h->inodes[k])) {
                if (t->n_wrong++ < 10)
                        harness_note("%u-%zu: expected %s of %" PRIu64 "; said %s of %s", h->i, k,
                                     expected, h->inodes[k], action, inode);
        } else {
                t->n_right++;
        }
}

static Tally check(Crew *c, const Monitor *m) {
        _cleanup_reader_ RecordReader r = record_reader_new(m->output_path);
        struct json_object *record;
        Tally t = {0};

        while ((record = record_next_deletion(&r))) {
                const char *path = record_string(record, "file.path"), *at;
                unsigned i;
                size_t k;

                harness_assert(path && (at = strstr(path, "/hand")), "%s", path);
                harness_assert(sscanf(at, "/hand%u/%*1[sd]%zu", &i, &k) == 2 && i < c->n, "%s",
                               path);
                judge(&c->hands[i], k, record, &t);
        }
        for (size_t i = 0; i < c->n; i++)
                for (size_t k = 0; k < c->hands[i].n; k++)
                        harness_assert(c->hands[i].n_told[k] == 1 ||
                                               deed_of(&c->hands[i], k) == DEED_LINK,
                                       "deed %zu of thread %zu was not told", k, i);
        return t;
}

static Tally run(FsKind kind, size_t n_threads, bool is_late) {
        Filesystem fs = fs_new(kind, "fs");
        Crew *c = process_shared_alloc(sizeof(*c));
        Monitor m;
        Tally t;
        pid_t pid;

        c->n = n_threads;
        for (unsigned i = 0; i < n_threads; i++) {
                const size_t n = harness_scale(N_ROUNDS, 200);

                c->hands[i] = (Hand){.directory = harness_format("%s/hand%u", fs.path, i),
                                     .i = i,
                                     .n = n,
                                     .inodes = process_shared_alloc(n * sizeof(uint64_t)),
                                     .n_told = process_shared_alloc(n * sizeof(unsigned))};
                harness_mkdir(c->hands[i].directory);
                prepare(&c->hands[i]);
        }
        m = monitor_start(MONITOR_ARGS(fs.path));
        if (is_late)
                kill(m.pid, SIGSTOP);
        pid = process_fork(work, c);
        ck_assert_int_eq(process_wait(pid, 60), 0);
        kill(m.pid, SIGCONT);
        monitor_stop(&m);
        t = check(c, &m);
        harness_note("%s, %zu threads, read %s: %zu right, %zu left open, %zu wrong",
                     fs_kind_name(kind), n_threads, is_late ? "late" : "along", t.n_right,
                     t.n_doubtful, t.n_wrong);
        ck_assert_uint_eq(t.n_wrong, 0);
        return t;
}

START_TEST(one_thread) {
        Tally t = run(_i / 2, 1, _i % 2);

        ck_assert_uint_eq(t.n_doubtful, 0);
}
END_TEST

START_TEST(several_threads) {
        Tally t = run(_i / 2, THREADS_MAX, _i % 2);

        /* Else it could leave everything open. */
        ck_assert_uint_lt(t.n_doubtful, (t.n_right + t.n_doubtful) / 8);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, one_thread, 0, 2 * FS_KINDS);
        tcase_add_loop_test(tcase, several_threads, 0, 2 * FS_KINDS);
}

int main(void) {
        return harness_main("overwrites_threads", add_tests);
}
