/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A few files on a filesystem that is watched, each to be deleted by one process with a story of
 * its own: the stage for tests that look at single records.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "filesystem.h"
#include "monitor.h"
#include "process.h"

#define SCENE_FILES_MAX 64

typedef struct Scene {
        Filesystem fs;
        char *files[SCENE_FILES_MAX]; /* their paths; anyone may delete them */
        size_t n_files;
        Monitor m;
        struct json_object *records[SCENE_FILES_MAX]; /* of the files, after scene_stop() */
} Scene;

/* A tmpfs with files, and nobody who watches yet. */
Scene scene_prepare(size_t n_files);
void scene_start(Scene *s);
/* Both. */
Scene scene_new(size_t n_files);

/* Deletes a file as this process, and waits until its record is written. */
void scene_delete(const Scene *s, size_t i);
void scene_await(const Scene *s, size_t i);

/* A process that runs worker.c's program, or a copy of it, and waits with a file to delete. */
typedef struct SceneWorker {
        Process process; /* all but its arguments */
        int fd;
} SceneWorker;

SceneWorker scene_start_worker(const Scene *s, size_t i, const char *program);
/* Lets it delete its file, and waits for its end. */
void scene_let_go(const SceneWorker *w);

/* Stops the monitor; fails the test unless it told of each file exactly once and of no other. */
void scene_stop(Scene *s);
/* The record of the only file of a scene of one. */
struct json_object *scene_only_record(Scene *s);
/* Fails the test unless the record of a file tells every fact of this process, and truly. */
void scene_assert_process(const Scene *s, size_t i, const Process *p);
/* The same, but what is not told is no failure. Return: whether all is. */
bool scene_assert_nothing_wrong(const Scene *s, size_t i, const Process *p);
/* Fails the test unless a field of the record of a file has this value; NULL: is absent. */
void scene_assert_string(const Scene *s, size_t i, const char *field, const char *value);
/* The same; but the fact may be missing where a sanitizer makes the witness slower than an rm. */
void scene_assert_known(const Scene *s, size_t i, const char *field, const char *value);
void scene_assert_pid(const Scene *s, size_t i, const char *field, pid_t pid);
