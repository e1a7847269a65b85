/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A verb's options in a file: one long option a line, without its dashes.
 *
 *      # Deletions by root, but no object files.
 *      path = /srv
 *      user = root
 *      exclude = *.o
 *      quiet
 */

#include <getopt.h>
#include <stddef.h>

#include "command/usage.h"

/* More is a mistake. */
#define CONFIG_FILE_BYTES_MAX ((size_t)1024 * 1024)

typedef struct ConfigLine {
        char *key;
        char *value; /* NULL: there is no '=' */
        unsigned number;
} ConfigLine;

/*
 * config_file_next() - the next line that says something; pure
 * @text:     n_bytes of it, with a NUL behind them; blanks and '=' are overwritten by NULs
 * @at:       where to go on; 0 at first
 * @n_lines:  lines up to there; 0 at first
 * @ret_line: borrows from the text
 *
 * Blanks around the line and around the first '=' do not count.  What begins with '#' is a comment,
 * but nothing behind a value is: a pattern may hold one.
 *
 * Return: 1, 0 at the end, -EBADMSG a NUL byte or no name in the line .number.
 */
int config_file_next(char *text, size_t n_bytes, size_t *at, unsigned *n_lines,
                     ConfigLine *ret_line);

/* As filter_options_apply(); u says where the option stands. */
typedef int (*ConfigApplyFunction)(void *userdata, const Usage *u, int option, const char *value);

/*
 * config_file_apply() - read a file and apply its options in their order
 * @u:       of the verb
 * @options: as for getopt_long(3), ended by one without a name; each may stand in the file …
 * @more:    … and these; likewise
 *
 * Return: 0; -EINVAL a mistake in it, -errno of open(2) and read(2): all said on stderr; -ENOMEM.
 */
int config_file_apply(const Usage *u, const char *path, const struct option *options,
                      const struct option *more, ConfigApplyFunction apply, void *userdata);
