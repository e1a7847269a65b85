/* SPDX-License-Identifier: MIT */

/* What a task gave to execve(2), read from our own memory; nobody has to wait in the call. */

#include "identify/exec_memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

#define PAGE ((size_t)4096)
/* More than a reading looks at. */
#define PAGES 160

static ExecMemory memory;
static ExecView view;
/* Pages in a row, and one behind them that is not there. */
static char *room;

static void setup(void) {
        room = mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
        ck_assert_ptr_ne(room, MAP_FAILED);
        ck_assert_int_eq(munmap(room + PAGES * PAGE, PAGE), 0);
        memset(&memory, 'M', sizeof(memory));
        view = (ExecView){.call.n_pointer_bytes = sizeof(char *)};
}

static void teardown(void) {
        munmap(room, PAGES * PAGE);
}

/* The last bytes before the page that is not there. */
static char *at_end(size_t n_bytes) {
        return room + PAGES * PAGE - n_bytes;
}

static int read_call(const char *filename, const void *argv) {
        view.call.filename = (uintptr_t)filename;
        view.call.argv = (uintptr_t)argv;
        return exec_memory_read(getpid(), &memory, &view);
}

static void expect_args(const char *args, size_t n_bytes, bool is_cut) {
        ck_assert_uint_eq(view.n_args_bytes, n_bytes);
        ck_assert_mem_eq(view.args, args, n_bytes);
        ck_assert_int_eq(view.is_args_cut, is_cut);
}

START_TEST(test_plain) {
        const char *argv[] = {"rm", "-f", "", "x y", NULL};

        ck_assert_int_eq(read_call("/bin/rm", argv), 0);
        ck_assert_uint_eq(view.n_filename, 7);
        ck_assert_mem_eq(view.filename, "/bin/rm", 7);
        expect_args("rm\0-f\0\0x y", 11, false);
}
END_TEST

/* execve(2) takes both for a list without an argument. */
START_TEST(test_no_list) {
        const char *argv[] = {NULL};

        ck_assert_int_eq(read_call("", _i == 0 ? argv : NULL), 0);
        ck_assert_uint_eq(view.n_filename, 0);
        expect_args("", 0, false);
}
END_TEST

/* As a 32-bit program gives them: the upper halves are what stands next in its list. */
START_TEST(test_narrow) {
#ifdef MAP_32BIT
        char *low = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        uint32_t argv[3] = {0};

        ck_assert_ptr_ne(low, MAP_FAILED);
        strcpy(low, "rm");
        strcpy(low + 8, "-f");
        argv[0] = (uint32_t)(uintptr_t)low;
        argv[1] = (uint32_t)(uintptr_t)(low + 8);
        view.call.n_pointer_bytes = sizeof(argv[0]);
        ck_assert_int_eq(read_call("/bin/rm", argv), 0);
        expect_args("rm\0-f", 6, false);
        munmap(low, PAGE);
#endif
}
END_TEST

/* Up to the last byte that is there, and over the border of a page, pointers too. */
START_TEST(test_borders) {
        const char **argv = (const char **)(void *)at_end(2 * sizeof(*argv));
        const char *name = strcpy(room + PAGE - 3, "crosses");

        argv[0] = name;
        argv[1] = NULL;
        ck_assert_int_eq(read_call(name, argv), 0);
        ck_assert_uint_eq(view.n_filename, 7);
        expect_args("crosses", 8, false);

        memcpy(room + 2 * PAGE - 4, &name, sizeof(name)); /* not aligned */
        memset(room + 2 * PAGE + 4, 0, sizeof(name));
        ck_assert_int_eq(read_call(name, room + 2 * PAGE - 4), 0);
        expect_args("crosses", 8, false);

        name = strcpy(at_end(4), "end");
        argv = (const char **)(void *)room;
        argv[0] = name;
        argv[1] = NULL;
        ck_assert_int_eq(read_call(name, argv), 0);
        expect_args("end", 4, false);
}
END_TEST

