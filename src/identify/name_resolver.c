/* SPDX-License-Identifier: MIT */

/*
 * A thread that asks the name service.
 *
 * It shares nothing with the rest of the program but a ring of questions, each of which keeps its
 * place until its answer was taken.  One thread, so that a service that hangs holds up one thread
 * and not hundreds; the names that come after it wait meanwhile, also those of /etc/passwd.
 *
 * It has a table of descriptors of its own, too: for the time of each read of events the limit of
 * open files is down (pidfd_budget.h), and a user without a name because /etc/passwd could not be
 * opened would be one for a minute.
 *
 * Limits: a look-up cannot be cut short.  One that fails counts as "no name".
 *
 * Source: getpwuid_r(3) and getgrgid_r(3), which list what "not found" may be.
 */

#include "identify/name_resolver.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/privilege.h"
#include "base/thread.h"

/* Beyond sysconf(_SC_GETGR_R_SIZE_MAX), which is a guess: a group brings all its members along. */
#define LOOKUP_BYTES_MIN 1024
#define LOOKUP_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct NameResolver {
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t is_asked, is_answered;

        /* Behind the lock; the counts only ever grow, and taken <= answered <= asked. */
        NameAnswer ring[NAME_RESOLVER_QUESTIONS_MAX];
        size_t n_asked, n_taken;
        atomic_size_t n_answered; /* also read without the lock */
        bool is_busy;             /* a look-up is going on */
        bool is_stopping;         /* the owner is gone, or waits for the thread's end */
};

/* Return: 0 with a name, or NULL for none, in *ret_name; ERANGE a larger buffer is needed; others.
 */
typedef int (*Lookup)(uint32_t id, char *buf, size_t n_buf, const char **ret_name);

static int lookup_user(uint32_t id, char *buf, size_t n_buf, const char **ret_name) {
        struct passwd entry, *found = NULL;
        int r = getpwuid_r(id, &entry, buf, n_buf, &found);

        if (r == 0)
                *ret_name = found ? found->pw_name : NULL;
        return r;
}

static int lookup_group(uint32_t id, char *buf, size_t n_buf, const char **ret_name) {
        struct group entry, *found = NULL;
        int r = getgrgid_r(id, &entry, buf, n_buf, &found);

        if (r == 0)
                *ret_name = found ? found->gr_name : NULL;
        return r;
}

/* Return: an allocated name, or NULL for none, a failure, or no memory. */
static char *look_up(Lookup lookup, uint32_t id) {
        for (size_t n = LOOKUP_BYTES_MIN; n <= LOOKUP_BYTES_MAX; n *= 2) {
                _cleanup_free_ char *buf = malloc(n);
                const char *name = NULL;
                int r;

                if (!buf)
                        return NULL;
                do {
                        r = lookup(id, buf, n, &name);
                } while (r == EINTR);
                if (r != ERANGE)
                        return r == 0 && name && *name ? strdup(name) : NULL;
        }
        return NULL;
}

static void resolver_destroy(NameResolver *r) {
        for (size_t i = r->n_taken; i < r->n_answered; i++)
                free(r->ring[i % NAME_RESOLVER_QUESTIONS_MAX].name);
        pthread_cond_destroy(&r->is_answered);
        pthread_cond_destroy(&r->is_asked);
        pthread_mutex_destroy(&r->lock);
        free(r);
}

/* Called and left with the lock. Return: false the owner is gone, and nobody else has it now. */
static bool answer_next(NameResolver *r) {
        NameAnswer *a = &r->ring[r->n_answered % NAME_RESOLVER_QUESTIONS_MAX];
        const Lookup lookup = a->kind == NAME_USER ? lookup_user : lookup_group;
        const uint32_t id = a->id;
        char *name;

        r->is_busy = true;
        pthread_mutex_unlock(&r->lock);
        name = look_up(lookup, id);
        pthread_mutex_lock(&r->lock);
        r->is_busy = false;
        a->name = name;
        atomic_fetch_add_explicit(&r->n_answered, 1, memory_order_release);
        pthread_cond_signal(&r->is_answered);
        return !r->is_stopping;
}

