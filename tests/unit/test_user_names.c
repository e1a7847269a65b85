/* SPDX-License-Identifier: MIT */

/*
 * Names asked for once, buffers grown, answers bounded and aged, and a name service that does not
 * answer; with a user database of our own.
 */

#include "identify/user_names.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "fixtures_user_names.h"
#include "identify/name_resolver.h"

#define UID_BIG 1000 /* its entry needs a large buffer */
#define UID_ENDLESS 1001
#define UID_BROKEN 1002
#define UID_NONE 4000000

static atomic_uint n_asked;
static atomic_size_t n_buf_largest;
static atomic_int interrupts;
static atomic_uint renamed;                              /* in the names of everybody */
static atomic_long coarse_offset_sec;                    /* of the clock that answers age by */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* whoever holds it keeps all waiting */

static int answer(uint32_t id, char *buf, size_t n_buf, char **ret_name) {
        n_asked++;
        pthread_mutex_lock(&gate);
        pthread_mutex_unlock(&gate);
        if (n_buf > n_buf_largest)
                n_buf_largest = n_buf;
        if (interrupts > 0) {
                interrupts--;
                return EINTR;
        }
        if (id == UID_ENDLESS || (id == UID_BIG && n_buf < 100000))
                return ERANGE;
        if (id == UID_BROKEN)
                return EIO;
        if (id >= UID_NONE)
                return 0;
        snprintf(buf, n_buf, "name%u%.*s", (unsigned)id, (int)renamed, "-again");
        *ret_name = buf;
        return 0;
}

/* These stand before libc's: the library that is tested is linked statically. */
int getpwuid_r(uid_t uid, struct passwd *entry, char *buf, size_t n_buf, struct passwd **result) {
        char *name = NULL;
        int r = answer(uid, buf, n_buf, &name);

        memset(entry, 0, sizeof(*entry));
        entry->pw_name = name;
        *result = name ? entry : NULL;
        return r;
}

int getgrgid_r(gid_t gid, struct group *entry, char *buf, size_t n_buf, struct group **result) {
        char *name = NULL;
        int r = answer(gid, buf, n_buf, &name);

        if (name)
                name[0] = 'g';
        memset(entry, 0, sizeof(*entry));
        entry->gr_name = name;
        *result = name ? entry : NULL;
        return r;
}

int clock_gettime(clockid_t id, struct timespec *ts) {
        int r = (int)syscall(SYS_clock_gettime, id, ts);

        if (id == CLOCK_MONOTONIC_COARSE)
                ts->tv_sec += coarse_offset_sec;
        return r;
}

static UserNames *names;

static void setup(void) {
        n_asked = 0;
        n_buf_largest = 0;
        interrupts = 0;
        renamed = 0;
        coarse_offset_sec = 0;
        ck_assert_int_eq(user_names_new(&names), 0);
}

static void teardown(void) {
        names = user_names_free(names);
}

