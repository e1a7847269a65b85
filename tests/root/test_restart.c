/* SPDX-License-Identifier: MIT */

/*
 * Restarted, reloaded and killed while files are deleted: each deletion is told, by whom is known,
 * and what is told twice is the same event.
 */

#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filesystem.h"
#include "harness.h"
#include "manager.h"
#include "process.h"
#include "record.h"

#define FILES_A_DIRECTORY 10
#define DIRECTORIES_MAX 20000

/* Directories with files, each removed whole by an rm of its own; NULL after the last. */
typedef struct Storm {
        const char *path;
        size_t n_directories;
        volatile bool *is_stopping;
        volatile size_t *n_done; /* directories that were removed */
        pid_t pid;
} Storm;

/* What was told of one name. */
typedef struct Told {
        char *id;
        size_t n_records;
} Told;

typedef struct Tally {
        Told (*told)[FILES_A_DIRECTORY + 1]; /* of each directory: its files, then itself */
        size_t n_deletions, n_doubled, n_other_ids, n_unnamed, n_misnamed, n_placeless, n_losses;
        size_t n_cut;             /* lines that are no records */
        size_t instance, n_lines; /* of which the next line is */
} Tally;

static void storm(void *userdata) {
        const Storm *s = userdata;

        for (size_t i = 0; i < s->n_directories && !*s->is_stopping; i++) {
                char *directory = harness_format("%s/d%zu", s->path, i);

                harness_mkdir(directory);
                for (int k = 0; k < FILES_A_DIRECTORY; k++) {
                        char *file = harness_format("%s/f%d", directory, k);

                        harness_touch(file);
                        free(file);
                }
                process_run(PROCESS_ARGS("rm", "-r", directory));
                free(directory);
                *s->n_done = i + 1;
        }
}

static Storm storm_start(const Filesystem *fs) {
        struct {
                bool is_stopping;
                size_t n_done;
        } *shared = process_shared_alloc(sizeof(*shared));
        Storm *s = calloc(1, sizeof(*s));

        *s = (Storm){.path = fs->path,
                     .n_directories = DIRECTORIES_MAX,
                     .is_stopping = &shared->is_stopping,
                     .n_done = &shared->n_done};
        s->pid = process_fork(storm, s);
        return *s;
}

static size_t storm_stop(Storm *s) {
        *s->is_stopping = true;
        ck_assert_int_eq(process_wait(s->pid, 60), 0);
        return *s->n_done;
}

static void tally_deletion(Tally *t, struct json_object *record) {
        const char *path = record_string(record, "file.path"), *at;
        const char *name = record_string(record, "process.name");
        const char *id = record_string(record, "event.id");
        size_t directory, file;
        Told *told;

        t->n_deletions++;
        if (!name && t->n_unnamed++ % 11 == 0)
                harness_note("no name: line %zu of instance %zu: %s, %s, pid %d, at %s", t->n_lines,
                             t->instance, id, record_string(record, "whodunlink.attribution"),
                             (int)record_number(record, "process.pid"),
                             record_string(record, "@timestamp"));
        t->n_misnamed += name && strcmp(name, "rm") != 0;
        at = path ? strstr(path, "/d") : NULL;
        if (!at || !record_string(record, "file.directory")) {
                t->n_placeless++;
                return;
        }
        if (sscanf(at, "/d%zu/f%zu", &directory, &file) != 2)
                file = FILES_A_DIRECTORY;
        ck_assert_uint_lt(directory, DIRECTORIES_MAX);
        told = &t->told[directory][file];
        if (told->n_records++ > 0) {
                t->n_doubled++;
                t->n_other_ids += strcmp(told->id, id) != 0;
                return;
        }
        told->id = strdup(id);
}

