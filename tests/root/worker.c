/* SPDX-License-Identifier: MIT */

/*
 * A deleter with manners a test can choose.  It takes its orders from the environment, because
 * its arguments and its name are what the tests make strange:
 *   WORKER_FILE  what to unlink
 *   WORKER_MODE  unlink     at once
 *                name       after giving itself the name WORKER_TEXT
 *                argv       after overwriting its arguments with WORKER_TEXT, again and again
 *                fork       in a child that never executes a program
 *                orphan     in a grandchild whose parent is gone
 *                wait       when a byte comes on stdin; a byte on stdout before, when it is ready
 */

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void overwrite_args(int argc, char *argv[], const char *text) {
        size_t n_text = strlen(text);

        for (int i = 0; i < argc; i++) {
                size_t n = strlen(argv[i]);

                for (size_t k = 0; k < n && n_text > 0; k++)
                        argv[i][k] = text[k % n_text];
        }
}

static int delete_in_child(const char *file, int is_orphan) {
        int status = 0;
        pid_t pid = fork();

        if (pid < 0)
                return EXIT_FAILURE;
        if (pid > 0)
                return waitpid(pid, &status, 0) == pid && status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        if (is_orphan) {
                pid_t parent = getpid();

                if (fork() > 0)
                        _exit(EXIT_SUCCESS);
                while (getppid() == parent)
                        usleep(100);
        }
        _exit(unlink(file) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

int main(int argc, char *argv[]) {
        const char *file = getenv("WORKER_FILE"), *mode = getenv("WORKER_MODE");
        const char *text = getenv("WORKER_TEXT");
        char byte = 'r';

        if (!file || !mode)
                return EXIT_FAILURE;
        if (strcmp(mode, "fork") == 0 || strcmp(mode, "orphan") == 0)
                return delete_in_child(file, strcmp(mode, "orphan") == 0);
        if (strcmp(mode, "name") == 0 && text)
                prctl(PR_SET_NAME, text);
        if (strcmp(mode, "argv") == 0 && text)
                overwrite_args(argc, argv, text);
        if (strcmp(mode, "wait") == 0 &&
            (write(STDOUT_FILENO, &byte, 1) != 1 || read(STDIN_FILENO, &byte, 1) != 1))
                return EXIT_FAILURE;
        return unlink(file) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
