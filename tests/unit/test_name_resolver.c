/* SPDX-License-Identifier: MIT */

/* The thread that asks the name service: this machine's own. */

#include "identify/name_resolver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "unit.h"

static NameResolver *resolver;

static void setup(void) {
        ck_assert_int_eq(name_resolver_new(&resolver), 0);
}

static void teardown(void) {
        resolver = name_resolver_free(resolver);
        ck_assert_ptr_null(name_resolver_free(NULL));
}

static NameAnswer take(void) {
        NameAnswer a = {0};

        ck_assert_int_eq(
                name_resolver_take(resolver,
                                   clock_now_nsec(CLOCK_MONOTONIC) + 20 * CLOCK_NSEC_PER_SEC, &a),
                1);
        return a;
}

START_TEST(test_root) {
        NameAnswer a;

        ck_assert(!name_resolver_has_answer(resolver));
        ck_assert_int_eq(name_resolver_take(resolver, 0, &a), 0);
        ck_assert_int_eq(name_resolver_ask(resolver, NAME_USER, 0), 0);
        ck_assert_int_eq(name_resolver_ask(resolver, NAME_USER, 3999999999), 0);
        ck_assert_int_eq(name_resolver_ask(resolver, NAME_GROUP, 0), 0);
        a = take();
        ck_assert_int_eq(a.kind, NAME_USER);
        ck_assert_str_eq(a.name, "root");
        free(a.name);
        a = take();
        ck_assert_uint_eq(a.id, 3999999999);
        ck_assert_ptr_null(a.name);
        a = take();
        ck_assert_int_eq(a.kind, NAME_GROUP);
        ck_assert_ptr_nonnull(a.name);
        free(a.name);
        ck_assert(!name_resolver_has_answer(resolver));
}
END_TEST

START_TEST(test_wait_ends) {
        const uint64_t begin = clock_now_nsec(CLOCK_MONOTONIC);
        NameAnswer a;

        ck_assert_int_eq(name_resolver_take(resolver, begin + 20 * CLOCK_NSEC_PER_MSEC, &a), 0);
        ck_assert_uint_ge(clock_now_nsec(CLOCK_MONOTONIC) - begin, 20 * CLOCK_NSEC_PER_MSEC);
        /* A time that has passed. */
        ck_assert_int_eq(name_resolver_take(resolver, begin, &a), 0);
}
END_TEST

/* An answer keeps its place until it is taken. */
START_TEST(test_bound) {
        for (uint32_t i = 0; i < NAME_RESOLVER_QUESTIONS_MAX; i++)
                ck_assert_int_eq(name_resolver_ask(resolver, NAME_USER, 0), 0);
        ck_assert_int_eq(name_resolver_ask(resolver, NAME_USER, 0), -ENOBUFS);
        free(take().name);
        ck_assert_int_eq(name_resolver_ask(resolver, NAME_USER, 0), 0);
        ck_assert_int_eq(name_resolver_ask(resolver, NAME_USER, 0), -ENOBUFS);
        /* What is left is let go of with the resolver. */
}
END_TEST

/* Reads a file of the resolver's thread below /proc. */
static void read_of_thread(const char *file, char *ret, size_t n_ret) {
        _cleanup_closedir_ DIR *d = opendir("/proc/self/task");
        bool is_found = false;

        ck_assert_ptr_nonnull(d);
        for (struct dirent *e = readdir(d); e && !is_found; e = readdir(d)) {
                _cleanup_fclose_ FILE *f = NULL;
                char path[128];

                snprintf(path, sizeof(path), "/proc/self/task/%.20s/%s", e->d_name, file);
                f = e->d_name[0] == '.' ? NULL : fopen(path, "re");
                if (!f)
                        continue;
                ret[fread(ret, 1, n_ret - 1, f)] = '\0';
                is_found = strstr(ret, "Name:\tnames\n") != NULL;
        }
        ck_assert_msg(is_found, "no thread is called so");
}

START_TEST(test_signals) {
        char status[8192];
        unsigned long long blocked = 0;
        const char *line;

        read_of_thread("status", status, sizeof(status));
        line = strstr(status, "SigBlk:");
        ck_assert_ptr_nonnull(line);
        ck_assert_int_eq(sscanf(line, "SigBlk: %llx", &blocked), 1);
        ck_assert_uint_ne(blocked & 1ULL << (SIGTERM - 1), 0);
        ck_assert_uint_ne(blocked & 1ULL << (SIGINT - 1), 0);
        ck_assert_uint_ne(blocked & 1ULL << (SIGWINCH - 1), 0);
}
END_TEST

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#ifndef __SANITIZE_THREAD__
/* While the limit of open files is down to what the others have, names are found all the same. */
START_TEST(test_descriptors) {
        struct rlimit before, lowered;
        const struct passwd *expected = getpwuid(1); /* root needs no file where systemd knows it */
        int fds[64];
        NameAnswer a;

        ck_assert_ptr_nonnull(expected);
        for (size_t i = 0; i < 64; i++)
                ck_assert_int_ge(fds[i] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0);
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
        lowered = before;
        lowered.rlim_cur = 32;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lowered), 0);
        ck_assert_int_lt(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0);
        ck_assert_int_eq(name_resolver_ask(resolver, NAME_USER, 1), 0);
        a = take();
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
        for (size_t i = 0; i < 64; i++)
                close(fds[i]);
        ck_assert_ptr_nonnull(a.name);
        ck_assert_str_eq(a.name, expected->pw_name);
        free(a.name);
}
END_TEST
#endif

int main(void) {
        TCase *t = tcase_create("name_resolver");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, test_root);
        tcase_add_test(t, test_wait_ends);
        tcase_add_test(t, test_bound);
        tcase_add_test(t, test_signals);
#ifndef __SANITIZE_THREAD__
        tcase_add_test(t, test_descriptors);
#endif
        return unit_run("name_resolver", t);
}
