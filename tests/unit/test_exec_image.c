/* SPDX-License-Identifier: MIT */

/*
 * "#!" lines.  What is expected was got from the kernel: each file was executed with an interpreter
 * that prints its arguments (Linux 6.18; tests/root/test_hold.c does it for a few).
 */

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"
#include "identify/exec_image.h"
#include "unit.h"

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define TWO_FORTY FIFTY FIFTY FIFTY FIFTY TEN TEN TEN TEN

static const struct {
        const char *bytes;
        size_t n_bytes;
        const char *interpreter; /* NULL: no script */
        const char *argument;    /* NULL: none */
} lines[] = {
#define LINE(s) s, sizeof(s) - 1
        {LINE("#!/bin/sh\n"), "/bin/sh", NULL},
        {LINE("#!/bin/sh\nexit 1\n"), "/bin/sh", NULL},
        {LINE("#! /bin/sh\n"), "/bin/sh", NULL},
        {LINE("#! \t /bin/sh \t \n"), "/bin/sh", NULL},
        {LINE("#!/bin/sh -x\n"), "/bin/sh", "-x"},
        {LINE("#!/bin/sh \t -x -y  z \t\n"), "/bin/sh", "-x -y  z"},
        {LINE("#!/usr/bin/env python3\n"), "/usr/bin/env", "python3"},
        {LINE("#!/bin/sh\r\n"), "/bin/sh\r", NULL},
        {LINE("#!interpreter\n"), "interpreter", NULL},
        /* no newline: the end of the file */
        {LINE("#!/bin/sh"), "/bin/sh", NULL},
        {LINE("#!/bin/sh -x"), "/bin/sh", "-x"},
        {LINE("#!/bin/sh "), "/bin/sh", ""},
        /* a NUL ends a word, and the line when no newline stands before it */
        {LINE("#!/bin/sh\0-x\n"), "/bin/sh", NULL},
        {LINE("#!/bin/sh -x\0y\n"), "/bin/sh", "-x"},
        {LINE("#!\n"), NULL, NULL},
        {LINE("#! \t \n"), NULL, NULL},
        {LINE("#"), NULL, NULL},
        {LINE(" #!/bin/sh\n"), NULL, NULL},
        {LINE("!#/bin/sh\n"), NULL, NULL},
        {LINE("echo\n"), NULL, NULL},
        {LINE(""), NULL, NULL},
        /* 256 bytes are looked at, of which the last becomes a NUL */
        {LINE("#!/" TWO_FORTY "01234567890\n"), "/" TWO_FORTY "01234567890", NULL},
        {LINE("#!/" TWO_FORTY "012345678901\n"), "/" TWO_FORTY "012345678901", NULL},
        {LINE("#!/" TWO_FORTY "0123456789012\n"), NULL, NULL},
        {LINE("#!/" TWO_FORTY "01234567 abcdefgh\n"), "/" TWO_FORTY "01234567", "abc"},
        {LINE("#!/b " TWO_FORTY TEN TEN "\n"), "/b", TWO_FORTY TEN},
#undef LINE
};

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))

/* Of exactly that size, so that a sanitizer sees a read past the end. */
static void parse(const void *bytes, size_t n_bytes, ExecImage *ret) {
        _cleanup_free_ char *copy = malloc(n_bytes + (n_bytes == 0));

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, bytes, n_bytes);
        exec_image_parse(copy, n_bytes, ret);
}

START_TEST(test_lines) {
        ExecImage i;

        parse(lines[_i].bytes, lines[_i].n_bytes, &i);
        if (!lines[_i].interpreter) {
                ck_assert_int_eq(i.kind, EXEC_IMAGE_OTHER);
                return;
        }
        ck_assert_int_eq(i.kind, EXEC_IMAGE_SCRIPT);
        ck_assert_str_eq(i.interpreter, lines[_i].interpreter);
        ck_assert_int_eq(i.has_argument, lines[_i].argument != NULL);
        ck_assert_str_eq(i.argument, lines[_i].argument ? lines[_i].argument : "");
}
END_TEST

static int kind_of(uint16_t machine, size_t n_bytes) {
        Elf64_Ehdr header = {.e_ident = ELFMAG, .e_machine = machine};
        ExecImage i;

        parse(&header, n_bytes, &i);
        return (int)i.kind;
}

START_TEST(test_elf) {
#if defined(__x86_64__)
        ck_assert_int_eq(kind_of(EM_X86_64, sizeof(Elf64_Ehdr)), EXEC_IMAGE_NATIVE);
        ck_assert_int_eq(kind_of(EM_386, sizeof(Elf32_Ehdr)), EXEC_IMAGE_NATIVE);
        ck_assert_int_eq(kind_of(EM_AARCH64, sizeof(Elf64_Ehdr)), EXEC_IMAGE_OTHER);
        ck_assert_int_eq(kind_of(EM_X86_64, 20), EXEC_IMAGE_NATIVE);
        ck_assert_int_eq(kind_of(EM_X86_64, 19), EXEC_IMAGE_OTHER);
        ck_assert_int_eq(kind_of(EM_X86_64, 0), EXEC_IMAGE_OTHER);
#elif defined(__aarch64__)
        ck_assert_int_eq(kind_of(EM_AARCH64, sizeof(Elf64_Ehdr)), EXEC_IMAGE_NATIVE);
        ck_assert_int_eq(kind_of(EM_X86_64, sizeof(Elf64_Ehdr)), EXEC_IMAGE_OTHER);
#endif
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("exec_image");

        tcase_add_loop_test(tcase, test_lines, 0, N(lines));
        tcase_add_test(tcase, test_elf);
        return unit_run("exec_image", tcase);
}
