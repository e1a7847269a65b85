/* SPDX-License-Identifier: MIT */

/*
 * Starts processes one after another, half of which execute a program, and every hundredth of which
 * deletes a file: file-0000099 in the directory, file-0000199, …
 *
 * Says how many it has started after each tenth of them.
 */

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int make_file(const char *path) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        if (fd < 0)
                return -errno;
        close(fd);
        return 0;
}

/* @file: NULL none to delete */
static int run_fork(const char *file, pid_t *ret_pid) {
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(file && unlink(file) < 0);
        *ret_pid = pid;
        return 0;
}

static int run_program(const char *program, const char *file, pid_t *ret_pid) {
        char *argv[] = {(char *)program, (char *)file, NULL};

        return -posix_spawn(ret_pid, program, NULL, NULL, argv, environ);
}

static int start_one(const char *directory, size_t i, const char *program) {
        const bool is_program = i % 2 == 0, is_program_deleter = i / 100 % 2 == 0;
        char path[4096], *file = NULL;
        int status = 0, r = 0;
        pid_t pid;

        if (i % 100 == 99) {
                snprintf(path, sizeof(path), "%s/file-%07zu", directory, i);
                file = path;
                r = make_file(file);
        }
        if (r == 0)
                r = (file ? is_program_deleter : is_program) ? run_program(program, file, &pid)
                                                             : run_fork(file, &pid);
        if (r < 0)
                return r;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return status == 0 ? 0 : -EIO;
}

int main(int argc, char **argv) {
        size_t n = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;

        if (n < 10) {
                fputs("usage: forker DIRECTORY COUNT PROGRAM, with a COUNT of at least 10\n",
                      stderr);
                return 2;
        }
        for (size_t i = 0; i < n; i++) {
                int r = start_one(argv[1], i, argv[3]);

                if (r < 0) {
                        fprintf(stderr, "forker: process %zu: %s\n", i, strerror(-r));
                        return EXIT_FAILURE;
                }
                if ((i + 1) * 10 / n > i * 10 / n) {
                        printf("%zu\n", i + 1);
                        (void)fflush(stdout);
                }
        }
        return EXIT_SUCCESS;
}
