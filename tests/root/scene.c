/* SPDX-License-Identifier: MIT */

/*
 * See scene.h.  Files that are gone before the monitor starts, or that are still there in the end,
 * are a mistake of the test: each must have its record.
 */

#include "scene.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "record.h"
#include "truth_facts.h"

Scene scene_prepare(size_t n_files) {
        Scene s = {.fs = fs_new(FS_TMPFS, "fs"), .n_files = n_files};

        harness_assert(n_files <= SCENE_FILES_MAX, "too many files");
        harness_assert(chmod(s.fs.path, 0777) == 0, "%s: %m", s.fs.path);
        for (size_t i = 0; i < n_files; i++) {
                s.files[i] = harness_format("%s/file-%02zu", s.fs.path, i);
                harness_touch(s.files[i]);
        }
        return s;
}

void scene_start(Scene *s) {
        s->m = monitor_start(MONITOR_ARGS(s->fs.path));
}

Scene scene_new(size_t n_files) {
        Scene s = scene_prepare(n_files);

        scene_start(&s);
        return s;
}

void scene_await(const Scene *s, size_t i) {
        _cleanup_free_ char *text = harness_format("\"path\":\"%s\"", s->files[i]);

        monitor_wait_for_output(&s->m, text, MONITOR_TIMEOUT_SEC);
}

void scene_delete(const Scene *s, size_t i) {
        harness_unlink(s->files[i]);
        scene_await(s, i);
}

SceneWorker scene_start_worker(const Scene *s, size_t i, const char *program) {
        SceneWorker w = {.process = process_child_truth(PROCESS_ARGS("sh"))};
        int to[2], from[2];
        char byte;

        ck_assert_int_eq(pipe2(to, O_CLOEXEC) | pipe2(from, O_CLOEXEC), 0);
        ck_assert(dup2(to[0], STDIN_FILENO) >= 0 && dup2(from[1], STDOUT_FILENO) >= 0);
        w.fd = to[1];
        w.process.args = NULL;
        w.process.name = strrchr(program, '/') + 1;
        w.process.executable = program;
        w.process.pid = process_spawn_worker(program, PROCESS_ARGS("worker", "x"), "wait",
                                             s->files[i], NULL);
        ck_assert_int_eq(read(from[0], &byte, 1), 1);
        close(to[0]);
        close(from[0]);
        close(from[1]);
        return w;
}

void scene_let_go(const SceneWorker *w) {
        ck_assert_int_eq(write(w->fd, "x", 1), 1);
        ck_assert_int_eq(process_wait(w->process.pid, 20), 0);
}

static size_t find_file(const Scene *s, const char *path) {
        for (size_t i = 0; i < s->n_files; i++)
                if (path && strcmp(s->files[i], path) == 0)
                        return i;
        harness_abort("a record of %s", path ? path : "no path");
}

void scene_stop(Scene *s) {
        RecordReader r;

        monitor_stop(&s->m);
        r = record_reader_new(s->m.output_path);
        for (struct json_object *record = record_next_deletion(&r); record;
             record = record_next_deletion(&r)) {
                size_t i = find_file(s, record_string(record, "file.path"));

                harness_note("%s", json_object_to_json_string(record));
                harness_assert(!s->records[i], "%s has two records", s->files[i]);
                s->records[i] = json_object_get(record);
        }
        record_reader_done(&r);
        for (size_t i = 0; i < s->n_files; i++)
                harness_assert(s->records[i], "%s has no record", s->files[i]);
}

struct json_object *scene_only_record(Scene *s) {
        harness_assert(s->n_files == 1, "%zu files", s->n_files);
        scene_stop(s);
        return s->records[0];
}

static void compare(const Scene *s, size_t i, const Process *p, char unknown[static 256]) {
        const TruthItem item = {.action = "unlink", .path = s->files[i], .process = p};
        char wrong[512] = "";

        truth_compare_facts(&item, s->records[i], wrong, sizeof(wrong), unknown, 256);
        harness_assert(!*wrong, "%s: %s", s->files[i], wrong);
}

void scene_assert_process(const Scene *s, size_t i, const Process *p) {
        char unknown[256] = "";

        compare(s, i, p, unknown);
        harness_assert(!*unknown, "%s: unknown: %s", s->files[i], unknown);
}

bool scene_assert_nothing_wrong(const Scene *s, size_t i, const Process *p) {
        char unknown[256] = "";

        compare(s, i, p, unknown);
        return !*unknown;
}

void scene_assert_string(const Scene *s, size_t i, const char *field, const char *value) {
        const char *said = record_string(s->records[i], field);

        harness_assert(said ? value && strcmp(said, value) == 0 : !value, "%s: %s is %s, said %s",
                       s->files[i], field, value ? value : "unknown", said ? said : "nothing");
}

void scene_assert_known(const Scene *s, size_t i, const char *field, const char *value) {
        if (!harness_is_sanitized() || record_get(s->records[i], field))
                scene_assert_string(s, i, field, value);
}

void scene_assert_pid(const Scene *s, size_t i, const char *field, pid_t pid) {
        int64_t said = record_number(s->records[i], field);

        if (harness_is_sanitized() && said < 0)
                return;
        harness_assert(said == pid, "%s: %s is %d, said %d", s->files[i], field, (int)pid,
                       said < 0 ? -1 : (int)said);
}