static double seconds(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Until so much was asked, or fails. */
static void await_asked(unsigned n) {
        for (int i = 0; i < 20000 && n_asked < n; i++)
                usleep(1000);
        ck_assert_uint_eq(n_asked, n);
}

/* Until something has changed; what it was before is `generation`. */
static uint64_t await_change(uint64_t generation) {
        for (int i = 0; i < 20000 && user_names_generation(names) == generation; i++)
                usleep(1000);
        ck_assert_uint_ne(user_names_generation(names), generation);
        return user_names_generation(names);
}

START_TEST(test_asked_once) {
        fixture_user(names, 7);
        fixture_group(names, 7);
        fixture_user(names, 0);
        for (int i = 0; i < 5; i++) {
                ck_assert_str_eq(user_names_user(names, 7), "name7");
                ck_assert_str_eq(user_names_group(names, 7), "game7");
                ck_assert_str_eq(user_names_user(names, 0), "name0");
        }
        ck_assert_uint_eq(n_asked, 3);
}
END_TEST

/* A machine is never so busy that none of these gets its name at once. */
START_TEST(test_known_at_once) {
        unsigned n_known = 0;

        for (uid_t uid = 2000; uid < 2100; uid++) {
                n_known += user_names_user(names, uid) != NULL;
                fixture_user(names, uid);
        }
        ck_assert_uint_gt(n_known, 0);
        ck_assert_uint_eq(n_asked, 100);
}
END_TEST

/* Nobody has to make anything anew for a name that came in time. */
START_TEST(test_generation_in_time) {
        uint64_t generation = user_names_generation(names);
        unsigned n_late = 0;

        for (uid_t uid = 2000; uid < 2100; uid++) {
                n_late += user_names_user(names, uid) == NULL;
                fixture_user(names, uid);
        }
        ck_assert_uint_eq(user_names_generation(names), generation + n_late);
}
END_TEST

START_TEST(test_no_name_is_remembered) {
        fixture_user(names, 1);
        for (int i = 0; i < 3; i++) {
                ck_assert_ptr_null(user_names_user(names, UID_NONE));
                ck_assert_ptr_null(user_names_user(names, UINT32_MAX));
                ck_assert_ptr_null(user_names_user(names, UID_BROKEN));
        }
        await_asked(4);
        /* They are answered in order. */
        fixture_user(names, 2);
        for (int i = 0; i < 3; i++) {
                ck_assert_ptr_null(user_names_user(names, UID_NONE));
                ck_assert_ptr_null(user_names_user(names, UINT32_MAX));
                ck_assert_ptr_null(user_names_user(names, UID_BROKEN));
        }
        await_asked(5);
}
END_TEST

START_TEST(test_buffer_grows) {
        ck_assert_str_eq(fixture_user(names, UID_BIG), "name1000");
        ck_assert_uint_ge(n_buf_largest, 100000);
        ck_assert_str_eq(fixture_group(names, UID_BIG), "game1000");
        ck_assert_ptr_null(user_names_user(names, UID_ENDLESS));
        fixture_user(names, 1);
        ck_assert_ptr_null(user_names_user(names, UID_ENDLESS));
        ck_assert_uint_le(n_buf_largest, (size_t)16 * 1024 * 1024);
}
END_TEST

START_TEST(test_interrupted) {
        interrupts = 3;
        ck_assert_str_eq(fixture_user(names, 5), "name5");
        ck_assert_uint_eq(n_asked, 4);
}
END_TEST

START_TEST(test_bound) {
        for (uid_t uid = 2000; uid < 2000 + USER_NAMES_MAX; uid++)
                fixture_user(names, uid);
        ck_assert_uint_eq(n_asked, USER_NAMES_MAX);
        ck_assert_str_eq(user_names_user(names, 2000), "name2000");
        ck_assert_uint_eq(n_asked, USER_NAMES_MAX);
        /* One more, and all are forgotten. */
        ck_assert_str_eq(fixture_user(names, 1), "name1");
        ck_assert_str_eq(fixture_user(names, 2000), "name2000");
        ck_assert_uint_eq(n_asked, USER_NAMES_MAX + 2);
}
END_TEST

/* One that hangs is waited for once, not once for each user. */
START_TEST(test_hanging) {
        const uint64_t generation = user_names_generation(names);
        double begin = seconds();

        pthread_mutex_lock(&gate);
        for (int i = 0; i < 10; i++)
                for (uid_t uid = 2000; uid < 2200; uid++)
                        ck_assert_ptr_null(user_names_user(names, uid));
        /* Once for each of them would be 0.4 s, each time 4. */
        ck_assert_double_lt(seconds() - begin, 0.3);
        ck_assert_uint_eq(user_names_generation(names), generation);
        await_asked(1);
        pthread_mutex_unlock(&gate);

        (void)await_change(generation);
        for (uid_t uid = 2000; uid < 2200; uid++)
                fixture_user(names, uid);
        ck_assert_uint_eq(n_asked, 200);
        ck_assert_uint_eq(user_names_generation(names), generation + 200);
        /* It is waited for again: some of these are known at once. */
        for (uid_t uid = 3000; uid < 3100; uid++) {
                (void)user_names_user(names, uid);
                fixture_user(names, uid);
        }
        ck_assert_uint_lt(user_names_generation(names), generation + 300);
}
END_TEST

/* What finds no room in the queue is asked for later. */
START_TEST(test_full_queue) {
        const uid_t first = 2000, end = first + NAME_RESOLVER_QUESTIONS_MAX + 100;
        uint64_t generation;

        pthread_mutex_lock(&gate);
        for (uid_t uid = first; uid < end; uid++)
                ck_assert_ptr_null(user_names_user(names, uid));
        generation = user_names_generation(names);
        pthread_mutex_unlock(&gate);
        (void)await_change(generation);
        for (uid_t uid = first; uid < end; uid++)
                fixture_user(names, uid);
        ck_assert_uint_eq(n_asked, NAME_RESOLVER_QUESTIONS_MAX + 100);
}
END_TEST

/* An answer that comes for a name that was forgotten goes nowhere. */
START_TEST(test_forgotten) {
        uint64_t generation;

        pthread_mutex_lock(&gate);
        for (uid_t uid = 2000; uid < 2000 + USER_NAMES_MAX + 1; uid++)
                ck_assert_ptr_null(user_names_user(names, uid));
        generation = user_names_generation(names);
        pthread_mutex_unlock(&gate);
        (void)await_change(generation);
        ck_assert_str_eq(fixture_user(names, 2000), "name2000");
        ck_assert_str_eq(fixture_user(names, 2000 + USER_NAMES_MAX), "name6096");
}
END_TEST

/* An old answer is good enough while it is asked for again. */
START_TEST(test_age) {
        uint64_t generation;

        fixture_user(names, 7);
        coarse_offset_sec = 59;
        ck_assert_str_eq(user_names_user(names, 7), "name7");
        ck_assert_uint_eq(n_asked, 1);

        coarse_offset_sec = 61;
        renamed = 6;
        generation = user_names_generation(names);
        pthread_mutex_lock(&gate);
        for (int i = 0; i < 3; i++)
                ck_assert_str_eq(user_names_user(names, 7), "name7");
        await_asked(2);
        pthread_mutex_unlock(&gate);
        (void)await_change(generation);
        ck_assert_str_eq(user_names_user(names, 7), "name7-again");

        /* Nothing has changed: nothing is to be made anew. */
        generation = user_names_generation(names);
        coarse_offset_sec = 122;
        ck_assert_str_eq(user_names_user(names, 7), "name7-again");
        await_asked(3);
        fixture_user(names, 8);
        ck_assert_uint_le(user_names_generation(names), generation + 1);
        ck_assert_str_eq(user_names_user(names, 7), "name7-again");
        ck_assert_uint_eq(n_asked, 4);
}
END_TEST

/* The end waits for nobody; the thread cleans up when its answer has come. */
START_TEST(test_end_while_hanging) {
        UserNames *n;
        double begin;

        for (int i = 0; i < 10; i++) {
                ck_assert_int_eq(user_names_new(&n), 0);
                fixture_user(n, 1);
                pthread_mutex_lock(&gate);
                (void)user_names_user(n, 7);
                (void)user_names_user(n, 8);
                await_asked(2);
                begin = seconds();
                user_names_free(n);
                ck_assert_double_lt(seconds() - begin, 1);
                pthread_mutex_unlock(&gate);
                n_asked = 0;
        }
        /* Nobody wants to know of the second any more. */
        usleep(20000);
        ck_assert_uint_eq(n_asked, 0);
}
END_TEST

/* Nobody is asked, and nothing is known but what was given. */
START_TEST(test_given) {
        uint64_t generation;
        UserNames *n;

        n_asked = 0;
        ck_assert_int_eq(user_names_new_given(&n), 0);
        ck_assert_ptr_null(user_names_user(n, 0));
        ck_assert_ptr_null(user_names_group(n, 0));
        generation = user_names_generation(n);
        ck_assert_int_eq(user_names_give_user(n, 0, "toor"), 0);
        ck_assert_int_eq(user_names_give_user(n, 0, "root"), 0);
        ck_assert_str_eq(user_names_user(n, 0), "root");
        ck_assert_ptr_null(user_names_user(n, 1));
        ck_assert_uint_ne(user_names_generation(n), generation);
        user_names_forget(n);
        ck_assert_ptr_null(user_names_user(n, 0));
        user_names_free(n);
        ck_assert_uint_eq(n_asked, 0);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("user_names");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_asked_once);
        tcase_add_test(t, test_known_at_once);
        tcase_add_test(t, test_generation_in_time);
        tcase_add_test(t, test_no_name_is_remembered);
        tcase_add_test(t, test_buffer_grows);
        tcase_add_test(t, test_interrupted);
        tcase_add_test(t, test_bound);
        tcase_add_test(t, test_hanging);
        tcase_add_test(t, test_full_queue);
        tcase_add_test(t, test_forgotten);
        tcase_add_test(t, test_age);
        tcase_add_test(t, test_given);
        tcase_add_test(t, test_end_while_hanging);
        return unit_run("user_names", t);
}
