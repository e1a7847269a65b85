/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The lines of tmpfiles.d that are in force, each with where it stands.
 *
 * Which files count (precedence of /etc, /run and /usr, masked files) is systemd-tmpfiles' own
 * business: its --cat-config prints them one behind another, each under a line "# FILE".  This
 * module takes that apart.  Pure, but for what the callbacks do; tmpfiles_source.h runs the tool.
 */

#include <stdbool.h>
#include <stddef.h>

#include "explain/tmpfiles_line.h"

/* Limits of a configuration, of all its files: a hundred times what distributions have. Several are
 * kept at a time, and anybody can write one. */
#define TMPFILES_CONFIG_BYTES_MAX ((size_t)2 << 20)
#define TMPFILES_CONFIG_LINES_MAX 16384U

/* A line with where it stands. */
typedef struct TmpfilesRule {
        TmpfilesLine line; /* zeroed if not in effect */
        const char *file;  /* borrowed from the config */
        unsigned number;   /* in that file, from 1 */
        char *text;        /* as it stands there, without blanks around it */
        char *fault;       /* NULL: in effect; otherwise why systemd-tmpfiles ignores it */
        bool is_mistake;   /* with .fault: as the line is, not for what this machine lacks */
} TmpfilesRule;

typedef struct TmpfilesConfig {
        TmpfilesRule *rules; /* in the order in which systemd-tmpfiles reads them */
        size_t n_rules, n_allocated;
        char **files;
        size_t n_files;
        size_t n_bytes;    /* of the files added one by one */
        bool is_truncated; /* there was more than the limits allow */
} TmpfilesConfig;

/* Takes a zeroed one; zeroed afterwards. */
void tmpfiles_config_done(TmpfilesConfig *c);

/*
 * tmpfiles_config_add_file() - append what one file holds
 *
 * Lines end as systemd reads them: \n, \r, NUL and pairs of different ones.
 * Return: 0 (also with is_truncated), -ENOMEM.
 */
int tmpfiles_config_add_file(TmpfilesConfig *c, const char *file, const char *bytes, size_t n_bytes,
                             const TmpfilesWorld *world);

/* How the pieces of --cat-config are told apart. */
typedef struct TmpfilesFiles {
        /*
         * The bytes of a file, borrowed until the next call. Return: 0, negative errno: then its
         * end is the next line "# /….conf" behind an empty line, which a comment may look like.
         */
        int (*read)(void *userdata, const char *file, const char **ret_bytes, size_t *ret_n_bytes);
        void *userdata;
} TmpfilesFiles;

/*
 * tmpfiles_config_add_output() - append all files of what systemd-tmpfiles --cat-config printed
 * @files: NULL to go by the headers alone
 *
 * Return: 0, -EBADMSG does not start with a header, -ENOMEM.
 */
int tmpfiles_config_add_output(TmpfilesConfig *c, const char *bytes, size_t n_bytes,
                               const TmpfilesFiles *files, const TmpfilesWorld *world);
