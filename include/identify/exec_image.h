/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the first bytes of a program's file say about how the kernel will run it.  Pure.
 */

#include <stddef.h>

/* BINPRM_BUF_SIZE of linux/binfmts.h: so much of a file the kernel looks at, since 5.1. */
#define EXEC_IMAGE_BYTES 256

typedef enum ExecImageKind {
        EXEC_IMAGE_OTHER,  /* another machine's program, text, nothing: binfmt_misc or ENOEXEC */
        EXEC_IMAGE_NATIVE, /* an ELF file of this machine, also of its 32-bit kind */
        EXEC_IMAGE_SCRIPT, /* "#!" and an interpreter */
} ExecImageKind;

typedef struct ExecImage {
        ExecImageKind kind;
        /* Of a script, NUL-terminated; the argument is all that stands behind the interpreter. */
        char interpreter[EXEC_IMAGE_BYTES];
        char argument[EXEC_IMAGE_BYTES];
        int has_argument;
} ExecImage;

/*
 * exec_image_parse() - decode the beginning of a file
 * @bytes: the first n_bytes, at most EXEC_IMAGE_BYTES; fewer mean that the file has no more
 *
 * The "#!" line is cut into words as the kernel does it: blanks are spaces and tabs, a NUL ends a
 * word, a line that is longer than what is looked at loses the end of its argument, and one whose
 * interpreter may be cut off is no script.
 * Source: fs/binfmt_script.c of Linux 6.18 (the same since 5.1); elf(5).
 */
void exec_image_parse(const void *bytes, size_t n_bytes, ExecImage *ret_image);
