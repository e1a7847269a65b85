/* SPDX-License-Identifier: MIT */

/*
 * The thread shares nothing with its owner but a ring of questions, as that of user names does.  A
 * question has a copy of the deleter of its own, since references to deleters are counted by the
 * main loop alone.
 *
 * It has a table of descriptors of its own, too: for the time of each read of events the limit of
 * open files is down (pidfd_budget.h), and a file that could not be opened is a cause that is not
 * found.
 *
 * What is known is kept by deleter, and where causes differ from file to file by file, too; or by
 * directory, if what the cause says is about all that is in there.
 *
 * Limits: the thread does one look-up at a time, so one that takes long makes others late.
 */

#include "explain/explainer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash_table.h"
#include "base/path.h"
#include "base/thread.h"

/* Most answers are there by then, and a pause of the main loop takes longer. */
#define SHORT_WAIT_NSEC CLOCK_NSEC_PER_MSEC
/* Whoever cannot come back waits here. */
#define HASTY_WAIT_NSEC (20 * CLOCK_NSEC_PER_MSEC)

typedef struct Question {
        Deleter *deleter; /* owned */
        char *path;       /* owned; NULL: not needed, or not known */
        bool is_directory;
        uint64_t at_nsec;
        uint64_t key;
        Cause cause; /* the answer */
        bool has_cause;
} Question;

typedef enum AnswerState {
        ANSWER_NONE,
        ANSWER_ASKED,
        ANSWER_THERE,
} AnswerState;

typedef struct Answer {
        uint64_t key;
        AnswerState state;
        uint64_t asked_nsec;
        Cause cause;
        bool has_cause;
} Answer;

/* What was found out of a deleter without asking. */
typedef struct Scope {
        uint64_t deleter_id;
        ExplainScope scope;
} Scope;

struct Explainer {
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t is_asked, is_answered;

        /* Behind the lock; the counts only ever grow, and taken <= answered <= asked. */
        Question ring[EXPLAINER_QUESTIONS_MAX];
        size_t n_asked, n_taken;
        atomic_size_t n_answered; /* also read without the lock */
        bool is_busy;
        bool is_stopping;

        Explain *explain; /* the thread's, as long as that runs */
        int root_fd;

        /* The owner's. */
        Answer answers[EXPLAINER_ANSWERS_MAX];
        Scope scopes[EXPLAINER_ANSWERS_MAX];
        uint64_t budget_nsec, budget_since_nsec; /* that may still be waited, and since when */
        uint64_t waits_since_nsec;               /* a record is held back; 0 none */
        uint64_t progress_nsec;                  /* when the last answer came, or was asked for */
        ExplainerCounters counters;
};

/* By whom the ring's deleters can be let go of. */
static Deleter *copy_deleter(const Deleter *d) {
        const size_t n_bytes = sizeof(*d) + d->n_ancestors * sizeof(ProcessView);
        Deleter *copy = malloc(n_bytes);

        if (!copy)
                return NULL;
        memcpy(copy, d, n_bytes);
        copy->n_refs = 1;
        process_facts_ref(copy->process.facts);
        for (size_t i = 0; i < copy->n_ancestors; i++)
                process_facts_ref(copy->ancestors[i].facts);
        return copy;
}

static void question_done(Question *q) {
        deleter_unref(q->deleter);
        free(q->path);
        cause_done(&q->cause);
        *q = (Question){0};
}

static void explainer_destroy(Explainer *e) {
        for (size_t i = e->n_taken; i < e->n_asked; i++)
                question_done(&e->ring[i % EXPLAINER_QUESTIONS_MAX]);
        for (size_t i = 0; i < EXPLAINER_ANSWERS_MAX; i++)
                cause_done(&e->answers[i].cause);
        explain_free(e->explain);
        pthread_cond_destroy(&e->is_answered);
        pthread_cond_destroy(&e->is_asked);
        pthread_mutex_destroy(&e->lock);
        free(e);
}

