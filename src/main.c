/* SPDX-License-Identifier: MIT */

/* whodunlink: who deleted my file? */

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/verbs.h"

/*
 * Whoever started this may have closed some of them.  The next file that is opened would get their
 * number, and what is written for people would go there.
 *
 * Return: 0; a negative errno after having said what failed.
 */
static int fill_standard_descriptors(void) {
        bool has_stdout = fcntl(STDOUT_FILENO, F_GETFD) >= 0;

        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                /* The lowest number that is free, which is this one. */
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) {
                        int r = -errno;

                        fprintf(stderr, "whodunlink: cannot open /dev/null: %s\n", strerror(-r));
                        return r;
                }
        }
        if (has_stdout)
                return 0;
        fprintf(stderr, "whodunlink: stdout is closed; give it a file or a pipe, or /dev/null\n");
        return -EBADF;
}

int main(int argc, char **argv) {
        if (fill_standard_descriptors() < 0)
                return EXIT_FAILURE;
        /* For the width of characters on a terminal, and nothing else. */
        setlocale(LC_CTYPE, "");
        return verbs_main(argc, argv);
}
