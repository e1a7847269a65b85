/* SPDX-License-Identifier: MIT */

/* In which order directories are listed, how many of them are open, and when a walk is over. */

#include "locate/waiting_directories.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "unit.h"

static WaitingDirectories waiting;

static FileHandle directory(const char *letter) {
        return (FileHandle){.type = 7, .n_bytes = 1, .bytes = (const uint8_t *)letter};
}

static void push(const char *letter, bool is_walk) {
        FileHandle h = directory(letter);

        ck_assert_int_eq(waiting_directories_push(&waiting, &h, NULL, is_walk), 0);
}

static WaitingDirectory *take(const char *letter) {
        WaitingDirectory *d = waiting_directories_take(&waiting);
        FileHandle h = directory(letter), is;

        ck_assert_ptr_nonnull(d);
        is = waiting_directory_handle(d);
        ck_assert(file_handle_equal(&is, &h));
        return d;
}

static void list(const char *letter) {
        ck_assert_ptr_null(waiting_directories_end(&waiting, take(letter)));
}

static void setup(void) {
        waiting = (WaitingDirectories){0};
}

static void teardown(void) {
        waiting_directories_forget(&waiting);
        ck_assert_uint_eq(waiting.n_open, 0);
        ck_assert_uint_eq(waiting.n_walk, 0);
}

/* The newest first; those of the walk and those that have come by turns, while there are both. */
START_TEST(test_order) {
        ck_assert(!waiting_directories_has_next(&waiting));
        ck_assert_ptr_null(waiting_directories_take(&waiting));
        /* Turns pass, too, while there is only one kind. */
        push("a", true);
        push("b", true);
        push("c", true);
        list("c");
        list("b");
        push("x", false);
        push("y", false);
        push("d", true);
        for (const char *expected = "dyax"; *expected; expected++)
                list(expected);
        ck_assert(!waiting_directories_has_next(&waiting));
}
END_TEST

/* A walk is over when all of it has been listed, however many have come meanwhile. */
START_TEST(test_walks) {
        WaitingDirectory *d;

        push("a", true);
        push("x", false);
        ck_assert_uint_eq(waiting.n_walks, 0);
        list("x");
        ck_assert_uint_eq(waiting.n_walks, 0);
        d = take("a");
        push("x", false);
        /* What is being listed brings more of the walk. */
        push("b", true);
        waiting_directories_end(&waiting, d);
        ck_assert_uint_eq(waiting.n_walks, 0);
        list("x");
        ck_assert_uint_eq(waiting.n_walks, 0);
        d = take("b");
        push("y", false);
        waiting_directories_end(&waiting, d);
        ck_assert_uint_eq(waiting.n_walks, 1);
        list("y");
        push("a", true);
        list("a");
        ck_assert_uint_eq(waiting.n_walks, 2);
        ck_assert_ptr_null(waiting_directories_end(&waiting, NULL));
        ck_assert_uint_eq(waiting.n_walks, 2);
}
END_TEST

START_TEST(test_astray) {
        WaitingDirectory *d;

        push("a", true);
        push("b", true);
        d = take("b");
        d->since_nsec = 12;
        waiting_directories_put_astray(&waiting, d);
        list("a");
        /* It does not come before it is called, and its walk is not over. */
        ck_assert(!waiting_directories_has_next(&waiting));
        ck_assert_uint_eq(waiting.n_walks, 0);
        ck_assert(waiting_directories_retry_astray(&waiting));
        ck_assert(waiting_directories_has_next(&waiting));
        d = take("b");
        ck_assert_uint_eq(d->since_nsec, 12);
        waiting_directories_end(&waiting, d);
        ck_assert_uint_eq(waiting.n_walks, 1);
        ck_assert(!waiting_directories_retry_astray(&waiting));
        ck_assert(!waiting_directories_has_next(&waiting));
        /* Forgotten like the others. */
        push("c", true);
        waiting_directories_put_astray(&waiting, take("c"));
        waiting_directories_forget(&waiting);
        ck_assert(!waiting_directories_retry_astray(&waiting));
}
END_TEST

static bool is_open(int fd) {
        return fcntl(fd, F_GETFD) >= 0;
}

/* So many stay open as there is room for; the caller keeps the others. */
START_TEST(test_descriptors) {
        FileHandle h = directory("a");
        int first = -1, fd = -1;
        WaitingDirectory *d;

        ck_assert_int_eq(waiting_directories_push(&waiting, &h, &fd, true), 0);
        ck_assert_uint_eq(waiting.n_open, 0);
        for (size_t i = 0; i < WAITING_DIRECTORIES_MAX_OPEN; i++) {
                fd = open("/", O_PATH | O_CLOEXEC);
                ck_assert_int_ge(fd, 0);
                if (i == 0)
                        first = fd;
                ck_assert_int_eq(waiting_directories_push(&waiting, &h, &fd, true), 0);
                ck_assert_int_eq(fd, -1);
        }
        fd = open("/", O_PATH | O_CLOEXEC);
        ck_assert_int_eq(waiting_directories_push(&waiting, &h, &fd, true), 0);
        ck_assert(is_open(fd));
        close(fd);
        d = take("a");
        ck_assert_int_eq(waiting_directories_take_fd(&waiting, d), -1);
        ck_assert_uint_eq(waiting.n_open, WAITING_DIRECTORIES_MAX_OPEN);
        waiting_directories_end(&waiting, d);
        d = take("a");
        fd = waiting_directories_take_fd(&waiting, d);
        ck_assert(is_open(fd));
        ck_assert_uint_eq(waiting.n_open, WAITING_DIRECTORIES_MAX_OPEN - 1);
        ck_assert_int_eq(waiting_directories_take_fd(&waiting, d), -1);
        waiting_directories_end(&waiting, d);
        ck_assert(is_open(fd));
        /* There is room again. */
        ck_assert_int_eq(waiting_directories_push(&waiting, &h, &fd, false), 0);
        ck_assert_int_eq(fd, -1);
        waiting_directories_forget(&waiting);
        ck_assert(!is_open(first));
        ck_assert_uint_eq(waiting.n_open, 0);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("waiting_directories");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_order);
        tcase_add_test(tcase, test_walks);
        tcase_add_test(tcase, test_astray);
        tcase_add_test(tcase, test_descriptors);
        return unit_run("waiting_directories", tcase);
}
