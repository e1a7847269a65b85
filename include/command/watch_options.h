/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command line of `whodunlink watch`.
 */

#include <stdbool.h>
#include <stdint.h>

#include "capture/marking.h"
#include "record/record_filter.h"

typedef enum WatchOutput {
        WATCH_OUTPUT_AUTO,
        WATCH_OUTPUT_TEXT,
        WATCH_OUTPUT_JSON,
        WATCH_OUTPUT_JOURNAL
} WatchOutput;
typedef enum WatchColor {
        WATCH_COLOR_AUTO,
        WATCH_COLOR_ALWAYS,
        WATCH_COLOR_NEVER
} WatchColor;

typedef struct WatchOptions {
        WatchOutput output;
        WatchColor color;
        bool is_queue_bounded;
        bool is_quiet;
        bool is_all;  /* every local filesystem; no paths are given */
        bool is_once; /* --once was given: .count is 1 */
        bool has_upper_paths;
        bool has_fold;
        uint64_t fold; /* with .has_fold: see fold.h; 0 off */
        Marking marking;
        uint64_t count;          /* end after so many have vanished; 0 never; --once is 1 */
        uint64_t timeout_nsec;   /* end with 124 after; 0 never */
        size_t process_limit;    /* ended processes that are kept, at most */
        uint64_t hold_exec_nsec; /* each program waits so long at most; 0 not at all */
        unsigned fan_features;   /* FanFeatures that may be used: lowered by tests of the ladder */
        RecordFilter filter;
        char **paths; /* as given; borrowed from argv or from .file_paths */
        size_t n_paths;
        char **file_paths; /* of --config */
        size_t n_file_paths;
} WatchOptions;

/*
 * watch_options_parse() - read the command line behind the verb
 * @argv:        argv[0] is the verb; argv[argc] is NULL
 * @ret_options: released by watch_options_done(), whatever is returned
 *
 * argv is reordered (options first), as getopt_long(3) does.  Says on stderr what is wrong.
 * Return: 1 go on, 0 all is said and done (--help), -EINVAL a mistake in it: exit status 2,
 * -ENOMEM.
 */
int watch_options_parse(int argc, char **argv, WatchOptions *ret_options);
void watch_options_done(WatchOptions *o);