/* An empty one but for stdin, stdout and stderr, where threads can have one. */
static void unshare_descriptors(void) {
        if (thread_unshare_descriptors() > 0)
                (void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
}

static void *resolver_main(void *userdata) {
        NameResolver *r = userdata;

        unshare_descriptors();
        /* What the name service loads and asks needs none. */
        (void)privilege_keep(0, 0);
        pthread_mutex_lock(&r->lock);
        for (;;) {
                while (r->n_answered == r->n_asked && !r->is_stopping)
                        pthread_cond_wait(&r->is_asked, &r->lock);
                if (r->is_stopping)
                        break;
                if (!answer_next(r)) {
                        pthread_mutex_unlock(&r->lock);
                        resolver_destroy(r);
                        return NULL;
                }
        }
        pthread_mutex_unlock(&r->lock);
        return NULL;
}

int name_resolver_new(NameResolver **ret_resolver) {
        NameResolver *r = calloc(1, sizeof(*r));
        pthread_condattr_t attributes;
        int e;

        if (!r)
                return -ENOMEM;
        pthread_mutex_init(&r->lock, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&r->is_asked, NULL);
        pthread_cond_init(&r->is_answered, &attributes);
        pthread_condattr_destroy(&attributes);
        atomic_init(&r->n_answered, 0);
        e = thread_start(&r->thread, NULL, "names", resolver_main, r);
        if (e < 0) {
                resolver_destroy(r);
                return e;
        }
        *ret_resolver = r;
        return 0;
}

NameResolver *name_resolver_free(NameResolver *r) {
        pthread_t thread;
        bool is_busy;

        if (!r)
                return NULL;
        pthread_mutex_lock(&r->lock);
        thread = r->thread;
        is_busy = r->is_busy;
        r->is_stopping = true;
        if (is_busy)
                pthread_detach(thread); /* and from the unlock on, r is the thread's */
        else
                pthread_cond_signal(&r->is_asked);
        pthread_mutex_unlock(&r->lock);
        if (!is_busy) {
                pthread_join(thread, NULL);
                resolver_destroy(r);
        }
        return NULL;
}

int name_resolver_ask(NameResolver *r, NameKind kind, uint32_t id) {
        int e = 0;

        pthread_mutex_lock(&r->lock);
        if (r->n_asked - r->n_taken >= NAME_RESOLVER_QUESTIONS_MAX) {
                e = -ENOBUFS;
        } else {
                r->ring[r->n_asked++ % NAME_RESOLVER_QUESTIONS_MAX] =
                        (NameAnswer){.kind = kind, .id = id};
                pthread_cond_signal(&r->is_asked);
        }
        pthread_mutex_unlock(&r->lock);
        return e;
}

/* Only the owner changes .n_taken. */
bool name_resolver_has_answer(const NameResolver *r) {
        return atomic_load_explicit(&r->n_answered, memory_order_acquire) != r->n_taken;
}

int name_resolver_take(NameResolver *r, uint64_t until_nsec, NameAnswer *ret_answer) {
        const struct timespec until = {
                .tv_sec = (time_t)(until_nsec / CLOCK_NSEC_PER_SEC),
                .tv_nsec = (long)(until_nsec % CLOCK_NSEC_PER_SEC),
        };
        int e = 0;

        pthread_mutex_lock(&r->lock);
        while (r->n_answered == r->n_taken && until_nsec > 0 && e == 0)
                e = pthread_cond_timedwait(&r->is_answered, &r->lock, &until);
        e = r->n_answered != r->n_taken;
        if (e > 0)
                *ret_answer = r->ring[r->n_taken++ % NAME_RESOLVER_QUESTIONS_MAX];
        pthread_mutex_unlock(&r->lock);
        return e;
}
