/* SPDX-License-Identifier: MIT */

/* Thin covers of pthreads(7). */

#include "base/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

int thread_start(pthread_t *ret_thread, const pthread_attr_t *attr, const char *name,
                 void *(*function)(void *userdata), void *userdata) {
        sigset_t all, before;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        r = pthread_create(ret_thread, attr, function, userdata);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r == 0)
                pthread_setname_np(*ret_thread, name);
        return -r;
}

void thread_mutex_init(pthread_mutex_t *mutex) {
        pthread_mutexattr_t attr;

        pthread_mutexattr_init(&attr);
        pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
        pthread_mutex_init(mutex, &attr);
        pthread_mutexattr_destroy(&attr);
}

/* gcc has a macro for it, clang a feature. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

int thread_unshare_descriptors(void) {
#ifdef __SANITIZE_THREAD__
        return 0;
#else
        return unshare(CLONE_FILES) < 0 ? -errno : 1;
#endif
}
