/* SPDX-License-Identifier: MIT */

/*
 * The options that choose by whom a deleter works for: unit, container, login, ancestors.
 *
 * Units and containers are known by the names of control groups, so groups with such names do
 * without systemd and docker.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "harness.h"
#include "truth.h"

#define SLICE "whodunlink_test.slice"
#define ID "3f2a9c51e0d7b8c6a4f1e2d3c4b5a6978899aabbccddeeff0011223344556677"
#define LOGIN_UID "4711"
#define UNSET "4294967295"
#define N_DELETERS 3

static const struct {
        const char *group; /* below SLICE; NULL: stays where the test is */
        const char *login_uid;
        bool has_grandma; /* a shell by that name starts it */
} deleters[N_DELETERS] = {
        {"a\\x2db.service", LOGIN_UID, false},
        {"docker-" ID ".scope", UNSET, false},
        {NULL, UNSET, true},
};

static const struct {
        const char *options[3];
        bool shows[N_DELETERS];
} cases[] = {
        {{"--unit=a-b"}, {true, false, false}},
        {{"--unit=a-b.service"}, {true, false, false}},
        {{"--unit=a\\x2db.service"}, {true, false, false}},
        {{"--unit=a\\x2d*"}, {true, false, false}},
        {{"--unit=a-b.scope"}, {false, false, false}},
        {{"--unit=whodunlink_test*"}, {false, false, false}},
        {{"--unit=docker-*"}, {false, true, false}},
        {{"--unit=a-b", "--unit=docker-*"}, {true, true, false}},
        {{"--container=3f2a9c51e0d7"}, {false, true, false}},
        {{"--container=" ID}, {false, true, false}},
        {{"--container=3f2a*"}, {false, true, false}},
        {{"--container=3f2"}, {false, false, false}},
        {{"--container=a-b"}, {false, false, false}},
        {{"--loginuid=" LOGIN_UID}, {true, false, false}},
        {{"--loginuid=unset"}, {false, true, true}},
        {{"--loginuid=" LOGIN_UID, "--loginuid=unset"}, {true, true, true}},
        {{"--ancestor=grandma"}, {false, false, true}},
        {{"--ancestor=gr?ndm*"}, {false, false, true}},
        {{"--ancestor=/**/grandma"}, {false, false, true}},
        {{"--ancestor=/grandma"}, {false, false, false}},
        {{"--ancestor=grandpa"}, {false, false, false}},
        {{"--ancestor=worker"}, {false, false, false}},
        {{"--unit=docker-*", "--loginuid=unset"}, {false, true, false}},
        {{"--unit=docker-*", "--loginuid=" LOGIN_UID}, {false, false, false}},
        {{"--loginuid=unset", "--ancestor=grandma"}, {false, false, true}},
};

/* Where the groups are of which the program reads the names, as cgroup_path_parse() prefers. */
static char *group_path(const char *name) {
        static const char *const mounts[] = {"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified",
                                             "/sys/fs/cgroup"};

        for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
                _cleanup_free_ char *procs = harness_format("%s/cgroup.procs", mounts[i]);

                if (access(procs, W_OK) == 0)
                        return harness_format("%s/%s%s%s", mounts[i], SLICE, *name ? "/" : "",
                                              name);
        }
        harness_skip("no control groups to be made");
}

static void make_groups(void) {
        _cleanup_free_ char *slice = group_path("");

        if (mkdir(slice, 0755) < 0 && errno != EEXIST)
                harness_skip("no control group can be made: %s: %m", slice);
        for (int i = 0; i < N_DELETERS; i++) {
                _cleanup_free_ char *path =
                        deleters[i].group ? group_path(deleters[i].group) : NULL;

                harness_assert(!path || mkdir(path, 0755) == 0 || errno == EEXIST, "%s: %m", path);
        }
}

static void remove_groups(void) {
        _cleanup_free_ char *slice = group_path("");

        for (int i = 0; i < N_DELETERS; i++) {
                _cleanup_free_ char *path =
                        deleters[i].group ? group_path(deleters[i].group) : NULL;

                if (path)
                        (void)rmdir(path);
        }
        (void)rmdir(slice);
}

static bool write_text(const char *path, const char *text) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* In the child: 77 where the kernel does not let go of a login. */
__attribute__((noreturn)) static void play(int i, const char *grandma, const char *file) {
        _cleanup_free_ char *group = deleters[i].group ? group_path(deleters[i].group) : NULL;
        _cleanup_free_ char *procs = group ? harness_format("%s/cgroup.procs", group) : NULL;

        if (!write_text("/proc/self/loginuid", deleters[i].login_uid))
                _exit(77);
        if (procs && !write_text(procs, "0"))
                _exit(78);
        setenv("WORKER_MODE", "wait", 1);
        setenv("WORKER_FILE", file, 1);
        if (deleters[i].has_grandma)
                execl(grandma, "grandma", "-c", "\"$0\"; exit $?", harness_worker(), (char *)NULL);
        else
                execl(harness_worker(), "worker", (char *)NULL);
        _exit(127);
}

/* It deletes only after it was there for a while: what is asked about must be known for sure. */
static void run_deleter(int i, const char *grandma, const char *file) {
        int ready[2], go[2], status;
        char byte = 0;
        pid_t pid;

        harness_assert(pipe2(ready, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0, "pipe: %m");
        pid = fork();
        harness_assert(pid >= 0, "fork: %m");
        if (pid == 0) {
                dup2(go[0], STDIN_FILENO);
                dup2(ready[1], STDOUT_FILENO);
                play(i, grandma, file);
        }
        close(ready[1]);
        close(go[0]);
        if (read(ready[0], &byte, 1) == 1)
                harness_assert(write(go[1], &byte, 1) == 1, "write: %m");
        status = process_wait(pid, 20);
        close(ready[0]);
        close(go[1]);
        if (status == 77)
                harness_skip("no login user can be set");
        harness_assert(status == 0, "deleter %d: exit status %d", i, status);
}

START_TEST(on_whose_behalf) {
        Filesystem fs = fs_new(FS_TMPFS, "fs");
        _cleanup_truth_ Truth t = {0};
        char *grandma = harness_path("grandma"), *files[N_DELETERS];
        const char *args[5] = {NULL};
        size_t n = 0;
        Monitor m;

        make_groups();
        process_run(PROCESS_ARGS("cp", "/bin/sh", grandma));
        for (; cases[_i].options[n]; n++)
                args[n] = cases[_i].options[n];
        args[n] = fs.path;
        m = monitor_start(args);
        for (int i = 0; i < N_DELETERS; i++) {
                files[i] = harness_format("%s/file-%d", fs.path, i);
                harness_touch(files[i]);
                run_deleter(i, grandma, files[i]);
                if (cases[_i].shows[i])
                        truth_add(&t, "unlink", files[i], NULL);
        }
        remove_groups();
        truth_check(&t, &m, 0);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, on_whose_behalf, 0, sizeof(cases) / sizeof(*cases));
}

int main(void) {
        return harness_main("filters_behalf", add_tests);
}