static void tally_line(Tally *t, const char *line) {
        struct json_object *record = json_tokener_parse(line);

        t->n_lines++;
        if (!record) {
                t->n_cut++;
                return;
        }
        if (strcmp(record_string(record, "event.dataset"), "whodunlink.deletion") == 0)
                tally_deletion(t, record);
        else if (strcmp(record_string(record, "event.action"), "loss") == 0) {
                t->n_losses++;
                harness_note("%s", record_string(record, "message"));
        }
        json_object_put(record);
}

static Tally tally(const Manager *m) {
        Tally t = {.told = calloc(DIRECTORIES_MAX, sizeof(*t.told))};

        for (size_t i = 0; i < m->n_instances; i++) {
                FILE *f = fopen(m->output_paths[i], "re");
                char *line = NULL;
                size_t n = 0;

                harness_assert(f, "%s: %m", m->output_paths[i]);
                t.instance = i;
                t.n_lines = 0;
                while (getline(&line, &n, f) >= 0)
                        tally_line(&t, line);
                free(line);
                fclose(f);
        }
        return t;
}

static size_t count_missing(const Tally *t, size_t n_directories) {
        size_t n = 0;

        for (size_t i = 0; i < n_directories; i++)
                for (size_t k = 0; k <= FILES_A_DIRECTORY; k++) {
                        if (t->told[i][k].n_records > 0)
                                continue;
                        if (n++ < 30)
                                harness_note("d%zu/f%zu is missing; %s before it", i, k,
                                             i > 0 && t->told[i - 1][FILES_A_DIRECTORY].id
                                                     ? t->told[i - 1][FILES_A_DIRECTORY].id
                                                     : "nothing");
                }
        return n;
}

static Manager start(const Filesystem *fs) {
        const char **args = calloc(6, sizeof(*args));
        Manager m;

        args[0] = "watch";
        args[1] = "--output=json";
        args[2] = fs->path;
        m = manager_new(args);
        manager_start(&m);
        return m;
}

/* @n_kills: how many of them may cut off the last line of an instance */
static void check(Manager *m, Storm *s, size_t n_kills) {
        size_t n_directories;
        Tally t;

        n_directories = storm_stop(s);
        /* The end drains what is queued. */
        ck_assert_int_eq(manager_end(m, SIGTERM), 0);
        t = tally(m);
        harness_note("%zu directories, %zu records, %zu told again, %zu lines cut off, %zu losses, "
                     "%zu without a name",
                     n_directories, t.n_deletions, t.n_doubled, t.n_cut, t.n_losses, t.n_unnamed);
        harness_assert(n_directories > 5, "only %zu directories: no storm", n_directories);
        ck_assert_uint_eq(count_missing(&t, n_directories), 0);
        ck_assert_uint_eq(t.n_other_ids, 0);
        ck_assert_uint_eq(t.n_misnamed, 0);
        ck_assert_uint_eq(t.n_placeless, 0);
        harness_assert(t.n_unnamed <= harness_unknown_allowed(t.n_deletions),
                       "%zu of %zu deletions without a name", t.n_unnamed, t.n_deletions);
        ck_assert_uint_le(t.n_cut, n_kills);
        if (n_kills == 0)
                ck_assert_uint_eq(t.n_doubled, 0);
        manager_drop(m);
}

static void at_random(Manager *m) {
        manager_pump(m, 0.05 + (double)(random() % 1000) / 1000 * 0.4);
}

START_TEST(restarts) {
        Filesystem fs = fs_new((FsKind)_i, "restarts");
        Manager m = start(&fs);
        Storm s = storm_start(&fs);

        srandom((unsigned)getpid());
        for (size_t i = 0; i < harness_scale(5, 2); i++) {
                at_random(&m);
                manager_restart(&m, SIGTERM);
        }
        at_random(&m);
        check(&m, &s, 0);
}
END_TEST

START_TEST(kills) {
        Filesystem fs = fs_new((FsKind)_i, "kills");
        Manager m = start(&fs);
        Storm s = storm_start(&fs);

        srandom((unsigned)getpid());
        for (size_t i = 0; i < harness_scale(5, 2); i++) {
                at_random(&m);
                manager_restart(&m, SIGKILL);
        }
        at_random(&m);
        check(&m, &s, harness_scale(5, 2));
}
END_TEST

