/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The path that somebody asks about, as it stands now.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

typedef struct WhyTarget {
        char *path; /* absolute; no symlink in its directory part, but perhaps itself */
        bool exists;
        int error; /* 0; why it could not be looked at: -EACCES */
        mode_t mode;
        uid_t uid;
        uint64_t accessed_nsec, created_nsec, changed_nsec, modified_nsec; /* 0 not known */
} WhyTarget;

#define _cleanup_why_target_ _cleanup_(why_target_done)

/*
 * why_target_look() - find a path and look at it
 * @path: as given; relative to the working directory
 *
 * The last component is not followed: it is the link itself that is removed.  With a slash behind
 * it, or when it is "." or "..", it is what the link points to.
 *
 * Return: 0 (also when it does not exist, or could not be looked at); as path_resolve().
 */
int why_target_look(const char *path, WhyTarget *ret);
void why_target_done(WhyTarget *t);

/* "file", "dir", "symlink", …: as file.type of the records. */
const char *why_target_type(const WhyTarget *t);
