/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Does the place where a path lies survive the next boot?  Pure.
 */

#include <stdbool.h>

#include "capture/mountinfo.h"

typedef enum WhyPlaceKind {
        WHY_PLACE_LASTING,
        WHY_PLACE_MEMORY,       /* tmpfs, ramfs: gone with the next boot */
        WHY_PLACE_MEMORY_UPPER, /* an overlay whose writable layer is one of these */
        WHY_PLACE_PRIVATE_TMP,  /* a service's own /tmp, which goes when the service stops */
        WHY_PLACE_USER_RUNTIME, /* /run/user/UID, which goes with the user's last session */
} WhyPlaceKind;

typedef struct WhyPlace {
        WhyPlaceKind kind;
        const Mount *mount; /* that it lies on; borrowed from the table; NULL not known */
        const Mount *upper; /* WHY_PLACE_MEMORY_UPPER: what holds the writable layer */
} WhyPlace;

/* @path: absolute, without symlinks in its directory part. */
WhyPlace why_place_find(const MountTable *mounts, const char *path);

/* Is nothing left of it after the next boot? */
bool why_place_is_volatile(const WhyPlace *p);
