/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which line of a crontab a job comes from.  Pure: text and arguments in, a line number out.
 *
 * A shell often becomes the last command that it is told to run, and cron keeps no number of the
 * line: what is compared is the command, word by word.  A word with something for the shell to
 * expand matches any run of words.
 *
 * Limits: a line whose command runs a script that runs the job's program is not found once the
 * shell has become that.  Two lines with the same command cannot be told apart.
 *
 * Source: crontab(5) of Debian's cron 3.0 and of cronie 1.6; anacrontab(5).
 */

#include <stdbool.h>
#include <stddef.h>

/* Longer ones are cut: what is behind is not found. */
#define CRONTAB_BYTES_MAX ((size_t)256 * 1024)
/* Words of a command; of a longer one the first. */
#define CRONTAB_WORDS_MAX 128

typedef enum CrontabKind {
        CRONTAB_OF_USER,   /* five fields or @word, command */
        CRONTAB_OF_SYSTEM, /* the same with a user before the command */
        CRONTAB_ANACRON,   /* period, delay, name, command */
} CrontabKind;

/* What a job runs: the argument of `sh -c`, or its arguments when the shell is gone. */
typedef struct CrontabJob {
        const char *command; /* NULL: only .args are known */
        const char *const *args;
        size_t n_args;
        const char *user; /* NULL: any */
} CrontabJob;

typedef struct CrontabLine {
        size_t number;     /* from 1 */
        char *command;     /* owned; '%' and what is behind it cut off */
        bool is_exact;     /* its command is the job's, byte for byte */
        bool is_ambiguous; /* another line of this crontab fits as well */
} CrontabLine;

/*
 * crontab_find() - the line of a job
 * @ret_line: on 0; .command is the caller's to free
 *
 * Return: 0, -ENOENT no line has this command, -ENOMEM.
 */
int crontab_find(const char *text, size_t n_bytes, CrontabKind kind, const CrontabJob *job,
                 CrontabLine *ret_line);
