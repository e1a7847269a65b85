/* SPDX-License-Identifier: MIT */

/*
 * Of a file without a name the kernel shows a path that ends in " (deleted)": only what is shown
 * so is asked for its device and inode.
 *
 * Source: proc_pid_fd(5), proc_pid_exe(5); d_path() in fs/d_path.c of Linux 6.18.
 */

#include "identify/holders.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"

/* Entries of /proc between two looks at the clock, which is a system call. */
#define N_PER_CLOCK 16

typedef struct Search {
        HolderSearch *s;
        uint64_t begin_nsec;
        unsigned n_looks;
        bool is_over; /* the time is used up */
} Search;

static bool is_over(Search *at) {
        HolderSearch *s = at->s;

        if (at->n_looks++ % N_PER_CLOCK == 0) {
                s->used_nsec = clock_now_nsec(CLOCK_THREAD_CPUTIME_ID) - at->begin_nsec;
                at->is_over = s->used_nsec >= s->budget_nsec;
        }
        return at->is_over || s->n_found == HOLDERS_MAX;
}

static bool is_it(const HolderSearch *s, int directory_fd, const char *link) {
        char path[PATH_MAX];
        struct statx st;
        ssize_t n;

        n = readlinkat(directory_fd, link, path, sizeof(path));
        /* One that does not fit may end so as well. */
        if (n <= 0 || (n < PATH_MAX && path_length_less_deleted(path, (size_t)n) == (size_t)n))
                return false;
        /* Any user can have a FUSE file open whose server never answers. */
        return statx(directory_fd, link, AT_STATX_DONT_SYNC, STATX_INO, &st) >= 0 &&
               makedev(st.stx_dev_major, st.stx_dev_minor) == s->device && st.stx_ino == s->inode;
}

/* The lowest descriptor, as far as time allows. Return: -1 none. */
static int find_fd(Search *at, int process_fd) {
        _cleanup_closedir_ DIR *d = NULL;
        const struct dirent *e;
        int fd, lowest = -1;

        fd = openat(process_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -1;
        d = fdopendir(fd);
        if (!d) {
                close(fd);
                return -1;
        }
        while ((e = readdir(d)) && !is_over(at)) {
                int n;

                if (e->d_name[0] == '.')
                        continue;
                n = atoi(e->d_name);
                if ((lowest < 0 || n < lowest) && is_it(at->s, fd, e->d_name))
                        lowest = n;
        }
        return lowest;
}

static void read_name(int process_fd, char ret_name[static HOLDER_NAME_BYTES]) {
        _cleanup_close_ int fd = openat(process_fd, "comm", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, ret_name, HOLDER_NAME_BYTES);

        if (n <= 0) {
                ret_name[0] = '\0';
                return;
        }
        if (n == HOLDER_NAME_BYTES || ret_name[n - 1] == '\n')
                n--;
        ret_name[n] = '\0';
}

static void look_at(Search *at, pid_t pid) {
        _cleanup_close_ int process_fd = -1;
        HolderSearch *s = at->s;
        Holder h = {.pid = pid};
        char number[16];

        if (pid == s->self || pid <= 0)
                return;
        for (size_t i = 0; i < s->n_found; i++)
                if (s->found[i].pid == pid)
                        return;
        snprintf(number, sizeof(number), "%d", (int)pid);
        process_fd = openat(s->proc_fd, number, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process_fd < 0)
                return;
        h.fd = find_fd(at, process_fd);
        if (h.fd < 0 && !is_it(s, process_fd, "exe"))
                return;
        read_name(process_fd, h.name);
        s->found[s->n_found++] = h;
}

static void look_at_all(Search *at) {
        _cleanup_closedir_ DIR *d = NULL;
        const struct dirent *e;
        int fd;

        fd = openat(at->s->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return;
        d = fdopendir(fd);
        if (!d) {
                close(fd);
                return;
        }
        while (!is_over(at) && (e = readdir(d)))
                look_at(at, (pid_t)atoi(e->d_name));
}

void holders_find(HolderSearch *s, const pid_t *first, size_t n_first) {
        Search at = {.s = s, .begin_nsec = clock_now_nsec(CLOCK_THREAD_CPUTIME_ID)};

        s->n_found = 0;
        for (size_t i = 0; i < n_first && !is_over(&at); i++)
                look_at(&at, first[i]);
        /* Who deletes what he has open himself is the usual case, and asks for no more. */
        if (s->n_found == 0)
                look_at_all(&at);
        s->used_nsec = clock_now_nsec(CLOCK_THREAD_CPUTIME_ID) - at.begin_nsec;
}
