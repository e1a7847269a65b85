/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What lines of tmpfiles.d refer to, on this machine: specifiers, users, sources of copies.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "explain/tmpfiles_line.h"

typedef struct TmpfilesMachine TmpfilesMachine;

/*
 * tmpfiles_machine_new() - for the system, or for a user's own instance
 * @root:    --root=; NULL
 * @version: of systemd
 *
 * Users and groups are looked up in the files; those that are not there by getent(1), within a
 * bound of time and a few of them only.
 * Return: 0, -ENOMEM.
 */
int tmpfiles_machine_new(const char *root, bool is_user, uid_t uid, unsigned version,
                         TmpfilesMachine **ret_machine);
TmpfilesMachine *tmpfiles_machine_free(TmpfilesMachine *m);
/* The primary group of whose instance it is. Return: 0, -ESRCH no such user in /etc/passwd. */
int tmpfiles_machine_user(const TmpfilesMachine *m, gid_t *ret_gid);
/* Valid as long as the machine. */
TmpfilesWorld tmpfiles_machine_world(TmpfilesMachine *m);
