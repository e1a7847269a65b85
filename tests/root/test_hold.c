/* SPDX-License-Identifier: MIT */

/*
 * --hold-exec: the shortest programs there are, started in every way there is, with all that they
 * were given.
 *
 * On a machine that has nothing else to do, most of them are read from /proc in time.  So where it
 * is about how they are started, the threads that could do that stand still until the programs are
 * gone, and what is told was held.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

/* Wide, since this is about what is told: a machine that stands still for a moment is no fault. */
#define HOLD "--hold-exec=500ms"
#define N_LOOPS 4
#define ARGS_MAX 8

static char *vanish(void) {
        const char *worker = harness_worker();
        char *path = harness_format("%.*s/vanish", (int)(strrchr(worker, '/') - worker), worker);

        if (access(path, X_OK) < 0)
                harness_skip("vanish is not built for this machine");
        return path;
}

/* Nothing was let go of before the end. */
static void assert_held(const Monitor *m) {
        harness_assert(!monitor_has_output(m, "no longer holding"), "%s", monitor_errors(m));
}

/* The thread of a process that has this name. */
static pid_t thread_of(pid_t pid, const char *name) {
        _cleanup_free_ char *path = harness_format("/proc/%d/task", (int)pid);
        _cleanup_closedir_ DIR *d = opendir(path);

        for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
                _cleanup_free_ char *file = harness_format("%s/%s/comm", path, e->d_name);
                _cleanup_free_ char *comm =
                        e->d_name[0] == '.' ? NULL : harness_read_file(file, NULL);

                if (comm && strcspn(comm, "\n") == strlen(name) &&
                    memcmp(comm, name, strlen(name)) == 0)
                        return (pid_t)strtol(e->d_name, NULL, 10);
        }
        harness_abort("no thread %s in %d", name, (int)pid);
}

static void halt(pid_t tid) {
        int status;

        ck_assert_int_eq(ptrace(PTRACE_SEIZE, tid, NULL, NULL), 0);
        ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL), 0);
        ck_assert_int_eq(waitpid(tid, &status, __WALL), tid);
}

static void go_on(pid_t tid) {
        ck_assert_int_eq(ptrace(PTRACE_DETACH, tid, NULL, NULL), 0);
}

/* From now on nobody of the monitor reads /proc, nor what is deleted. */
static void blindfold(const Monitor *m) {
        halt(m->pid);
        halt(thread_of(m->pid, "witness"));
}

/* First who tells of processes, with all that happened meanwhile. */
static void unblindfold(const Monitor *m) {
        go_on(thread_of(m->pid, "witness"));
        harness_sleep(harness_is_sanitized() ? 3 : 0.5);
        go_on(m->pid);
}

typedef struct Loop {
        const char *program;
        size_t n;
        char **files;
        pid_t pid;
        pid_t *deleters; /* shared */
} Loop;

static void run_loop(void *userdata) {
        Loop *loop = userdata;

        for (size_t i = 0; i < loop->n; i++) {
                char *argv[] = {(char[]){"vanish"}, loop->files[i], NULL};
                int status = -1;

                if (posix_spawn(&loop->deleters[i], loop->program, NULL, NULL, argv, environ) ||
                    waitpid(loop->deleters[i], &status, 0) < 0 || status != 0)
                        _exit(EXIT_FAILURE);
        }
}

static void prepare_loop(Loop *loop, const char *directory, size_t k) {
        loop->program = vanish();
        loop->n = harness_scale(500, 50);
        loop->files = calloc(loop->n, sizeof(*loop->files));
        loop->deleters = process_shared_alloc(loop->n * sizeof(pid_t));
        for (size_t i = 0; i < loop->n; i++) {
                loop->files[i] = harness_format("%s/%zu-%zu", directory, k, i);
                harness_touch(loop->files[i]);
        }
}

static void tell_loop(const Loop *loop, Truth *t, const pid_t *lineage, size_t n_lineage) {
        Process *p = calloc(loop->n, sizeof(*p));
        const char **args = calloc(loop->n * 3, sizeof(*args));

        for (size_t i = 0; i < loop->n; i++) {
                args[i * 3] = "vanish";
                args[i * 3 + 1] = loop->files[i];
                p[i] = (Process){
                        .pid = loop->deleters[i],
                        .ppid = loop->pid,
                        .name = "vanish",
                        .executable = loop->program,
                        .args = args + i * 3,
                        .user_id = "0",
                        .ancestors = lineage,
                        .n_ancestors = n_lineage,
                };
                truth_add(t, "unlink", loop->files[i], &p[i]);
        }
}

static TruthDiff storm(bool is_held) {
        const char *name = is_held ? "held" : "not held";
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        pid_t lineage[N_LOOPS][PROCESS_ANCESTORS_MAX];
        size_t n_lineage[N_LOOPS];
        _cleanup_truth_ Truth t = {0};
        Loop loops[N_LOOPS] = {0};
        TruthDiff diff;
        Monitor m;

        for (size_t k = 0; k < N_LOOPS; k++)
                prepare_loop(&loops[k], fs.path, k);
        m = monitor_start(is_held ? MONITOR_ARGS(HOLD, fs.path) : MONITOR_ARGS(fs.path));
        for (size_t k = 0; k < N_LOOPS; k++) {
                loops[k].pid = process_fork(run_loop, &loops[k]);
                lineage[k][0] = loops[k].pid;
                n_lineage[k] = 1 + process_ancestors(loops[k].pid, lineage[k] + 1);
        }
        for (size_t k = 0; k < N_LOOPS; k++)
                ck_assert_int_eq(process_wait(loops[k].pid, 120), 0);
        for (size_t k = 0; k < N_LOOPS; k++)
                tell_loop(&loops[k], &t, lineage[k], n_lineage[k]);
        if (is_held)
                assert_held(&m);
        monitor_stop(&m);
        diff = truth_compare(&t, &m);
        harness_note("%s: %zu of %zu with all facts", name, diff.n_records - diff.n_unknown,
                     diff.n_records);
        return diff;
}

