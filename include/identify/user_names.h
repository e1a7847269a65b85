/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Names of users and groups, each asked for once a minute at most.
 */

#include <stdint.h>
#include <sys/types.h>

/* Names of either kind remembered; beyond it all are forgotten and asked for again. */
#define USER_NAMES_MAX 4096
/* How long an answer is believed, "has no name" included. */
#define USER_NAMES_AGE_MAX_NSEC (UINT64_C(60) * 1000 * 1000 * 1000)

typedef struct UserNames UserNames;

/* Return: 0, -ENOMEM. */
int user_names_new(UserNames **ret_names);
UserNames *user_names_free(UserNames *n);

/*
 * The name, or NULL when the id has none or it cannot be learned; borrowed until the next call of
 * the same function.  Bytes of whoever runs the directory: escape them.
 */
const char *user_names_user(UserNames *n, uid_t uid);
const char *user_names_group(UserNames *n, gid_t gid);