/* Called and left with the lock. Return: false the owner is gone, and nobody else has it now. */
static bool answer_next(Explainer *e) {
        Question *q = &e->ring[e->n_answered % EXPLAINER_QUESTIONS_MAX];
        const ExplainedPath path = {q->path, q->is_directory, q->at_nsec};
        Cause cause = {0};
        int r;

        e->is_busy = true;
        pthread_mutex_unlock(&e->lock);
        r = explain_find(e->explain, q->deleter, &path, &cause);
        pthread_mutex_lock(&e->lock);
        e->is_busy = false;
        q->cause = cause;
        q->has_cause = r > 0;
        atomic_fetch_add_explicit(&e->n_answered, 1, memory_order_release);
        pthread_cond_signal(&e->is_answered);
        return !e->is_stopping;
}

/* Its descriptors are numbers of this thread's table, and are closed here. */
static void end(Explainer *e) {
        e->explain = explain_free(e->explain);
}

/* What others have open stays out of it, also in the time in which the limit is down. */
static void unshare_descriptors(int root_fd) {
        if (thread_unshare_descriptors() <= 0)
                return;
        if (root_fd > STDERR_FILENO + 1)
                (void)syscall(SYS_close_range, STDERR_FILENO + 1, root_fd - 1, 0);
        (void)syscall(SYS_close_range, root_fd > STDERR_FILENO ? root_fd + 1 : STDERR_FILENO + 1,
                      ~0U, 0);
}

static void *explainer_main(void *userdata) {
        Explainer *e = userdata;

        unshare_descriptors(e->root_fd);
        pthread_mutex_lock(&e->lock);
        for (;;) {
                while (e->n_answered == e->n_asked && !e->is_stopping)
                        pthread_cond_wait(&e->is_asked, &e->lock);
                if (e->is_stopping)
                        break;
                if (!answer_next(e)) {
                        pthread_mutex_unlock(&e->lock);
                        end(e);
                        explainer_destroy(e);
                        return NULL;
                }
        }
        pthread_mutex_unlock(&e->lock);
        end(e);
        return NULL;
}

int explainer_new(const ExplainOptions *options, Explainer **ret_explainer) {
        Explainer *e = calloc(1, sizeof(*e));
        pthread_condattr_t attributes;
        int r;

        if (!e)
                return -ENOMEM;
        pthread_mutex_init(&e->lock, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&e->is_asked, NULL);
        pthread_cond_init(&e->is_answered, &attributes);
        pthread_condattr_destroy(&attributes);
        atomic_init(&e->n_answered, 0);
        e->budget_nsec = EXPLAINER_WAIT_NSEC;
        e->budget_since_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        e->root_fd = options->root_fd;
        r = explain_new(options, &e->explain);
        if (r >= 0)
                r = thread_start(&e->thread, NULL, "causes", explainer_main, e);
        if (r < 0) {
                explainer_destroy(e);
                return r;
        }
        *ret_explainer = e;
        return 0;
}

Explainer *explainer_free(Explainer *e) {
        pthread_t thread;
        bool is_busy;

        if (!e)
                return NULL;
        pthread_mutex_lock(&e->lock);
        thread = e->thread;
        is_busy = e->is_busy;
        e->is_stopping = true;
        if (is_busy)
                pthread_detach(thread); /* and from the unlock on, e is the thread's */
        else
                pthread_cond_signal(&e->is_asked);
        pthread_mutex_unlock(&e->lock);
        if (!is_busy) {
                pthread_join(thread, NULL);
                explainer_destroy(e);
        }
        return NULL;
}

ExplainerCounters explainer_counters(const Explainer *e) {
        return e->counters;
}

static Answer *answer_at(Explainer *e, uint64_t key) {
        return &e->answers[hash_u64(key) % EXPLAINER_ANSWERS_MAX];
}

ExplainScope explainer_scope(Explainer *e, const Deleter *d) {
        Scope *s = &e->scopes[d->id % EXPLAINER_ANSWERS_MAX];

        if (s->deleter_id != d->id || d->id == 0)
                *s = (Scope){.deleter_id = d->id, .scope = explain_scope(d)};
        return s->scope;
}

static uint64_t key_of_path(const Deleter *d, const char *path, size_t n_path) {
        return hash_u64(d->id) ^ hash_bytes(path, n_path);
}

static void forget(Answer *a) {
        cause_done(&a->cause);
        *a = (Answer){0};
}

/*
 * Is it as true of the other files of its directory: cleaning by age, that of tmpfiles.d?  What is
 * said of this very file, such as how to keep it, is not.
 */