START_TEST(storm_held) {
        TruthDiff diff = storm(true);

        truth_assert(&diff, 0);
}
END_TEST

/* How many of them luck has all facts of is noted; none of them may be wrong. */
START_TEST(storm_not_held) {
        TruthDiff diff = storm(false);

        truth_assert(&diff, diff.n_records);
}
END_TEST

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
        char *program = vanish(), *script = way->script ? harness_path("%s", way->script) : NULL;

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

        make_scripts(vanish());
        m = monitor_start(MONITOR_ARGS(HOLD, fs.path));
        blindfold(&m);
        run_way(&ways[_i], fs.path, 20, &t);
        unblindfold(&m);
        harness_note("started %s", ways[_i].name);
        assert_held(&m);
        truth_check(&t, &m, 0);
}
END_TEST

/* More than is kept: the beginning is told, and that there was more. */
START_TEST(many_arguments) {
        static char rest[100000];
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start(MONITOR_ARGS(HOLD, fs.path));
        char *program = vanish();
        _cleanup_reader_ RecordReader reader = {0};

        memset(rest, 'r', sizeof(rest) - 1);
        blindfold(&m);
        for (int i = 0; i < 20; i++) {
                char *file = harness_format("%s/%d", fs.path, i);

                harness_touch(file);
                process_run(PROCESS_ARGS(program, "first", rest, file));
        }
        unblindfold(&m);
        assert_held(&m);
        monitor_stop(&m);
        reader = record_reader_new(m.output_path);
        for (int i = 0; i < 20; i++) {
                struct json_object *record = record_next_deletion(&reader);

                ck_assert_str_eq(record_arg(record, 0).data, program);
                ck_assert_str_eq(record_arg(record, 1).data, "first");
                ck_assert_uint_eq(record_arg(record, 2).n, 4096 - strlen(program) - 1 - 6);
                ck_assert(json_object_get_boolean(record_get(record, "whodunlink.args_cut")));
        }
}
END_TEST

static char *copy_to(const char *program, const char *directory) {
        char *path = harness_format("%s/vanish", directory);

        process_run(PROCESS_ARGS("cp", program, path));
        return path;
}

/* Programs on what is mounted during the watch are held like all others. */
START_TEST(mounted_later) {
        static const char *const overlay = "lowerdir=%1$s/l,upperdir=%1$s/u,workdir=%1$s/w";
        bool is_overlay = _i > 0;
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        Monitor m = monitor_start(MONITOR_ARGS(HOLD, fs.path));
        char *point = harness_path("later"), *program;
        _cleanup_truth_ Truth t = {0};

        harness_mkdir(point);
        for (const char *const *d = PROCESS_ARGS("l", "u", "w"); *d; d++)
                harness_mkdir(harness_path("%s", *d));
        program = copy_to(vanish(), harness_path("l"));
        ck_assert_int_eq(mount(is_overlay ? "overlay" : "later", point,
                               is_overlay ? "overlay" : "tmpfs", 0,
                               is_overlay ? harness_format(overlay, harness_work()) : NULL),
                         0);
        program = is_overlay ? harness_format("%s/vanish", point) : copy_to(vanish(), point);
        harness_sleep(0.5); /* the mount table's change is told to nobody who could tell us */
        blindfold(&m);
        for (size_t i = 0; i < 20; i++) {
                char *file = harness_format("%s/%zu", fs.path, i);
                const char **args = calloc(3, sizeof(*args));
                Process *p = malloc(sizeof(*p));

                harness_touch(file);
                args[0] = program;
                args[1] = file;
                *p = process_child_truth(args);
                p->pid = process_run(args);
                truth_add(&t, "unlink", file, p);
        }
        unblindfold(&m);
        assert_held(&m);
        truth_check(&t, &m, 0);
}
END_TEST

/* Without process events nobody says which of the held programs started. */
START_TEST(no_process_events) {
        Monitor m;
        char *errors;

        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        m = monitor_spawn(MONITOR_ARGS("watch", "--hold-exec", harness_work()));
        ck_assert_int_eq(monitor_wait(&m, MONITOR_TIMEOUT_SEC), 1);
        errors = monitor_errors(&m);
        harness_assert(strstr(errors, "cannot hold programs (--hold-exec): without process events"),
                       "%s", errors);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, storm_held);
        tcase_add_test(tcase, storm_not_held);
        tcase_add_loop_test(tcase, every_way, 0, N_WAYS);
        tcase_add_test(tcase, many_arguments);
        tcase_add_loop_test(tcase, mounted_later, 0, 2);
        tcase_add_test(tcase, no_process_events);
}

int main(void) {
        return harness_main("hold", add_tests);
}