/* Twenty of each, spread over all deletions; 100,000 of them with WHODUNLINK_TEST_SCALE=1150. */
START_TEST(restarts_and_kills) {
        const size_t n_directories = harness_scale(800, 80);
        Filesystem fs = fs_new(FS_TMPFS, "both");
        Manager m = start(&fs);
        Storm s = storm_start(&fs);

        srandom((unsigned)getpid());
        for (size_t i = 0; i < 40; i++) {
                while (*s.n_done < n_directories * (i + 1) / 41)
                        manager_pump(&m, 0.005);
                manager_pump(&m, (double)(random() % 1000) / 1000 * 0.1);
                manager_restart(&m, i % 2 == 0 ? SIGTERM : SIGKILL);
        }
        while (*s.n_done < n_directories)
                manager_pump(&m, 0.01);
        check(&m, &s, 20);
}
END_TEST

static size_t count_in_output(const Manager *m, const char *text) {
        size_t n = 0;

        for (size_t i = 0; i < m->n_instances; i++) {
                char *bytes = harness_read_file(m->output_paths[i], NULL);

                for (char *at = bytes; (at = strstr(at, text)); at++)
                        n++;
                free(bytes);
        }
        return n;
}

static void wait_for(Manager *m, const char *text) {
        double end = harness_now() + MONITOR_TIMEOUT_SEC;

        while (count_in_output(m, text) == 0) {
                harness_assert(harness_now() < end, "no %s: %s", text, manager_errors(m));
                manager_pump(m, 0.01);
        }
}

/* What the second instance has written, from there on. */
static char *wait_for_second(Manager *m, const char *text) {
        double end = harness_now() + MONITOR_TIMEOUT_SEC;

        for (;;) {
                char *at = strstr(harness_read_file(m->output_paths[1], NULL), text);

                if (at)
                        return at;
                harness_assert(harness_now() < end, "no %s: %s", text, manager_errors(m));
                manager_pump(m, 0.01);
        }
}

static void delete_in(const char *directory, const char *name) {
        char *path = harness_format("%s/%s", directory, name);

        harness_touch(path);
        harness_unlink(path);
        free(path);
}

/* Nobody is there for a while: what is deleted then, and a program that ended then, are known. */
START_TEST(gap) {
        Filesystem fs = fs_new(FS_TMPFS, "gap");
        char *file = harness_format("%s/file", fs.path), *line;
        Manager m = start(&fs);

        /* Where rm is, an exit record does not say: it has to be known from before. */
        harness_touch(file);
        process_run(PROCESS_ARGS("rm", file));
        wait_for(&m, "/file\"");
        harness_touch(file);
        ck_assert_int_eq(manager_end(&m, _i), _i == SIGKILL ? 128 + SIGKILL : 0);
        process_run(PROCESS_ARGS("rm", file));
        /* It is gone when the next one comes; its name can only be from its exit record. */
        manager_start(&m);
        line = wait_for_second(&m, "/file\"");
        harness_assert(strstr(line, "\"name\":\"rm\""), "%.800s", line);
        harness_assert(strstr(line, "/rm\""), "%.800s", line);
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        ck_assert_uint_eq(count_in_output(&m, "/file\",\"name\""), 2);
        manager_drop(&m);
}
END_TEST

/* Where each directory has a mark, the paths come from an index that is made anew. */
START_TEST(marked_directories) {
        Filesystem fs = fs_new(FS_OVERLAY, "directories");
        char *directory = harness_format("%s/there", fs.path);
        Manager m;

        harness_mkdir(directory);
        m = start(&fs);
        ck_assert_int_eq(manager_end(&m, SIGKILL), 128 + SIGKILL);
        for (int i = 0; i < 50; i++)
                delete_in(directory, harness_format("f%d", i));
        manager_start(&m);
        wait_for(&m, "/there/f49\"");
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        for (int i = 0; i < 50; i++)
                ck_assert_uint_eq(
                        count_in_output(&m, harness_format("\"path\":\"%s/f%d\"", directory, i)),
                        1);
        manager_drop(&m);
}
END_TEST

