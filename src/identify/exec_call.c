/* SPDX-License-Identifier: MIT */

/*
 * Decoding of /proc/TID/syscall.
 *
 * Limits: on architectures other than x86-64 and arm64, 32-bit programs are taken for being in no
 * exec call.
 */

#include "identify/exec_call.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

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

/* What is left of the text. */
typedef struct Text {
        const char *at;
        const char *end;
} Text;

static bool take_literal(Text *t, const char *literal) {
        size_t n = strlen(literal);

        if ((size_t)(t->end - t->at) < n || memcmp(t->at, literal, n) != 0)
                return false;
        t->at += n;
        return true;
}

static unsigned digit_of(char c) {
        if (c >= '0' && c <= '9')
                return (unsigned)(c - '0');
        return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* Whether the number ended or was cut off is up to who reads on. */
static bool take_number(Text *t, unsigned base, uint64_t *ret) {
        uint64_t v = 0;

        if (t->at == t->end || digit_of(*t->at) >= base)
                return false;
        for (; t->at < t->end && digit_of(*t->at) < base; t->at++) {
                unsigned digit = digit_of(*t->at);

                if (v > (UINT64_MAX - digit) / base)
                        return false;
                v = v * base + digit;
        }
        *ret = v;
        return true;
}

static bool take_address(Text *t, uint64_t *ret) {
        return take_literal(t, " 0x") && take_number(t, 16, ret);
}

static const ExecNumber *find_number(uint64_t number) {
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
                if (numbers[i].number == number)
                        return &numbers[i];
        return NULL;
}

/* "-1 0xSP 0xPC": in no system call at all. */
static int parse_idle(Text t) {
        uint64_t stack, counter;

        if (!take_address(&t, &stack) || !take_address(&t, &counter) || !take_literal(&t, "\n") ||
            t.at != t.end)
                return -EBADMSG;
        return -ENOENT;
}

int exec_call_parse(const char *text, size_t n_bytes, ExecCall *ret_call) {
        static const char running[] = "running\n";
        uint64_t number, arguments[N_ARGUMENTS], stack, counter;
        Text t = {.at = text, .end = text + n_bytes};
        const ExecNumber *n;
        size_t first;

        if (n_bytes == 0)
                return -EBADMSG;
        if (n_bytes == sizeof(running) - 1 && memcmp(text, running, n_bytes) == 0)
                return -EAGAIN;
        if (take_literal(&t, "-1"))
                return parse_idle(t);
        if (!take_number(&t, 10, &number))
                return -EBADMSG;
        for (size_t i = 0; i < N_ARGUMENTS; i++)
                if (!take_address(&t, &arguments[i]))
                        return -EBADMSG;
        if (!take_address(&t, &stack) || !take_address(&t, &counter) || !take_literal(&t, "\n") ||
            t.at != t.end)
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