static bool is_about_directory(const Question *q) {
        static const char types[] = "dDevqQ";
        const Cause *c = &q->cause;

        return q->has_cause && q->path && !q->is_directory && c->type == CAUSE_TMPFILES &&
               c->rule && strchr(types, c->rule[0]) && c->explanation &&
               !strstr(c->explanation, q->path);
}

static Answer *make_room(Explainer *e, uint64_t key) {
        Answer *a = answer_at(e, key);

        if (a->state != ANSWER_NONE && a->key != key)
                e->counters.n_evicted++;
        forget(a);
        a->key = key;
        return a;
}

/* The same for the directory that it was in. */
static void keep_for_directory(Explainer *e, const Question *q) {
        const size_t n = path_directory_length(q->path, strlen(q->path));
        Answer *a = make_room(e, key_of_path(q->deleter, q->path, n) + 1);

        a->state = ANSWER_THERE;
        a->has_cause = cause_copy(&q->cause, &a->cause) >= 0;
        if (!a->has_cause)
                forget(a);
}

static void take_answer(Explainer *e, Question *q) {
        Answer *a = answer_at(e, q->key);

        if (is_about_directory(q))
                keep_for_directory(e, q);
        /* Nobody waits for it any more, if it had to make room. */
        if (a->state == ANSWER_ASKED && a->key == q->key) {
                a->state = ANSWER_THERE;
                a->cause = q->cause;
                a->has_cause = q->has_cause;
                q->cause = (Cause){0};
        }
        question_done(q);
}

/* @until_nsec: monotonic; 0: does not wait */
static void take_answers(Explainer *e, uint64_t until_nsec) {
        const struct timespec until = {
                .tv_sec = (time_t)(until_nsec / CLOCK_NSEC_PER_SEC),
                .tv_nsec = (long)(until_nsec % CLOCK_NSEC_PER_SEC),
        };
        size_t n_answered = atomic_load_explicit(&e->n_answered, memory_order_acquire);
        int r = 0;

        if (n_answered == e->n_taken && until_nsec == 0)
                return;
        pthread_mutex_lock(&e->lock);
        while (e->n_answered == e->n_taken && until_nsec > 0 && r == 0)
                r = pthread_cond_timedwait(&e->is_answered, &e->lock, &until);
        n_answered = e->n_answered;
        pthread_mutex_unlock(&e->lock);
        /* Up to there the ring is the owner's. */
        if (n_answered != e->n_taken)
                e->progress_nsec = clock_now_nsec(CLOCK_MONOTONIC);
        for (size_t i = e->n_taken; i < n_answered; i++)
                take_answer(e, &e->ring[i % EXPLAINER_QUESTIONS_MAX]);
        pthread_mutex_lock(&e->lock);
        e->n_taken = n_answered;
        pthread_mutex_unlock(&e->lock);
}

/* Takes the question. Return: 0, -ENOBUFS too many. */
static int ask(Explainer *e, Question *q) {
        int r = 0;

        pthread_mutex_lock(&e->lock);
        if (e->n_asked - e->n_taken >= EXPLAINER_QUESTIONS_MAX) {
                r = -ENOBUFS;
        } else {
                if (e->n_answered == e->n_asked)
                        e->progress_nsec = clock_now_nsec(CLOCK_MONOTONIC);
                e->ring[e->n_asked++ % EXPLAINER_QUESTIONS_MAX] = *q;
                pthread_cond_signal(&e->is_asked);
        }
        pthread_mutex_unlock(&e->lock);
        if (r < 0) {
                question_done(q);
                e->counters.n_refused++;
        } else {
                e->counters.n_asked++;
        }
        return r;
}

static void begin(Explainer *e, const Deleter *d, uint64_t key, const ExplainedPath *path) {
        Question q = {.key = key, .deleter = copy_deleter(d)};
        Answer *a;

        if (path && path->path) {
                q.path = strdup(path->path);
                q.is_directory = path->is_directory;
                q.at_nsec = path->at_nsec;
        }
        if (!q.deleter || (path && path->path && !q.path)) {
                if (q.deleter)
                        question_done(&q);
                return;
        }
        if (ask(e, &q) < 0)
                return;
        a = make_room(e, key);
        a->state = ANSWER_ASKED;
        a->asked_nsec = clock_now_nsec(CLOCK_MONOTONIC);
}

