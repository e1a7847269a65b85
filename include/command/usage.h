/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a verb says on stderr about a mistake in its command line: what is wrong, with what, what
 * would be right, and the usage line.
 */

#include <getopt.h>

typedef struct Usage {
        const char *command; /* "whodunlink watch" */
        const char *line;    /* "whodunlink watch [OPTION…] PATH…" */
        const char *place;   /* "FILE:LINE" of a file of options, escaped; NULL: the command line */
} Usage;

/*
 * usage_mistake() - "whodunlink watch: --timeout=abc: not a duration"; of a file without the dashes
 * @option: long name without dashes, or NULL for a mistake that is about none
 * @value:  as given, escaped here; NULL none
 *
 * Return: -EINVAL.
 */
int usage_mistake(const Usage *u, const char *option, const char *value, const char *what);

/*
 * usage_getopt_mistake() - say why getopt_long(3) answered '?' or ':'
 * @answer:  what it returned, with opterr 0 and an option string that starts with ':'
 * @options: the table it was given; the .val of options without a short form are above 255
 *
 * Reads optopt and optind.  Return: -EINVAL.
 */
int usage_getopt_mistake(const Usage *u, int answer, char *const *argv,
                         const struct option *options);
