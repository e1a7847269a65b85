/* SPDX-License-Identifier: MIT */

/*
 * See keeper.h.  What to put back comes as "NAME VALUE\n" lines and is done last line first,
 * so that the first value remembered of a sysctl is the one that stays.
 */

#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static int keeper_fd = -1;

static void put_back(const char *line) {
        char name[128], path[160];
        long value;
        FILE *f;

        if (sscanf(line, "%127s %ld", name, &value) != 2)
                return;
        snprintf(path, sizeof(path), "/proc/sys/%s", name);
        f = fopen(path, "we");
        if (!f)
                return;
        fprintf(f, "%ld\n", value);
        fclose(f);
}

static void keep(int fd, const char *work) {
        _cleanup_fclose_ FILE *f = fdopen(fd, "r");
        char lines[32][160];
        size_t n = 0;

        while (f && n < 32 && fgets(lines[n], sizeof(lines[n]), f))
                n++;
        while (n > 0)
                put_back(lines[--n]);
        /* The mount on it lives in the namespaces of processes that are just being killed. */
        for (int i = 0; i < 100 && rmdir(work) < 0 && errno == EBUSY; i++)
                usleep(100 * 1000);
}

int keeper_start(const char *work) {
        int fds[2];
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        pid = fork();
        if (pid < 0) {
                close(fds[0]);
                close(fds[1]);
                return -errno;
        }
        if (pid == 0) {
                close(fds[1]);
                setsid();
                signal(SIGINT, SIG_IGN);
                signal(SIGTERM, SIG_IGN);
                signal(SIGHUP, SIG_IGN);
                for (int fd = 0; fd <= 2; fd++) /* whoever waits for the end of our output */
                        close(fd);
                keep(fds[0], work);
                _exit(0);
        }
        close(fds[0]);
        keeper_fd = fds[1];
        return 0;
}

int keeper_remember(const char *name, long value) {
        char line[160];
        int n = snprintf(line, sizeof(line), "%s %ld\n", name, value);

        if (n < 0 || (size_t)n >= sizeof(line))
                return -ENAMETOOLONG;
        return write(keeper_fd, line, (size_t)n) == n ? 0 : -EIO;
}
