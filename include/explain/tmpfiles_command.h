/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command line of systemd-tmpfiles: what it was asked to do, and by which configuration.  Pure.
 *
 * Source: systemd-tmpfiles(8); parse_argv() in src/tmpfiles/tmpfiles.c of systemd 252 and 256;
 * getopt_long(3): options and files in any order, names may be cut short.
 */

#include <stdbool.h>
#include <stddef.h>

#include "explain/tmpfiles_choice.h"

/* Prefixes of each kind, and files, that are taken in. */
#define TMPFILES_COMMAND_WORDS_MAX 64

typedef struct TmpfilesCommand {
        unsigned operations; /* TmpfilesOperation */
        bool is_user, is_boot, is_graceful, is_dry_run;
        /* Borrowed from the arguments; NULL-terminated. */
        const char *prefixes[TMPFILES_COMMAND_WORDS_MAX + 5];
        const char *exclude_prefixes[TMPFILES_COMMAND_WORDS_MAX + 5];
        const char *files[TMPFILES_COMMAND_WORDS_MAX + 1];
        const char *root, *image, *replace;
        bool is_known; /* all of it was understood and taken in */
} TmpfilesCommand;

/* @args: args[0] included, NULL-terminated, or NULL when they are not known */
void tmpfiles_command_parse(const char *const *args, TmpfilesCommand *ret_command);

/* The request of a command; borrows from it. */
TmpfilesRequest tmpfiles_command_request(const TmpfilesCommand *command, unsigned version);
