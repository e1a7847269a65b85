/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Names of users and groups, as far as they are known by now.  For one thread; the name service is
 * asked by another (name_resolver.h).
 */

#include <stdint.h>
#include <sys/types.h>

/* Names of either kind remembered; beyond it all are forgotten and asked for again. */
#define USER_NAMES_MAX 4096
/* An older answer, "has no name" included, is asked for again, and believed until then. */
#define USER_NAMES_AGE_MAX_NSEC (UINT64_C(60) * 1000 * 1000 * 1000)
/* How long a first answer is waited for: /etc/passwd is read by then. */
#define USER_NAMES_WAIT_NSEC (UINT64_C(2) * 1000 * 1000)

typedef struct UserNames UserNames;

/* Return: 0, -ENOMEM, -EAGAIN no more threads. */
int user_names_new(UserNames **ret_names);
/* Does not wait for a name service that hangs. */
UserNames *user_names_free(UserNames *n);

/*
 * user_names_new_given() - names of another time or machine: only those that are given
 *
 * Nobody is asked.  For records that are read back and bring their names along.
 * Return: 0, -ENOMEM.
 */
int user_names_new_given(UserNames **ret_names);
/* Forgets all that was given. */
void user_names_forget(UserNames *n);
/* Return: 0, -ENOMEM. */
int user_names_give_user(UserNames *n, uid_t uid, const char *name);

/*
 * The name, or NULL when the id has none, or it is not known or not known yet; borrowed until the
 * next call of any function of this file.  Bytes of whoever runs the directory: escape them.
 */
const char *user_names_user(UserNames *n, uid_t uid);
const char *user_names_group(UserNames *n, gid_t gid);

/*
 * user_names_generation() - a number that changes when what was given out is no longer all there is
 *
 * Whoever keeps something that was made with names makes it anew then.  Cheap as long as nothing
 * has changed.
 */
uint64_t user_names_generation(UserNames *n);
