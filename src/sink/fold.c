/* SPDX-License-Identifier: MIT */

/*
 * A second begins with a process's first deletion behind the second before; so a storm that goes on
 * has its first entries of each second told one by one, as a sample.
 *
 * Which second a deletion is of says the time at which it was read; that a process is quiet says
 * the clock.  They are apart while the journal is slow.
 *
 * Limits: a fold names the process as it was at the first deletion in it; a new one begins when it
 * has become another program or user.  After a crash what was in a fold that was not written is
 * told anew, perhaps in folds that are cut otherwise.
 */

#include "sink/fold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define N_WAYS 4
#define N_SETS (FOLD_PROCESSES_MAX / N_WAYS)

typedef struct FoldWindow {
        uint64_t serial;     /* of the process; 0: free */
        uint64_t since_nsec; /* realtime, of the first deletion of this second */
        uint64_t seen_nsec;  /* monotonic, of the last */
        uint64_t n_told;     /* of this second, one by one */
        /* The fold, if .fold.n_entries > 0: */
        RecordFold fold;
        RecordKey key;
        uint64_t ticket;
        Deleter *deleter;
        Buffer directory, first, last;
} FoldWindow;

struct Fold {
        uint64_t n_plain;
        size_t n_open;     /* windows with a fold */
        FoldWindow *ended; /* one of them that has to go before the next record; NULL none */
        FoldWindow windows[N_SETS][N_WAYS];
        FoldWindow told; /* what fold_next() has handed out: backing of the record */
};

int fold_new(uint64_t n_plain, Fold **ret_fold) {
        Fold *f = calloc(1, sizeof(*f));

        if (!f)
                return -ENOMEM;
        f->n_plain = n_plain;
        *ret_fold = f;
        return 0;
}

static void forget_told(Fold *f) {
        f->told.deleter = deleter_unref(f->told.deleter);
}

static void window_done(FoldWindow *w) {
        deleter_unref(w->deleter);
        buffer_done(&w->directory);
        buffer_done(&w->first);
        buffer_done(&w->last);
}

Fold *fold_free(Fold *f) {
        if (!f)
                return NULL;
        for (size_t i = 0; i < N_SETS; i++)
                for (size_t j = 0; j < N_WAYS; j++)
                        window_done(&f->windows[i][j]);
        window_done(&f->told);
        free(f);
        return NULL;
}