/* Filename, list, an argument, an end of any of them that is not there; at the top of all memory.
 */
START_TEST(test_not_there) {
        const char **argv = (const char **)(void *)at_end(sizeof(*argv));
        const char *good[] = {"x", NULL};
        const char *bad[] = {"x", room + PAGES * PAGE, NULL};
        const char *top[] = {"x", (const char *)UINTPTR_MAX, NULL};

        argv[0] = "x";
        ck_assert_int_eq(read_call("x", argv), -EFAULT);
        ck_assert_int_eq(read_call(room + PAGES * PAGE, good), -EFAULT);
        ck_assert_int_eq(read_call(NULL, good), -EFAULT);
        ck_assert_int_eq(read_call("x", bad), -EFAULT);
        ck_assert_int_eq(read_call("x", top), -EFAULT);
        ck_assert_int_eq(read_call("x", (const void *)(UINTPTR_MAX - 3)), -EFAULT);
        memset(at_end(8), 'x', 8);
        bad[1] = at_end(8);
        ck_assert_int_eq(read_call("x", bad), -EFAULT);
        ck_assert_int_eq(read_call(at_end(8), good), -EFAULT);
}
END_TEST

/* Exactly as much as is kept, and a byte more. */
START_TEST(test_long) {
        const size_t n = PROCESS_ARGS_MAX_BYTES + (size_t)_i;
        const char *argv[] = {room, NULL};

        memset(room, 'a', n - 1);
        room[n - 1] = '\0';
        ck_assert_int_eq(read_call("x", argv), 0);
        expect_args(room, PROCESS_ARGS_MAX_BYTES, _i > 0);
}
END_TEST

/* So many arguments that there is no room for one more byte. */
START_TEST(test_many) {
        const char **argv = (const char **)(void *)room;
        size_t n = PROCESS_ARGS_MAX_BYTES + 100;

        for (size_t i = 0; i < n; i++)
                argv[i] = "";
        argv[n] = NULL;
        ck_assert_int_eq(read_call("x", argv), 0);
        ck_assert_uint_eq(view.n_args_bytes, PROCESS_ARGS_MAX_BYTES);
        ck_assert(view.is_args_cut);
        ck_assert_int_eq(view.args[0] | view.args[PROCESS_ARGS_MAX_BYTES - 1], 0);
}
END_TEST

/* Each on a page of its own: it ends somewhere, with those that were read. */
START_TEST(test_spread) {
        const char *argv[PAGES + 1] = {NULL};

        for (size_t i = 0; i < PAGES; i++)
                argv[i] = strcpy(room + i * PAGE, "a");
        ck_assert_int_eq(read_call("x", argv), 0);
        ck_assert(view.is_args_cut);
        ck_assert_uint_gt(view.n_args_bytes, 2 * 32);
        ck_assert_uint_lt(view.n_args_bytes, 2 * PAGES);
        for (size_t i = 0; i < view.n_args_bytes; i++)
                ck_assert_int_eq(view.args[i], i % 2 == 0 ? 'a' : '\0');
}
END_TEST

START_TEST(test_endless_filename) {
        const char *argv[] = {"x", NULL};

        memset(room, '/', 2 * PATH_MAX);
        ck_assert_int_eq(read_call(room, argv), -ENOBUFS);
        room[PATH_MAX - 1] = '\0';
        ck_assert_int_eq(read_call(room, argv), 0);
        ck_assert_uint_eq(view.n_filename, PATH_MAX - 1);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("exec_memory");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_plain);
        tcase_add_loop_test(tcase, test_no_list, 0, 2);
        tcase_add_test(tcase, test_narrow);
        tcase_add_test(tcase, test_borders);
        tcase_add_test(tcase, test_not_there);
        tcase_add_loop_test(tcase, test_long, 0, 2);
        tcase_add_test(tcase, test_many);
        tcase_add_test(tcase, test_spread);
        tcase_add_test(tcase, test_endless_filename);
        return unit_run("exec_memory", tcase);
}
