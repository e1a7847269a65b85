/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Asking another program: what it writes to stdout, within bounds of time and bytes.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

typedef struct SubprocessBounds {
        uint64_t wait_nsec; /* then it is killed */
        size_t n_bytes_max; /* likewise when it writes more */
} SubprocessBounds;

/*
 * subprocess_run() - run a program to its end
 * @argv:       argv[0] is searched in PATH
 * @env:        NULL-terminated; NULL: ours
 * @ret_output: cleared and filled with its stdout
 * @ret_status: of waitpid(2); untouched on failure
 *
 * stdin and stderr are /dev/null; signals are as after a login. It is reaped in every case.
 * Return: 0; -ENOENT and others: it could not be started; -ETIMEDOUT; -EFBIG; -ENOMEM.
 */
int subprocess_run(const char *const *argv, const char *const *env, const SubprocessBounds *bounds,
                   Buffer *ret_output, int *ret_status);
