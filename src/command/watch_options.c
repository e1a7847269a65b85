/* SPDX-License-Identifier: MIT */

/*
 * The command line of `whodunlink watch`.
 *
 * A mistake is said where it is found and ends the reading.
 *
 * Limits: getopt_long(3) keeps its place in global variables, so one command line is read at a
 * time.
 */

#include "command/watch_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "capture/fan_group.h"
#include "command/config_file.h"
#include "command/filter_options.h"
#include "command/option_value.h"
#include "command/usage.h"
#include "identify/exec_hold.h"

/* Some gigabytes: more is a mistake. */
#define PROCESS_LIMIT_MAX 10000000

static const Usage usage = {.command = "whodunlink watch",
                            .line = "whodunlink watch [OPTION…] PATH…|--all"};

static const char help[] =
        "usage: whodunlink watch [OPTION…] PATH…|--all\n"
        "Tell of files and directories that disappear at or below PATH, and who did it.\n"
        "\n"
        "  --all                      every local filesystem, also those mounted later\n"
        "  --output=auto|text|json|journal  auto: text on a terminal, journal in a\n"
        "                             service, else json\n"
        "  --fold=N                   of one process and second, count what is beyond N;\n"
        "                             0: tell each; journal: 256, else 0\n"
        "  --color=auto|always|never  auto: on a terminal, unless NO_COLOR is set\n"
        "  --quiet                    only records, no news and no summary on stderr\n"
        "  --marks=auto|filesystem|directories  each directory where one mark is refused\n"
        "  --upper-paths              in JSON: where it lies in an overlay's layer\n"
        "  --queue=unlimited|bounded  bounded: saves memory; what is lost is told\n"
        "  --process-limit=N          ended processes that are kept, for slow readers\n"
        "  --hold-exec[=20ms]         hold each exec until its arguments are read; risky\n"
        "Which (repeated: any of them; several kinds: all must hold)\n"
        "  --include=GLOB  --exclude=GLOB  paths; '*.o' in any directory, '**' for many\n"
        "  --action=unlink,rmdir,move,overwrite  overwrite: by a rename over it\n"
        "  --no-overwrites                 not what a rename replaces\n"
        "  --comm=GLOB  --exe=GLOB         the process's name, its program's path\n"
        "  --user=NAME|UID  --loginuid=NAME|UID|unset    effective user, who logged in\n"
        "  --unit=GLOB  --container=ID|GLOB              what it runs in or for\n"
        "  --ancestor=GLOB                 name or path of what started it, or that, …\n"
        "  --pid=PID  [--descendants]      it, and all that it started\n"
        "How long\n"
        "  --once  --count=N               until one has vanished, until N have\n"
        "  --timeout=DURATION              90s, 10min, 1h30m; exit status 124\n"
        "Others\n"
        "  --config=FILE                   options, one a line, without their dashes\n"
        "  -h, --help\n"
        "\n"
        "Who empties my cache?         sudo whodunlink watch ~/.cache\n"
        "Wait until a file is removed  sudo whodunlink watch --once /run/app.lock\n";

typedef enum WatchOption {
        OPTION_HELP = 'h',
        OPTION_ALL = 256,
        OPTION_COLOR,
        OPTION_CONFIG,
        OPTION_COUNT,
        OPTION_FAN_FEATURES,
        OPTION_FOLD,
        OPTION_HOLD_EXEC,
        OPTION_MARKS,
        OPTION_ONCE,
        OPTION_OUTPUT,
        OPTION_PATH,
        OPTION_PROCESS_LIMIT,
        OPTION_QUEUE,
        OPTION_QUIET,
        OPTION_TIMEOUT,
        OPTION_UPPER_PATHS,
} WatchOption;

