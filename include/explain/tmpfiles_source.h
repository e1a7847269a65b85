/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The configuration of this machine, from systemd-tmpfiles itself: runs the tool with --cat-config.
 *
 * Never on the hot path: starts a process and waits for it, at most TMPFILES_SOURCE_WAIT_NSEC.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "explain/tmpfiles_config.h"

#define TMPFILES_SOURCE_WAIT_NSEC (UINT64_C(5) * 1000 * 1000 * 1000)

/* Whose configuration. Strings are borrowed. */
typedef struct TmpfilesScope {
        bool is_user;             /* --user */
        bool is_graceful;         /* --graceful */
        uid_t uid;                /* whose, with is_user */
        const char *root;         /* --root=; NULL */
        const char *replace;      /* --replace=; NULL */
        const char *const *files; /* named on the command line; NULL-terminated or NULL */
} TmpfilesScope;

/*
 * tmpfiles_source_load() - read what is in force for a scope
 * @ret_config: to be freed by tmpfiles_config_done()
 * @ret_version: of systemd-tmpfiles
 * @ret_error:  on failure newly allocated: what failed and what to do, for a person; may be NULL
 *
 * Return: 0, -ENOENT no systemd-tmpfiles here, -ETIMEDOUT, -EFBIG, -EBADMSG, -EIO it failed,
 * others.
 */
int tmpfiles_source_load(const TmpfilesScope *scope, TmpfilesConfig *ret_config,
                         unsigned *ret_version, char **ret_error);
