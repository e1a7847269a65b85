/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Situations for systemd-tmpfiles: lines of tmpfiles.d, files with ages, and a command line. See
 * tmpfiles/README for how they are written.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SITUATION_OBJECTS_MAX 48
#define SITUATION_CONFIGS_MAX 12
#define SITUATION_WORDS_MAX 16

typedef struct SituationConfig {
        char *path, *text;
        char *target; /* a symlink instead of text */
} SituationConfig;

typedef struct SituationObject {
        char kind; /* f d l p s S c */
        char *path;
        bool goes;            /* with the version at hand */
        int64_t atime, mtime; /* seconds ago; -1: when it was made */
        mode_t mode;          /* 0: the usual one */
        uid_t uid;
        bool is_mount;            /* something is mounted on it */
        bool is_locked, is_fresh; /* made right before the run */
        char *target;
        char *by, *why; /* FILE:LINE and the reason that the choice must name; NULL: any */
        unsigned line;
} SituationObject;

typedef struct Situation {
        char *name;
        const char *file;
        unsigned line;
        SituationConfig configs[SITUATION_CONFIGS_MAX];
        size_t n_configs;
        SituationObject objects[SITUATION_OBJECTS_MAX];
        size_t n_objects;
        char *args[SITUATION_WORDS_MAX + 2]; /* "systemd-tmpfiles" first, NULL-terminated */
        size_t n_args;
} Situation;

/*
 * All situations of a file, for a version of systemd. Fails the test when it is malformed.
 * @ret_wait: seconds that must pass before they are played
 */
size_t situation_read(const char *path, unsigned version, Situation **ret_situations,
                      unsigned *ret_wait);
/* Makes what it is about below a directory, but what is_fresh, and sets all times. */
void situation_make(const Situation *s, const char *below);
/* In a process and mount namespace of its own: puts what was made in place, and the rest. */
void situation_enter(const Situation *s, const char *below);