static bool strings_are_equal(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

/* Would both be told of as the same program of the same user? */
static bool is_same_work(const Deleter *a, const Deleter *b) {
        const ProcessFacts *f = a->process.facts, *g = b->process.facts;

        if (f == g)
                return true;
        return f && g && strings_are_equal(f->executable, g->executable) &&
               strings_are_equal(f->name, g->name) && f->has_ids == g->has_ids &&
               f->ids.effective_uid == g->ids.effective_uid && f->login_uid == g->login_uid;
}

/* Of this process, or else a free one, or else the one that has been quiet for longest. */
static FoldWindow *find(Fold *f, uint64_t serial) {
        FoldWindow *set = f->windows[serial % N_SETS], *oldest = &set[0];

        for (size_t i = 0; i < N_WAYS; i++)
                if (set[i].serial == serial)
                        return &set[i];
        for (size_t i = 0; i < N_WAYS; i++) {
                if (set[i].serial == 0)
                        return &set[i];
                if (set[i].seen_nsec < oldest->seen_nsec)
                        oldest = &set[i];
        }
        return oldest;
}

/* Bytes of the path that both are in or below; whole components. */
static size_t common_length(const Buffer *a, const char *b, size_t n_b) {
        size_t n = 0, n_common = 0;

        while (n < a->n_bytes && n < n_b && a->bytes[n] == b[n]) {
                if (b[n] == '/')
                        n_common = n;
                n++;
        }
        if ((n == a->n_bytes || a->bytes[n] == '/') && (n == n_b || b[n] == '/'))
                n_common = n;
        /* Of "/a" and "/b" it is "/". */
        return n_common > 0 ? n_common : 1;
}

static void add_directory(FoldWindow *w, const Record *r) {
        const RecordPath *p = &r->path;

        if (!p->directory)
                return;
        if (w->directory.n_bytes == 0)
                buffer_append(&w->directory, p->directory, p->n_directory);
        else
                w->directory.n_bytes = common_length(&w->directory, p->directory, p->n_directory);
}

static int begin_fold(Fold *f, FoldWindow *w, const Record *r, uint64_t ticket) {
        buffer_clear(&w->directory);
        buffer_clear(&w->first);
        buffer_clear(&w->last);
        record_path_append(&r->path, &w->first);
        /* What comes later is mostly as long: then it cannot fail. */
        add_directory(w, r);
        if (w->first.is_failed || w->directory.is_failed)
                return -ENOMEM;
        w->deleter = deleter_ref((Deleter *)(uintptr_t)r->deleter);
        w->key = r->key;
        w->ticket = ticket;
        w->fold = (RecordFold){.since_nsec = r->realtime_nsec};
        f->n_open++;
        return 0;
}

static int add(Fold *f, FoldWindow *w, const Record *r, uint64_t ticket) {
        int error;

        if (w->fold.n_entries == 0) {
                error = begin_fold(f, w, r, ticket);
                if (error < 0)
                        return error;
        } else {
                add_directory(w, r);
        }
        buffer_clear(&w->last);
        record_path_append(&r->path, &w->last);
        w->fold.n_entries++;
        if (r->is_directory)
                w->fold.n_directories++;
        else
                w->fold.n_files++;
        w->fold.n_moves += r->action == RECORD_MOVE;
        w->fold.n_overwrites += r->action == RECORD_OVERWRITE;
        /* Those of another filesystem may come a little late. */
        if (r->realtime_nsec < w->fold.since_nsec)
                w->fold.since_nsec = r->realtime_nsec;
        if (r->realtime_nsec > w->fold.until_nsec)
                w->fold.until_nsec = r->realtime_nsec;
        return 1;
}

/* Ends the second; a fold of it goes to where fold_next() finds it first. */
static void end_second(Fold *f, FoldWindow *w) {
        if (w->fold.n_entries > 0)
                f->ended = w;
}

static bool is_of_second(const FoldWindow *w, uint64_t realtime_nsec) {
        uint64_t distance = realtime_nsec > w->since_nsec ? realtime_nsec - w->since_nsec
                                                          : w->since_nsec - realtime_nsec;

        return distance < CLOCK_NSEC_PER_SEC;
}

int fold_take(Fold *f, const Record *r, uint64_t now_nsec, uint64_t ticket) {
        const uint64_t serial = r->deleter->process.serial;
        FoldWindow *w;

        if (serial == 0)
                return 0;
        w = find(f, serial);
        if (w->serial != serial || !is_of_second(w, r->realtime_nsec)) {
                end_second(f, w);
                w->serial = serial;
                w->since_nsec = r->realtime_nsec;
                w->n_told = 0;
        }
        w->seen_nsec = now_nsec;
        if (w->n_told < f->n_plain) {
                w->n_told++;
                return 0;
        }
        if (w->fold.n_entries > 0 && !is_same_work(w->deleter, r->deleter)) {
                end_second(f, w);
                return 0;
        }
        return add(f, w, r, ticket);
}

/* Moves the fold out of its window, which goes on counting. */
static void hand_out(Fold *f, FoldWindow *w, Record *ret) {
        FoldWindow *t = &f->told;
        FoldWindow before = *t;

        t->deleter = w->deleter;
        t->directory = w->directory;
        t->first = w->first;
        t->last = w->last;
        t->fold = w->fold;
        w->deleter = NULL;
        w->directory = before.directory;
        w->first = before.first;
        w->last = before.last;
        w->fold = (RecordFold){0};
        f->n_open--;
        t->fold.common_directory = t->directory.n_bytes > 0 ? t->directory.bytes : NULL;
        t->fold.n_common_directory = t->directory.n_bytes;
        t->fold.first = t->first.bytes;
        t->fold.n_first = t->first.n_bytes;
        t->fold.last = t->last.bytes;
        t->fold.n_last = t->last.n_bytes;
        *ret = (Record){
                .action = RECORD_FOLD,
                .realtime_nsec = t->fold.until_nsec,
                .key = w->key,
                .deleter = t->deleter,
                .fold = &t->fold,
        };
        ret->key.is_fold = true;
}

static bool is_quiet(const FoldWindow *w, uint64_t now_nsec) {
        return w->fold.n_entries > 0 &&
               (now_nsec == UINT64_MAX || now_nsec >= w->seen_nsec + CLOCK_NSEC_PER_SEC);
}

int fold_next(Fold *f, uint64_t now_nsec, Record *ret_record) {
        FoldWindow *w = f->ended;

        forget_told(f);
        f->ended = NULL;
        for (size_t i = 0; i < FOLD_PROCESSES_MAX && !w && f->n_open > 0; i++)
                if (is_quiet(&f->windows[i / N_WAYS][i % N_WAYS], now_nsec))
                        w = &f->windows[i / N_WAYS][i % N_WAYS];
        if (!w)
                return 0;
        hand_out(f, w, ret_record);
        return 1;
}

uint64_t fold_oldest_ticket(const Fold *f) {
        uint64_t oldest = UINT64_MAX;

        for (size_t i = 0; i < FOLD_PROCESSES_MAX && f->n_open > 0; i++) {
                const FoldWindow *w = &f->windows[i / N_WAYS][i % N_WAYS];

                if (w->fold.n_entries > 0 && w->ticket < oldest)
                        oldest = w->ticket;
        }
        return oldest;
}

uint64_t fold_due_nsec(const Fold *f) {
        uint64_t due = UINT64_MAX;

        for (size_t i = 0; i < FOLD_PROCESSES_MAX && f->n_open > 0; i++) {
                const FoldWindow *w = &f->windows[i / N_WAYS][i % N_WAYS];

                if (w->fold.n_entries > 0 && w->seen_nsec + CLOCK_NSEC_PER_SEC < due)
                        due = w->seen_nsec + CLOCK_NSEC_PER_SEC;
        }
        return due;
}
