/* SPDX-License-Identifier: MIT */

/*
 * --hold-exec: a program started in every way there is, and what the kernel makes of its arguments
 * and its name.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filesystem.h"
#include "harness.h"
#include "held.h"

#define ARGS_MAX 8

/* One way to start a program. */
typedef struct Way {
        const char *name;
        void (*start)(char *program, char **argv); /* in the child; does not return */
        const char *script;                        /* NULL: vanish itself */
} Way;

static void start_exec(char *program, char **argv) {
        execv(program, argv);
}

static void start_at(char *program, char **argv) {
        dup2(open("/", O_PATH | O_DIRECTORY), 100);
        syscall(SYS_execveat, 100, program + 1, argv, environ, 0);
}

/* The descriptor has the same number each time: a script is told it. */
static void start_by_descriptor(char *program, char **argv) {
        dup2(open(program, O_RDONLY), 100);
        syscall(SYS_execveat, 100, "", argv, environ, AT_EMPTY_PATH);
}

typedef struct Given {
        char *program, **argv;
} Given;

static void *exec_thread(void *userdata) {
        const Given *g = userdata;

        execv(g->program, g->argv);
        return NULL;
}

static void start_by_thread(char *program, char **argv) {
        Given g = {program, argv};
        pthread_t thread;

        if (pthread_create(&thread, NULL, exec_thread, &g) == 0)
                pthread_join(thread, NULL);
}

/* Some calls fail before one does not: with the same arguments, in the same place. */
static void start_after_failures(char *program, char **argv) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/not-a-program", harness_work());
        execv(path, argv);
        execv(path, argv);
        snprintf(path, sizeof(path), "%s/no-interpreter", harness_work());
        execv(path, argv);
        snprintf(path, sizeof(path), "%s", program);
        execv(path, argv);
}

#if defined(__x86_64__)
/* The call of a 32-bit program, whose addresses have 32 bits. */
static void start_compat(char *program, char **argv) {
        char *low = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        uint32_t *list = (uint32_t *)(void *)low;
        char *at = low + 4096;
        long r;

        if (low == MAP_FAILED)
                return;
        for (size_t i = 0; argv[i]; i++) {
                list[i] = (uint32_t)(uintptr_t)at;
                at = stpcpy(at, argv[i]) + 1;
        }
        strcpy(at, program);
        __asm__ volatile("int $0x80"
                         : "=a"(r)
                         : "a"(11), "b"(at), "c"(list), "d"(0)
                         : "memory", "r8", "r9", "r10", "r11");
        _exit(r == -ENOSYS ? 38 : 125);
}
#endif

static const Way ways[] = {
        {"plainly", start_exec, NULL},
        {"relative to a directory", start_at, NULL},
        {"by its descriptor", start_by_descriptor, NULL},
        {"by a thread", start_by_thread, NULL},
        {"after failures", start_after_failures, NULL},
        {"as a script", start_exec, "script"},
        {"as a script of a script", start_exec, "outer"},
        {"as a script, relative to a directory", start_at, "script"},
        {"as a script, by its descriptor", start_by_descriptor, "script"},
        {"as a script, by a thread", start_by_thread, "script"},
        {"as a script that env looks for", start_exec, "env"},
#if defined(__x86_64__)
        {"as a 32-bit program does", start_compat, NULL},
        {"as a script, as a 32-bit program does", start_compat, "script"},
#endif
};

#define N_WAYS ((int)(sizeof(ways) / sizeof(ways[0])))

static char *make_script(const char *name, const char *before, const char *interpreter,
                         const char *behind) {
        char *path = harness_path("%s", name);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

        ck_assert(fd >= 0 && dprintf(fd, "%s%s%s\n", before, interpreter, behind) > 0);
        close(fd);
        return path;
}

static void make_scripts(const char *program) {
        make_script("script", "#! ", program, " -x  y ");
        make_script("outer", "#!", make_script("inner", "#!", program, " -i"), " -o");
        make_script("env", "#!", "/usr/bin/env", " vanish");
        make_script("not-a-program", "unlink", "", "");
        make_script("no-interpreter", "#!", "/nonexistent", "");
        setenv("PATH",
               harness_format("%.*s:%s", (int)(strrchr(program, '/') - program), program,
                              getenv("PATH")),
               1);
}

/* What the kernel makes of vanish's arguments and name. */
static Process expected_of(const Way *way, const char *program, const char *script,
                           const char *file) {
        const char **args = calloc(ARGS_MAX, sizeof(*args));
        Process p = {.executable = program, .args = args, .ppid = getpid(), .user_id = "0"};
        size_t n = 0;

        p.name = way->script ? way->script : "vanish";
        p.working_directory = getcwd(NULL, 0);
        if (way->start == start_by_descriptor)
                p.name = NULL; /* until Linux 6.13 the number of the descriptor */
        if (!way->script) {
                args[n++] = "zero";
        } else if (strcmp(way->script, "env") == 0) {
                p.name = args[n++] = "vanish";
                args[n++] = script;
        } else {
                args[n++] = program;
                args[n++] = strcmp(way->script, "outer") == 0 ? "-i" : "-x  y";
                if (strcmp(way->script, "outer") == 0) {
                        args[n++] = harness_path("inner");
                        args[n++] = "-o";
                }
                args[n++] = way->start == start_by_descriptor ? "/dev/fd/100"
                            : way->start == start_at ? harness_format("/dev/fd/100%s", script)
                                                     : script;
        }
        args[n++] = "one";
        args[n++] = file;
        return p;
}

static pid_t start(const Way *way, char *program, const char *file) {
        char *argv[] = {(char[]){"zero"}, (char[]){"one"}, (char *)file, NULL};
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                way->start(program, argv);
                _exit(126);
        }
        return pid;
}

static void run_way(const Way *way, const char *directory, size_t n, Truth *t) {
        char *program = held_vanish(),
             *script = way->script ? harness_path("%s", way->script) : NULL;

        for (size_t i = 0; i < n; i++) {
                char *file = harness_format("%s/%zu", directory, i);
                Process *p = malloc(sizeof(*p));
                int status;

                harness_touch(file);
                *p = expected_of(way, program, script, file);
                p->pid = start(way, script ? script : program, file);
                status = process_wait(p->pid, 20);
                if (status == 38)
                        harness_skip("no 32-bit programs here");
                ck_assert_int_eq(status, 0);
                truth_add(t, "unlink", file, p);
        }
}

START_TEST(every_way) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_truth_ Truth t = {0};
        Monitor m;

        make_scripts(held_vanish());
        m = monitor_start(MONITOR_ARGS(HELD_OPTION, fs.path));
        held_blindfold(&m);
        run_way(&ways[_i], fs.path, 20, &t);
        held_unblindfold(&m);
        harness_note("started %s", ways[_i].name);
        held_check(&t, &m);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, every_way, 0, N_WAYS);
}

int main(void) {
        return harness_main("hold_ways", add_tests);
}