static const struct option options[] = {
        {"action", required_argument, NULL, FILTER_OPTION_ACTION},
        {"all", no_argument, NULL, OPTION_ALL},
        {"ancestor", required_argument, NULL, FILTER_OPTION_ANCESTOR},
        {"color", required_argument, NULL, OPTION_COLOR},
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"comm", required_argument, NULL, FILTER_OPTION_COMM},
        {"container", required_argument, NULL, FILTER_OPTION_CONTAINER},
        {"count", required_argument, NULL, OPTION_COUNT},
        {"descendants", no_argument, NULL, FILTER_OPTION_DESCENDANTS},
        {"exclude", required_argument, NULL, FILTER_OPTION_EXCLUDE},
        {"exe", required_argument, NULL, FILTER_OPTION_EXE},
        {"fan-features", required_argument, NULL, OPTION_FAN_FEATURES}, /* for tests */
        {"fold", required_argument, NULL, OPTION_FOLD},
        {"help", no_argument, NULL, OPTION_HELP},
        {"hold-exec", optional_argument, NULL, OPTION_HOLD_EXEC},
        {"include", required_argument, NULL, FILTER_OPTION_INCLUDE},
        {"loginuid", required_argument, NULL, FILTER_OPTION_LOGINUID},
        {"marks", required_argument, NULL, OPTION_MARKS},
        {"no-overwrites", no_argument, NULL, FILTER_OPTION_NO_OVERWRITES},
        {"once", no_argument, NULL, OPTION_ONCE},
        {"output", required_argument, NULL, OPTION_OUTPUT},
        {"pid", required_argument, NULL, FILTER_OPTION_PID},
        {"process-limit", required_argument, NULL, OPTION_PROCESS_LIMIT},
        {"queue", required_argument, NULL, OPTION_QUEUE},
        {"quiet", no_argument, NULL, OPTION_QUIET},
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"upper-paths", no_argument, NULL, OPTION_UPPER_PATHS},
        {"unit", required_argument, NULL, FILTER_OPTION_UNIT},
        {"user", required_argument, NULL, FILTER_OPTION_USER},
        {0},
};

/* On the command line it is a word of its own. */
static const struct option file_options[] = {
        {"path", required_argument, NULL, OPTION_PATH},
        {0},
};

static int parse_word(const Usage *u, const char *option, const char *value,
                      const char *const *words, const char *what, int *ret) {
        int i = option_value_word(words, value, strlen(value));

        if (i < 0)
                return usage_mistake(u, option, value, what);
        *ret = i;
        return 0;
}

static int parse_output(const Usage *u, const char *value, WatchOutput *ret) {
        static const char *const words[] = {"auto", "text", "json", "journal", NULL};
        int i = 0,
            r = parse_word(u, "output", value, words, "not one of auto, text, json, journal", &i);

        if (r == 0)
                *ret = (WatchOutput)i;
        return r;
}

static int parse_color(const Usage *u, const char *value, WatchColor *ret) {
        static const char *const words[] = {"auto", "always", "never", NULL};
        int i = 0, r = parse_word(u, "color", value, words, "not one of auto, always, never", &i);

        if (r == 0)
                *ret = (WatchColor)i;
        return r;
}

static int parse_marks(const Usage *u, const char *value, Marking *ret) {
        static const char *const words[] = {"auto", "filesystem", "directories", NULL};
        int i = 0, r = parse_word(u, "marks", value, words,
                                  "not one of auto, filesystem, directories", &i);

        if (r == 0)
                *ret = (Marking)i;
        return r;
}

static int parse_queue(const Usage *u, const char *value, bool *ret_is_bounded) {
        static const char *const words[] = {"unlimited", "bounded", NULL};
        int i = 0, r = parse_word(u, "queue", value, words, "not one of unlimited, bounded", &i);

        if (r == 0)
                *ret_is_bounded = i == 1;
        return r;
}

static int parse_count(const Usage *u, const char *value, uint64_t *ret) {
        uint64_t count;

        if (option_value_u64(value, UINT64_MAX, &count) < 0 || count == 0)
                return usage_mistake(u, "count", value, "not a number from 1");
        *ret = count;
        return 0;
}

