/* SPDX-License-Identifier: MIT */

/* What exec_call.c makes of /proc/TID/syscall, whole, cut and forged. */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "identify/exec_call.h"
#include "unit.h"

#define REST " 0x0 0x8 0x7ffd3f8a1b20 0x7f1a2b3c4d57\n"

static const struct {
        const char *text;
        ExecCall expected;
} calls[] = {
#if defined(__x86_64__)
        {"59 0x564a1acacc20 0x564a1acac9d8 0x7ffe 0x8" REST,
         {0x564a1acacc20, 0x564a1acac9d8, 0x7ffd3f8a1b20, 8, -1, false}},
        {"322 0xffffff9c 0x1000 0x2000 0x3000" REST,
         {0x1000, 0x2000, 0x7ffd3f8a1b20, 8, -100, true}},
        {"322 0x5 0x1000 0x2000 0x3000" REST, {0x1000, 0x2000, 0x7ffd3f8a1b20, 8, 5, true}},
        /* of a 32-bit program, and of one for x32 */
        {"11 0x1000 0x2000 0x3000 0x0" REST, {0x1000, 0x2000, 0x7ffd3f8a1b20, 4, -1, false}},
        {"358 0x5 0x1000 0x2000 0x3000" REST, {0x1000, 0x2000, 0x7ffd3f8a1b20, 4, 5, true}},
        {"1073742344 0x1000 0x2000 0x3000 0x0" REST,
         {0x1000, 0x2000, 0x7ffd3f8a1b20, 4, -1, false}},
        {"1073742369 0x5 0x1000 0x2000 0x3000" REST, {0x1000, 0x2000, 0x7ffd3f8a1b20, 4, 5, true}},
        {"59 0xffffffffffffffff 0x0 0x0 0x0" REST, {UINT64_MAX, 0, 0x7ffd3f8a1b20, 8, -1, false}},
#elif defined(__aarch64__)
        {"221 0x1000 0x2000 0x7ffe 0x8" REST, {0x1000, 0x2000, 0x7ffd3f8a1b20, 8, -1, false}},
        {"281 0x5 0x1000 0x2000 0x3000" REST, {0x1000, 0x2000, 0x7ffd3f8a1b20, 8, 5, true}},
        {"11 0x1000 0x2000 0x3000 0x0" REST, {0x1000, 0x2000, 0x7ffd3f8a1b20, 4, -1, false}},
        {"387 0x5 0x1000 0x2000 0x3000" REST, {0x1000, 0x2000, 0x7ffd3f8a1b20, 4, 5, true}},
#endif
};

static const struct {
        const char *text;
        int r;
} others[] = {
        {"running\n", -EAGAIN},
        {"-1 0x7ffd3f8a1b20 0x7f1a2b3c4d57\n", -ENOENT},
        {"-1 0x0 0x0\n", -ENOENT},
        {"257 0x1 0x2 0x3 0x4" REST, -ENOENT},
        {"4294967296 0x1 0x2 0x3 0x4" REST, -ENOENT},
        {"running", -EBADMSG},
        {"running\n\n", -EBADMSG},
        {"", -EBADMSG},
        {"\n", -EBADMSG},
        {"-1\n", -EBADMSG},
        {"-1 0x0\n", -EBADMSG},
        {"-1 0x0 0x0 0x0\n", -EBADMSG},
        {"-2 0x0 0x0\n", -EBADMSG},
        {"59\n", -EBADMSG},
        {"59 0x1 0x2 0x3 0x4 0x5 0x6 0x7\n", -EBADMSG},
        {"59 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8 0x9\n", -EBADMSG},
        {"59 0x1 0x2 0x3 0x4 0x5 0x6 0x7 8\n", -EBADMSG},
        {"59 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x\n", -EBADMSG},
        {"59 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0xG\n", -EBADMSG},
        {"59 0x10000000000000000 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n", -EBADMSG},
        {"59  0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n", -EBADMSG},
        {"3b 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n", -EBADMSG},
        {" 59 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n", -EBADMSG},
        {"99999999999999999999 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n", -EBADMSG},
};

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))

/* Of exactly that size, so that a sanitizer sees a read past the end. */
static int parse(const char *text, size_t n_bytes, ExecCall *ret) {
        _cleanup_free_ char *copy = malloc(n_bytes + (n_bytes == 0));

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, n_bytes);
        return exec_call_parse(copy, n_bytes, ret);
}

START_TEST(test_calls) {
        const ExecCall *e = &calls[_i].expected;
        ExecCall c = {0};

        ck_assert_int_eq(parse(calls[_i].text, strlen(calls[_i].text), &c), 0);
        ck_assert_uint_eq(c.filename, e->filename);
        ck_assert_uint_eq(c.argv, e->argv);
        ck_assert_uint_eq(c.stack, e->stack);
        ck_assert_uint_eq(c.n_pointer_bytes, e->n_pointer_bytes);
        ck_assert_int_eq(c.directory_fd, e->directory_fd);
        ck_assert(c.has_directory == e->has_directory);
}
END_TEST

START_TEST(test_cut) {
        size_t n_bytes = strlen(calls[_i].text);
        ExecCall c = {.argv = 42};

        for (size_t n = 0; n < n_bytes; n++)
                ck_assert_int_eq(parse(calls[_i].text, n, &c), -EBADMSG);
        ck_assert_uint_eq(c.argv, 42);
}
END_TEST

START_TEST(test_others) {
        ExecCall c = {.argv = 42};

        ck_assert_int_eq(parse(others[_i].text, strlen(others[_i].text), &c), others[_i].r);
        ck_assert_uint_eq(c.argv, 42);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("exec_call");

        tcase_add_loop_test(tcase, test_calls, 0, N(calls));
        tcase_add_loop_test(tcase, test_cut, 0, N(calls));
        tcase_add_loop_test(tcase, test_others, 0, N(others));
        return unit_run("exec_call", tcase);
}
