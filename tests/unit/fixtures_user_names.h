/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A table that knows names before a test begins: on a busy machine a first answer may take longer
 * than anyone waits for it.
 */

#include <unistd.h>

#include "identify/user_names.h"
#include "unit.h"

/* Asks again and again for as long as a test may take. */
static inline const char *fixture_user(UserNames *n, uid_t uid) {
        const char *name = user_names_user(n, uid);

        for (int i = 0; i < 20000 && !name; i++) {
                usleep(1000);
                name = user_names_user(n, uid);
        }
        ck_assert_msg(name, "uid %u gets no name", (unsigned)uid);
        return name;
}

static inline const char *fixture_group(UserNames *n, gid_t gid) {
        const char *name = user_names_group(n, gid);

        for (int i = 0; i < 20000 && !name; i++) {
                usleep(1000);
                name = user_names_group(n, gid);
        }
        ck_assert_msg(name, "gid %u gets no name", (unsigned)gid);
        return name;
}

/* Root and alice, or what she is called. */
static inline UserNames *fixture_names(void) {
        UserNames *n;

        ck_assert_int_eq(user_names_new(&n), 0);
        (void)fixture_user(n, 0);
        (void)fixture_user(n, 1000);
        return n;
}