static int parse_process_limit(const Usage *u, const char *value, size_t *ret) {
        _cleanup_buffer_ Buffer what = {0};
        uint64_t limit;

        if (option_value_u64(value, PROCESS_LIMIT_MAX, &limit) >= 0 && limit > 0) {
                *ret = (size_t)limit;
                return 0;
        }
        buffer_append_format(&what, "not a number of processes from 1 to %d; left out it is %d",
                             PROCESS_LIMIT_MAX, PROCESS_TABLE_DEAD_MAX_DEFAULT);
        return usage_mistake(u, "process-limit", value, buffer_terminate(&what));
}

static int parse_timeout(const Usage *u, const char *value, uint64_t *ret_nsec) {
        uint64_t nsec;
        int r = clock_parse_duration(value, &nsec);

        if (r == -ERANGE)
                return usage_mistake(u, "timeout", value,
                                     "too long; leave it out to watch for ever");
        if (r < 0)
                return usage_mistake(u, "timeout", value,
                                     "not a duration; write for example 90s, 10min or 1h30m");
        if (nsec == 0)
                return usage_mistake(u, "timeout", value,
                                     "no time at all; leave it out to watch for ever");
        *ret_nsec = nsec;
        return 0;
}

static int parse_hold_exec(const Usage *u, const char *value, uint64_t *ret_nsec) {
        uint64_t nsec = EXEC_HOLD_BOUND_NSEC;

        if (value && (clock_parse_duration(value, &nsec) < 0 || nsec < EXEC_HOLD_BOUND_MIN_NSEC ||
                      nsec > EXEC_HOLD_BOUND_MAX_NSEC))
                return usage_mistake(u, "hold-exec", value,
                                     "not a duration from 1ms to 1s; write for example 20ms");
        *ret_nsec = nsec;
        return 0;
}

static int parse_fold(const Usage *u, const char *value, uint64_t *ret) {
        if (option_value_u64(value, UINT64_MAX, ret) < 0)
                return usage_mistake(u, "fold", value,
                                     "not a number of entries that one process may delete within a "
                                     "second before the rest is counted; 0 tells each");
        return 0;
}

static int parse_fan_features(const Usage *u, const char *value, unsigned *ret) {
        uint64_t features;

        if (option_value_u64(value, FAN_FEATURE_ALL, &features) < 0)
                return usage_mistake(u, "fan-features", value, "not a set of FanFeatures");
        *ret = (unsigned)features;
        return 0;
}

