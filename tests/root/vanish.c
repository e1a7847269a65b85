/* SPDX-License-Identifier: MIT */

/*
 * The shortest life there is: unlinks its last argument and ends.  No C library, whose start alone
 * takes longer than it takes to read a process: what is known of this one was learned before it
 * began, or by luck.
 */

#include <sys/syscall.h>

#if defined(__x86_64__)
static long call(long number, long a, long b, long c) {
        long r;

        __asm__ volatile("syscall"
                         : "=a"(r)
                         : "a"(number), "D"(a), "S"(b), "d"(c)
                         : "rcx", "r11", "memory");
        return r;
}

__asm__(".globl _start\n"
        "_start:\n"
        "        mov %rsp, %rdi\n"
        "        and $-16, %rsp\n"
        "        call begin\n");
#elif defined(__aarch64__)
static long call(long number, long a, long b, long c) {
        register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
        register long x2 __asm__("x2") = c;

        __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
        return x0;
}

__asm__(".globl _start\n"
        "_start:\n"
        "        mov x0, sp\n"
        "        bl begin\n");
#endif

#define AT_FDCWD_VALUE (-100)

__attribute__((noreturn)) void begin(const long *stack);

__attribute__((noreturn)) void begin(const long *stack) {
        long n_args = stack[0];

        for (;;)
                call(SYS_exit_group, call(SYS_unlinkat, AT_FDCWD_VALUE, stack[n_args], 0) != 0, 0,
                     0);
}
