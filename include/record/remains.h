/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is left of a file that lost a name: other names, or those who have it open.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "identify/holders.h"
#include "identify/user_names.h"

/* Only of a file that was really looked at, after its deletion. */
typedef struct Remains {
        struct stat status;
        const char *also_at; /* one of its other names, visible path; NULL unknown or none left */
        bool is_held;        /* no name is left, and it is open */
        const Holder *holders;
        size_t n_holders;
} Remains;

/* "size":…,"uid":… of "file", with the trailing comma. */
void remains_append_file(const Remains *r, UserNames *names, Buffer *b);
/* "links_left":…,"held_open":… of "whodunlink", with the trailing comma. */
void remains_append_whodunlink(const Remains *r, Buffer *b);
