/* SPDX-License-Identifier: MIT */

/* Options of `why`. */

#include "command/why_options.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/option_value.h"
#include "command/usage.h"

/* A list for people; whoever wants all of a large tree gives a larger one. */
#define LISTED_DEFAULT 1000
#define LISTED_MAX 10000000
#define RECORDS_DEFAULT 5
#define RECORDS_MAX 1000

static const Usage usage = {.command = "whodunlink why",
                            .line = "whodunlink why [OPTION…] PATH…|--all DIRECTORY…"};

static const char help[] =
        "usage: whodunlink why [OPTION…] PATH…\n"
        "       whodunlink why --all [OPTION…] DIRECTORY…\n"
        "Say what will delete PATH, when, by which line of which file, and what keeps it; of one\n"
        "that is gone, who deleted it and why, by the records that whodunlink wrote.\n"
        "\n"
        "  --all            all below DIRECTORY that the next run of\n"
        "                   systemd-tmpfiles-clean.timer removes, soonest first\n"
        "  --in=DURATION    with --all: what goes within that time, as in --in=2w\n"
        "  --limit=N        with --all: list no more than N (1000)\n"
        "  --user[=USER]    the tmpfiles.d of a user, too; yours, if none is named\n"
        "  --records=N      at most N records of PATH (5)\n"
        "  --file=FILE      read records from FILE, JSON lines; - is stdin\n"
        "  --directory=DIR  read records from journal files in DIR\n"
        "  --json           one JSON object\n"
        "  -h, --help\n"
        "\n"
        "A symlink is not followed, unless a slash stands behind it. The exit status is 0 if\n"
        "something is known that removed PATH or will, 1 if nothing is, 2 for a mistake in the\n"
        "command line, 3 if it could not be found out.\n";

enum {
        OPTION_ALL = 256,
        OPTION_IN,
        OPTION_LIMIT,
        OPTION_USER,
        OPTION_RECORDS,
        OPTION_FILE,
        OPTION_DIRECTORY,
        OPTION_JSON,
};

static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"all", no_argument, NULL, OPTION_ALL},
        {"in", required_argument, NULL, OPTION_IN},
        {"limit", required_argument, NULL, OPTION_LIMIT},
        {"user", optional_argument, NULL, OPTION_USER},
        {"records", required_argument, NULL, OPTION_RECORDS},
        {"file", required_argument, NULL, OPTION_FILE},
        {"directory", required_argument, NULL, OPTION_DIRECTORY},
        {"json", no_argument, NULL, OPTION_JSON},
        {0},
};

/* Who ran sudo, or whoever we are. */
static uid_t own_uid(void) {
        const char *text = getenv("SUDO_UID");
        uint64_t uid;

        if (geteuid() == 0 && text && option_value_u64(text, UINT32_MAX - 1, &uid) == 0)
                return (uid_t)uid;
        return geteuid();
}

static int take_user(const char *value, uid_t *ret) {
        const struct passwd *p;
        uint64_t uid;

        if (!value) {
                *ret = own_uid();
                return 0;
        }
        if (option_value_u64(value, UINT32_MAX - 1, &uid) == 0) {
                *ret = (uid_t)uid;
                return 0;
        }
        p = getpwnam(value);
        if (!p)
                return usage_mistake(&usage, "user", value, "no such user");
        *ret = p->pw_uid;
        return 0;
}

static int take_number(const char *name, const char *value, uint64_t max, size_t *ret) {
        uint64_t n;

        if (option_value_u64(value, max, &n) < 0 || n == 0)
                return usage_mistake(&usage, name, value, "not a number from 1 on, or too large");
        *ret = (size_t)n;
        return 0;
}

static int take(int c, const char *value, WhyOptions *o) {
        switch (c) {
        case OPTION_ALL:
                o->is_all = true;
                return 0;
        case OPTION_IN:
                if (clock_parse_duration(value, &o->in_nsec) < 0 || o->in_nsec == 0)
                        return usage_mistake(&usage, "in", value,
                                             "not a duration, as in 12h, 10d or 2w");
                return 0;
        case OPTION_LIMIT:
                return take_number("limit", value, LISTED_MAX, &o->n_listed_max);
        case OPTION_USER:
                o->has_user = true;
                return take_user(value, &o->user_uid);
        case OPTION_RECORDS:
                return take_number("records", value, RECORDS_MAX, &o->n_records_max);
        case OPTION_FILE:
                o->file = value;
                return 0;
        case OPTION_DIRECTORY:
                o->directory = value;
                return 0;
        default:
                o->is_json = true;
                return 0;
        }
}

static int check(const WhyOptions *o) {
        if (o->n_paths == 0)
                return usage_mistake(&usage, NULL, NULL,
                                     o->is_all ? "--all needs a DIRECTORY" : "needs a PATH");
        for (size_t i = 0; i < o->n_paths; i++)
                if (o->paths[i][0] == '\0')
                        return usage_mistake(&usage, NULL, "''", "an empty PATH");
        if (o->in_nsec > 0 && !o->is_all)
                return usage_mistake(&usage, "in", NULL, "only with --all");
        if (o->n_listed_max > 0 && !o->is_all)
                return usage_mistake(&usage, "limit", NULL, "only with --all");
        if (o->is_all && (o->file || o->directory || o->n_records_max > 0))
                return usage_mistake(
                        &usage, "all", NULL,
                        "is about what will go; records are those of a PATH, without --all");
        if (o->file && o->directory)
                return usage_mistake(&usage, "file", NULL, "not together with --directory");
        if (o->file && strcmp(o->file, "-") == 0 && o->n_paths > 1)
                return usage_mistake(&usage, "file", "-",
                                     "stdin can be read once: only with one PATH");
        return 1;
}

int why_options_parse(int argc, char **argv, WhyOptions *ret_options) {
        WhyOptions o = {0};
        int c, r;

        optind = 0; /* glibc: begin anew */
        opterr = 0;
        while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
                if (c == 'h') {
                        (void)fputs(help, stdout);
                        return 0;
                }
                if (c == '?' || c == ':')
                        return usage_getopt_mistake(&usage, c, argv, options);
                r = take(c, optarg, &o);
                if (r < 0)
                        return r;
        }
        o.paths = argv + optind;
        o.n_paths = (size_t)(argc - optind);
        r = check(&o);
        if (r < 0)
                return r;
        if (o.n_listed_max == 0)
                o.n_listed_max = LISTED_DEFAULT;
        if (o.n_records_max == 0)
                o.n_records_max = RECORDS_DEFAULT;
        *ret_options = o;
        return 1;
}