void explainer_begin(Explainer *e, const Deleter *d) {
        const Answer *a = answer_at(e, d->id);

        if (explainer_scope(e, d) != EXPLAIN_PROCESS ||
            (a->state != ANSWER_NONE && a->key == d->id))
                return;
        take_answers(e, 0);
        begin(e, d, d->id, NULL);
}

/* What may be waited grows with the time. */
static void refill(Explainer *e, uint64_t now) {
        e->budget_nsec += (now - e->budget_since_nsec) / EXPLAINER_WAIT_SHARE;
        if (e->budget_nsec > EXPLAINER_WAIT_NSEC)
                e->budget_nsec = EXPLAINER_WAIT_NSEC;
        e->budget_since_nsec = now;
}

/* From when the record was held back until now. */
static void spend(Explainer *e) {
        uint64_t spent;

        if (e->waits_since_nsec == 0)
                return;
        spent = clock_now_nsec(CLOCK_MONOTONIC) - e->waits_since_nsec;
        e->budget_nsec -= spent < e->budget_nsec ? spent : e->budget_nsec;
        e->waits_since_nsec = 0;
}

static bool is_there(const Answer *a, uint64_t key) {
        return a->key == key && a->state == ANSWER_THERE;
}

static bool is_asked(const Answer *a, uint64_t key) {
        return a->key == key && a->state == ANSWER_ASKED;
}

/* Return: as explainer_find(). */
static int wait_for(Explainer *e, const Answer *a, uint64_t key, bool is_hasty) {
        uint64_t now = clock_now_nsec(CLOCK_MONOTONIC), end;

        refill(e, now);
        /* A look-up that hangs is not waited for again and again by those behind it. */
        if (now > e->progress_nsec + EXPLAINER_WAIT_NSEC || e->budget_nsec == 0)
                end = 0;
        else
                end = a->asked_nsec + EXPLAINER_WAIT_NSEC;
        if (now < end) {
                uint64_t wait = is_hasty ? HASTY_WAIT_NSEC : SHORT_WAIT_NSEC;

                if (e->waits_since_nsec == 0)
                        e->waits_since_nsec = now;
                take_answers(e, now + wait < end ? now + wait : end);
                spend(e);
                if (is_there(a, key))
                        return 0;
                now = clock_now_nsec(CLOCK_MONOTONIC);
                if (!is_hasty && now < end && e->budget_nsec > 0) {
                        e->waits_since_nsec = now;
                        return -EAGAIN;
                }
        }
        spend(e);
        e->counters.n_late++;
        return -ETIME;
}

/* The key of what is known or asked of this deletion. */
static uint64_t choose_key(Explainer *e, const Deleter *d, const ExplainedPath *path) {
        const size_t n = path->path ? strlen(path->path) : 0;
        uint64_t key;

        if (explainer_scope(e, d) == EXPLAIN_PROCESS || n == 0)
                return d->id;
        key = key_of_path(d, path->path, path_directory_length(path->path, n)) + 1;
        if (!path->is_directory && is_there(answer_at(e, key), key))
                return key;
        return key_of_path(d, path->path, n);
}

int explainer_find(Explainer *e, const Deleter *d, const ExplainedPath *path, bool is_hasty,
                   const Cause **ret_cause) {
        const ExplainScope scope = explainer_scope(e, d);
        uint64_t key;
        Answer *a;
        int r = 0;

        if (scope == EXPLAIN_NONE)
                return 0;
        take_answers(e, 0);
        key = choose_key(e, d, path);
        a = answer_at(e, key);
        if (is_there(a, key)) {
                e->counters.n_kept++;
                spend(e);
        } else {
                if (!is_asked(a, key))
                        begin(e, d, key, scope == EXPLAIN_PATH ? path : NULL);
                if (!is_asked(a, key)) {
                        e->counters.n_late++;
                        return -ETIME;
                }
                r = wait_for(e, a, key, is_hasty);
        }
        if (r >= 0 && a->has_cause) {
                *ret_cause = &a->cause;
                r = 1;
        }
        return r;
}