/* Until it runs, and for as long as whoever looks at new programs may take. */
static void wait_for_program(Manager *m, pid_t pid, const char *name) {
        char *path = harness_format("/proc/%d/comm", (int)pid), *comm;
        double end = harness_now() + 30;
        bool is_running;

        do {
                harness_assert(harness_now() < end, "%d does not become %s", (int)pid, name);
                manager_pump(m, 0.05);
                comm = harness_read_file(path, NULL);
                is_running = strncmp(comm, name, strlen(name)) == 0 && comm[strlen(name)] == '\n';
                free(comm);
        } while (!is_running);
        manager_pump(m, 1);
        free(path);
}

/* A program that began before the kill and ended after it: with its arguments. */
START_TEST(program_over_a_kill) {
        Filesystem fs = fs_new(FS_TMPFS, "over");
        Manager m = start(&fs);
        char *file = harness_format("%s/file", fs.path), *line;
        int go[2];
        pid_t pid;

        harness_touch(file);
        ck_assert_int_eq(pipe(go), 0);
        pid = process_spawn_io(PROCESS_ARGS("sh", "-c", "read x; exec 3<&-; unlink \"$0\"", file),
                               go[0], -1);
        wait_for_program(&m, pid, "sh");
        ck_assert_int_eq(manager_end(&m, SIGKILL), 128 + SIGKILL);
        ck_assert_int_eq(write(go[1], "\n", 1), 1);
        ck_assert_int_eq(process_wait(pid, 30), 0);
        manager_start(&m);
        line = wait_for_second(&m, "/file\"");
        /* The parent has ended as well, and only the killed instance had read its arguments. */
        harness_assert(strstr(line, "read x; exec"), "%.800s", line);
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        manager_drop(&m);
}
END_TEST

/* With the last one that keeps the group, the marks go. */
START_TEST(stop_ends_the_watch) {
        Filesystem fs = fs_new(FS_TMPFS, "stop");
        Manager m = start(&fs);

        ck_assert(manager_keeps(&m, "run") && manager_keeps(&m, "processes"));
        ck_assert(manager_keeps(&m, "process-events"));
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        manager_drop(&m);
        delete_in(fs.path, "unseen");
        manager_start(&m);
        delete_in(fs.path, "seen");
        wait_for(&m, "/seen\"");
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        ck_assert_uint_eq(count_in_output(&m, "/unseen\""), 0);
}
END_TEST

/* The group that holds programs must not outlive who answers it: nothing but what it needs. */
START_TEST(held_programs_are_not_kept) {
        Filesystem fs = fs_new(FS_TMPFS, "held");
        const char *args[] = {"watch", "--output=json", "--hold-exec", fs.path, NULL};
        Manager m = manager_new(args);
        size_t n;

        manager_start(&m);
        n = m.n_fds;
        for (size_t i = 0; i < n; i++)
                harness_note("kept: %s", m.fds[i].name);
        ck_assert_uint_eq(n, 4 + manager_keeps(&m, "exits") + 1);
        ck_assert_int_eq(manager_end(&m, SIGKILL), 128 + SIGKILL);
        /* Would hang, if anybody still had it. */
        process_run(PROCESS_ARGS("true"));
        manager_drop(&m);
}
END_TEST

