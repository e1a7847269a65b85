/* SPDX-License-Identifier: MIT */

/*
 * The deleter of the benchmarks: makes a tree, or removes its files and says how long that took:
 * nanoseconds of time and of CPU time, the latter with that of its children.
 *
 * Only the removing is timed. The tree is flat (DIRECTORIES below PATH, FILES in each), since what
 * is measured is unlinkat(2) and what a watcher adds to it, not a walk. The directories stay, so
 * the number of events is DIRECTORIES * FILES and nothing else.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RM "/bin/rm"

extern char **environ;

typedef struct Tree {
        const char *path;
        size_t n_directories, n_files; /* in each */
} Tree;

static uint64_t nsec_of(clockid_t clock) {
        struct timespec ts;

        clock_gettime(clock, &ts);
        return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static uint64_t nsec_of_timeval(const struct timeval *tv) {
        return (uint64_t)tv->tv_sec * UINT64_C(1000000000) + (uint64_t)tv->tv_usec * 1000;
}

/* CPU time of this process and of the children that it has waited for. */
static uint64_t cpu_nsec(void) {
        struct rusage u;

        getrusage(RUSAGE_CHILDREN, &u);
        return nsec_of(CLOCK_PROCESS_CPUTIME_ID) + nsec_of_timeval(&u.ru_utime) +
               nsec_of_timeval(&u.ru_stime);
}

static void name_directory(char name[static 32], size_t i) {
        snprintf(name, 32, "directory-%04zu", i);
}

static void name_file(char name[static 32], size_t i) {
        snprintf(name, 32, "file-%05zu", i);
}

/* Return: a descriptor, or a negative errno after having said what failed. */
static int open_directory(int dir_fd, const char *name) {
        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = -errno;

        if (fd >= 0)
                return fd;
        fprintf(stderr, "deleter: %s: %s\n", name, strerror(-r));
        return r;
}

static int make_files(int dir_fd, size_t n_files) {
        char name[32];

        for (size_t i = 0; i < n_files; i++) {
                int fd;

                name_file(name, i);
                fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
                if (fd < 0)
                        return -errno;
                close(fd);
        }
        return 0;
}

static int unlink_files(int dir_fd, size_t n_files) {
        char name[32];

        for (size_t i = 0; i < n_files; i++) {
                name_file(name, i);
                if (unlinkat(dir_fd, name, 0) < 0)
                        return -errno;
        }
        return 0;
}

static int spawn_rm(const char *path) {
        char *argv[] = {(char[]){RM}, (char *)path, NULL};
        int status, r;
        pid_t pid;

        r = -posix_spawn(&pid, RM, NULL, NULL, argv, environ);
        if (r < 0)
                return r;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return status == 0 ? 0 : -EIO;
}

static int make_tree(const Tree *t, int top_fd) {
        char name[32];

        for (size_t i = 0; i < t->n_directories; i++) {
                int fd, r;

                name_directory(name, i);
                if (mkdirat(top_fd, name, 0755) < 0)
                        return -errno;
                fd = open_directory(top_fd, name);
                if (fd < 0)
                        return fd;
                r = make_files(fd, t->n_files);
                close(fd);
                if (r < 0)
                        return r;
        }
        /* What is still to be written of this must not be written while the removing is timed. */
        return syncfs(top_fd) < 0 ? -errno : 0;
}

static int unlink_tree(const Tree *t, int top_fd) {
        char name[32];

        for (size_t i = 0; i < t->n_directories; i++) {
                int fd, r;

                name_directory(name, i);
                fd = open_directory(top_fd, name);
                if (fd < 0)
                        return fd;
                r = unlink_files(fd, t->n_files);
                close(fd);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One process a file. */
static int rm_tree(const Tree *t, int top_fd) {
        char directory[32], file[32], path[4096];

        (void)top_fd;
        for (size_t i = 0; i < t->n_directories; i++) {
                name_directory(directory, i);
                for (size_t j = 0; j < t->n_files; j++) {
                        int r;

                        name_file(file, j);
                        snprintf(path, sizeof(path), "%s/%s/%s", t->path, directory, file);
                        r = spawn_rm(path);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static const struct {
        const char *name;
        int (*run)(const Tree *t, int top_fd);
} verbs[] = {{"make", make_tree}, {"unlink", unlink_tree}, {"rm", rm_tree}};

int main(int argc, char **argv) {
        Tree t;
        size_t v = 0;
        uint64_t begin, cpu;
        int top_fd, r;

        while (argc == 5 && v < 3 && strcmp(argv[1], verbs[v].name) != 0)
                v++;
        if (argc != 5 || v == 3) {
                fputs("usage: deleter make|unlink|rm PATH DIRECTORIES FILES\n", stderr);
                return 2;
        }
        t = (Tree){argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10)};
        top_fd = open_directory(AT_FDCWD, t.path);
        if (top_fd < 0)
                return EXIT_FAILURE;

        begin = nsec_of(CLOCK_MONOTONIC);
        cpu = cpu_nsec();
        r = verbs[v].run(&t, top_fd);
        if (r < 0) {
                fprintf(stderr, "deleter: %s in %s: %s\n", argv[1], t.path, strerror(-r));
                return EXIT_FAILURE;
        }
        cpu = cpu_nsec() - cpu;
        printf("%" PRIu64 " %" PRIu64 "\n", nsec_of(CLOCK_MONOTONIC) - begin, cpu);
        close(top_fd);
        return EXIT_SUCCESS;
}