static int add_file_path(WatchOptions *o, const Usage *u, const char *value) {
        char **grown = reallocarray(o->file_paths, o->n_file_paths + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        o->file_paths = grown;
        if (value[0] != '/')
                return usage_mistake(u, "path", value, "not an absolute path");
        grown[o->n_file_paths] = strdup(value);
        if (!grown[o->n_file_paths])
                return -ENOMEM;
        o->n_file_paths++;
        return 0;
}

static int apply(void *userdata, const Usage *u, int option, const char *value) {
        WatchOptions *o = userdata;

        if (filter_options_has(option))
                return filter_options_apply(u, &o->filter, (FilterOption)option, value);
        switch ((WatchOption)option) {
        case OPTION_ALL:
                o->is_all = true;
                return 0;
        case OPTION_COLOR:
                return parse_color(u, value, &o->color);
        case OPTION_CONFIG:
                /* Was read before; a file names no other. */
                return u->place ? usage_mistake(u, "config", value, "only on the command line") : 0;
        case OPTION_COUNT:
                return parse_count(u, value, &o->count);
        case OPTION_FAN_FEATURES:
                return parse_fan_features(u, value, &o->fan_features);
        case OPTION_FOLD:
                o->has_fold = true;
                return parse_fold(u, value, &o->fold);
        case OPTION_HOLD_EXEC:
                return parse_hold_exec(u, value, &o->hold_exec_nsec);
        case OPTION_MARKS:
                return parse_marks(u, value, &o->marking);
        case OPTION_ONCE:
                o->is_once = true;
                return 0;
        case OPTION_OUTPUT:
                return parse_output(u, value, &o->output);
        case OPTION_PATH:
                return add_file_path(o, u, value);
        case OPTION_PROCESS_LIMIT:
                return parse_process_limit(u, value, &o->process_limit);
        case OPTION_QUEUE:
                return parse_queue(u, value, &o->is_queue_bounded);
        case OPTION_QUIET:
                o->is_quiet = true;
                return 0;
        case OPTION_UPPER_PATHS:
                o->has_upper_paths = true;
                return 0;
        case OPTION_TIMEOUT:
                return parse_timeout(u, value, &o->timeout_nsec);
        case OPTION_HELP:
                break;
        }
        return usage_mistake(u, "help", NULL, "only on the command line");
}

/* After the last one: do they fit each other? */
static int check(WatchOptions *o) {
        if (o->is_once && o->count > 1)
                return usage_mistake(&usage, "once", NULL,
                                     "is --count=1, and another --count is given; leave one out");
        if (o->is_once)
                o->count = 1;
        if (o->is_all && o->n_paths > 0)
                return usage_mistake(&usage, "all", NULL,
                                     "is every local filesystem; leave it or the PATH out");
        if (!o->is_all && o->n_paths == 0)
                return usage_mistake(&usage, NULL, NULL,
                                     "no PATH; which file or directory shall be watched? --all is "
                                     "every local filesystem");
        for (size_t i = 0; i < o->n_paths; i++)
                if (o->paths[i][0] == '\0')
                        return usage_mistake(&usage, NULL, "''", "an empty PATH");
        return 0;
}

/* Before all other options, which have the last word. What is wrong with them is said later. */
static int read_config(WatchOptions *o, int argc, char **argv) {
        /* getopt_long(3) puts what it has read into another order, which means something else to a
         * second reading when there is a mistake in it. */
        _cleanup_free_ char **copy = calloc((size_t)argc + 1, sizeof(*copy));
        int c, r = 0;

        if (!copy)
                return -ENOMEM;
        memcpy(copy, argv, (size_t)argc * sizeof(*copy));
        optind = 0; /* glibc: begin anew */
        opterr = 0;
        while (r >= 0 && (c = getopt_long(argc, copy, ":h", options, NULL)) >= 0) {
                if (c == OPTION_HELP)
                        return 0;
                if (c == OPTION_CONFIG)
                        r = config_file_apply(&usage, optarg, options, file_options, apply, o);
        }
        return r;
}

/* What shall be watched is what the command line says, or else what the files do. */
static void choose_paths(WatchOptions *o, int argc, char **argv, bool is_all_in_file) {
        o->paths = argv + optind;
        o->n_paths = (size_t)(argc - optind);
        if (o->is_all || o->n_paths > 0)
                return;
        o->is_all = is_all_in_file;
        o->paths = o->file_paths;
        o->n_paths = o->n_file_paths;
}

int watch_options_parse(int argc, char **argv, WatchOptions *ret_options) {
        WatchOptions *o = ret_options;
        bool is_all_in_file;
        int c, r;

        *o = (WatchOptions){
                .fan_features = FAN_FEATURE_ALL,
                .process_limit = PROCESS_TABLE_DEAD_MAX_DEFAULT,
        };
        r = read_config(o, argc, argv);
        if (r < 0)
                return r;
        is_all_in_file = o->is_all;
        o->is_all = false;
        optind = 0;
        while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
                if (c == OPTION_HELP) {
                        (void)fputs(help, stdout);
                        return 0;
                }
                r = c == '?' || c == ':' ? usage_getopt_mistake(&usage, c, argv, options)
                                         : apply(o, &usage, c, optarg);
                if (r < 0)
                        return r;
        }
        choose_paths(o, argc, argv, is_all_in_file);
        r = filter_options_check(&usage, &o->filter);
        if (r >= 0)
                r = check(o);
        return r < 0 ? r : 1;
}

void watch_options_done(WatchOptions *o) {
        record_filter_done(&o->filter);
        for (size_t i = 0; i < o->n_file_paths; i++)
                free(o->file_paths[i]);
        free(o->file_paths);
        *o = (WatchOptions){0};
}
