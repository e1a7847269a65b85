/* SPDX-License-Identifier: MIT */

/* Threads without signals, locks that hand priority on, descriptors of one's own. */

#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "unit.h"

typedef struct Seen {
        sigset_t blocked;
        int unshared; /* what thread_unshare_descriptors() returned */
        int fd;       /* closed by the thread */
} Seen;

static void *look(void *userdata) {
        Seen *seen = userdata;

        pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
        seen->unshared = thread_unshare_descriptors();
        close(seen->fd);
        return NULL;
}

START_TEST(test_start) {
        Seen seen = {.fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};
        sigset_t before, after;
        pthread_t thread;

        ck_assert_int_ge(seen.fd, 0);
        pthread_sigmask(SIG_SETMASK, NULL, &before);
        ck_assert_int_eq(thread_start(&thread, NULL, "fifteen-letters", look, &seen), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert(sigismember(&seen.blocked, SIGTERM) == 1);
        ck_assert(sigismember(&seen.blocked, SIGUSR1) == 1);
        pthread_sigmask(SIG_SETMASK, NULL, &after);
        ck_assert_int_eq(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
        ck_assert_int_ge(seen.unshared, 0);
        ck_assert_int_eq(fcntl(seen.fd, F_GETFD) >= 0, seen.unshared > 0);
}
END_TEST

START_TEST(test_start_fails) {
        Seen seen = {.fd = -1};
        pthread_attr_t attr;
        cpu_set_t none;
        pthread_t thread;

        pthread_attr_init(&attr);
        CPU_ZERO(&none);
        ck_assert_int_eq(pthread_attr_setaffinity_np(&attr, sizeof(none), &none), 0);
        ck_assert_int_eq(thread_start(&thread, &attr, "never", look, &seen), -EINVAL);
        pthread_attr_destroy(&attr);
}
END_TEST

START_TEST(test_mutex) {
        pthread_mutex_t mutex;

        thread_mutex_init(&mutex);
        ck_assert_int_eq(pthread_mutex_lock(&mutex), 0);
        ck_assert_int_eq(pthread_mutex_trylock(&mutex), EBUSY);
        ck_assert_int_eq(pthread_mutex_unlock(&mutex), 0);
        ck_assert_int_eq(pthread_mutex_destroy(&mutex), 0);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("thread");

        tcase_add_test(tcase, test_start);
        tcase_add_test(tcase, test_start_fails);
        tcase_add_test(tcase, test_mutex);
        return unit_run("thread", tcase);
}