/* A main loop that hangs says nothing any more; whoever watches over it ends it and starts anew. */
START_TEST(hang) {
        Filesystem fs = fs_new(FS_TMPFS, "hang");
        const char *args[] = {"watch", "--output=json", fs.path, NULL};
        Manager m = manager_new(args);
        double silent_since;
        unsigned n;

        m.watchdog_usec = "1000000";
        manager_start(&m);
        ck_assert_int_eq(kill(m.pid, SIGSTOP), 0);
        manager_pump(&m, 0.1);
        for (int i = 0; i < 50; i++)
                delete_in(fs.path, harness_format("f%d", i));
        for (silent_since = harness_now(), n = m.n_watchdogs; harness_now() < silent_since + 1;
             manager_pump(&m, 0.1))
                ck_assert_uint_eq(m.n_watchdogs, n);
        manager_restart(&m, SIGKILL);
        for (int i = 0; i < 50; i++)
                wait_for(&m, harness_format("/f%d\"", i));
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        manager_drop(&m);
}
END_TEST

START_TEST(vanished_filesystem) {
        Filesystem fs = fs_new(FS_TMPFS, "both");
        char *inner = harness_format("%s/inner", fs.path);
        Manager m;

        harness_mkdir(inner);
        ck_assert_int_eq(mount("tmpfs", inner, "tmpfs", 0, NULL), 0);
        m = start(&fs);
        ck_assert_int_eq(manager_end(&m, SIGKILL), 128 + SIGKILL);
        delete_in(inner, "a");
        delete_in(inner, "b");
        delete_in(fs.path, "c");
        ck_assert_int_eq(umount(inner), 0);
        manager_start(&m);
        wait_for(&m, "/c\"");
        wait_for(&m, "\"loss\":{\"where\":\"file events\",\"count\":2,");
        /* Two descriptors of it are let go of. */
        ck_assert_uint_eq(m.n_removed, 2);
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        manager_drop(&m);
}
END_TEST

/* A manager with too little room keeps some, and says nothing. */
START_TEST(lost_group) {
        Filesystem fs = fs_new(FS_TMPFS, "group");
        Manager m = start(&fs);

        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        for (size_t i = 0; i < m.n_fds; i++)
                if (strstr(m.fds[i].name, ".group")) {
                        close(m.fds[i].fd);
                        m.fds[i] = m.fds[--m.n_fds];
                        break;
                }
        delete_in(fs.path, "unseen");
        manager_start(&m);
        wait_for(&m, "\"loss\":{\"where\":\"file events\",\"filesystem\":");
        delete_in(fs.path, "seen");
        wait_for(&m, "/seen\"");
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        manager_drop(&m);
}
END_TEST

START_TEST(other_version) {
        const uint32_t version = 4711;
        Filesystem fs = fs_new(FS_TMPFS, "version");
        Manager m = start(&fs);
        size_t n_fds = m.n_fds;

        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        ck_assert_int_eq(
                pwrite(manager_fd(&m, _i == 0 ? "run" : "processes"), &version, sizeof(version), 8),
                sizeof(version));
        manager_start(&m);
        harness_assert(strstr(manager_errors(&m), "another version"), "%s", manager_errors(&m));
        ck_assert_uint_eq(m.n_fds, n_fds);
        ck_assert_uint_gt(m.n_removed, 0);
        delete_in(fs.path, "seen");
        wait_for(&m, "/seen\"");
        ck_assert_int_eq(manager_end(&m, SIGTERM), 0);
        manager_drop(&m);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, gap, SIGKILL, SIGKILL + 1);
        tcase_add_loop_test(tcase, gap, SIGTERM, SIGTERM + 1);
        tcase_add_test(tcase, program_over_a_kill);
        tcase_add_test(tcase, stop_ends_the_watch);
        tcase_add_test(tcase, held_programs_are_not_kept);
        tcase_add_test(tcase, hang);
        tcase_add_test(tcase, vanished_filesystem);
        tcase_add_test(tcase, lost_group);
        tcase_add_loop_test(tcase, other_version, 0, 2);
        tcase_add_loop_test(tcase, restarts, FS_TMPFS, FS_EXT4 + 1);
        tcase_add_loop_test(tcase, kills, FS_TMPFS, FS_EXT4 + 1);
        tcase_add_test(tcase, restarts_and_kills);
        tcase_add_test(tcase, marked_directories);
}

int main(void) {
        return harness_main("restart", add);
}
