/* SPDX-License-Identifier: MIT */

/*
 * Decoding of /proc/TID/syscall.
 *
 * Limits: on architectures other than x86-64 and arm64, 32-bit programs are taken for being in no
 * exec call.
 */

#include "identify/exec_call.h"

#include <errno.h>
#include <sys/syscall.h>

#include "base/span.h"

#define N_ARGUMENTS 6

typedef struct ExecNumber {
        uint64_t number;
        size_t n_pointer_bytes;
        bool has_directory;
} ExecNumber;

static const ExecNumber numbers[] = {
#if defined(__x86_64__)
        {59, 8, false},
        {322, 8, true},
        {11, 4, false},
        {358, 4, true},
        {520 | 0x40000000, 4, false},
        {545 | 0x40000000, 4, true}, /* x32 */
#elif defined(__aarch64__)
        {221, 8, false},
        {281, 8, true},
        {11, 4, false},
        {387, 4, true},
#else
        {SYS_execve, sizeof(void *), false},
        {SYS_execveat, sizeof(void *), true},
#endif
};

static bool take_address(Span *t, uint64_t *ret) {
        return span_take_head(t, " 0x") && span_take_u64(t, 16, UINT64_MAX, ret);
}

static const ExecNumber *find_number(uint64_t number) {
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
                if (numbers[i].number == number)
                        return &numbers[i];
        return NULL;
}

/* "-1 0xSP 0xPC": in no system call at all. */
static int parse_idle(Span t) {
        uint64_t stack, counter;

        if (!take_address(&t, &stack) || !take_address(&t, &counter) || !span_take_head(&t, "\n") ||
            t.n > 0)
                return -EBADMSG;
        return -ENOENT;
}

int exec_call_parse(const char *text, size_t n_bytes, ExecCall *ret_call) {
        uint64_t number, arguments[N_ARGUMENTS], stack, counter;
        Span t = {text, n_bytes};
        const ExecNumber *n;
        size_t first;

        if (n_bytes == 0)
                return -EBADMSG;
        if (span_is(t, "running\n"))
                return -EAGAIN;
        if (span_take_head(&t, "-1"))
                return parse_idle(t);
        if (!span_take_u64(&t, 10, UINT64_MAX, &number))
                return -EBADMSG;
        for (size_t i = 0; i < N_ARGUMENTS; i++)
                if (!take_address(&t, &arguments[i]))
                        return -EBADMSG;
        if (!take_address(&t, &stack) || !take_address(&t, &counter) || !span_take_head(&t, "\n") ||
            t.n > 0)
                return -EBADMSG;

        n = find_number(number);
        if (!n)
                return -ENOENT;
        first = n->has_directory ? 1 : 0;
        *ret_call = (ExecCall){
                .filename = arguments[first],
                .argv = arguments[first + 1],
                .stack = stack,
                .n_pointer_bytes = n->n_pointer_bytes,
                .directory_fd = n->has_directory ? (int)(uint32_t)arguments[0] : -1,
                .has_directory = n->has_directory,
        };
        return 0;
}
