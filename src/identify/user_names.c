/* SPDX-License-Identifier: MIT */

/*
 * Names of users and groups, remembered.
 *
 * A name may come from LDAP or from sssd and take milliseconds, and a million deletions share a
 * handful of users.  That an id has no name is remembered too, or each record of a container's
 * users would ask again.
 *
 * Limits: an answer is believed for USER_NAMES_AGE_MAX_NSEC, so a watch of months learns of a new
 * or renamed user within a minute; a lookup that fails counts as "no name" for as long.
 *
 * Source: getpwuid_r(3) and getgrgid_r(3), which list what "not found" may be.
 */

#include "identify/user_names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash_table.h"

/* Beyond sysconf(_SC_GETGR_R_SIZE_MAX), which is a guess: a group brings all its members along. */
#define LOOKUP_BYTES_MIN 1024
#define LOOKUP_BYTES_MAX ((size_t)16 * 1024 * 1024)

typedef struct Name {
        HashLink link;
        uint32_t id;
        uint64_t asked_nsec;
        char *name; /* NULL: it has none */
} Name;

struct UserNames {
        HashTable users, groups;
};

/* Return: 0 with a name, or NULL for none, in *ret_name; ERANGE a larger buffer is needed; others.
 */
typedef int (*Lookup)(uint32_t id, char *buf, size_t n_buf, const char **ret_name);

static int lookup_user(uint32_t id, char *buf, size_t n_buf, const char **ret_name) {
        struct passwd entry, *found = NULL;
        int r = getpwuid_r(id, &entry, buf, n_buf, &found);

        if (r == 0)
                *ret_name = found ? found->pw_name : NULL;
        return r;
}

static int lookup_group(uint32_t id, char *buf, size_t n_buf, const char **ret_name) {
        struct group entry, *found = NULL;
        int r = getgrgid_r(id, &entry, buf, n_buf, &found);

        if (r == 0)
                *ret_name = found ? found->gr_name : NULL;
        return r;
}

/* Return: an allocated name, or NULL for none, a failure, or no memory. */
static char *ask(Lookup lookup, uint32_t id) {
        for (size_t n = LOOKUP_BYTES_MIN; n <= LOOKUP_BYTES_MAX; n *= 2) {
                _cleanup_free_ char *buf = malloc(n);
                const char *name = NULL;
                int r;

                if (!buf)
                        return NULL;
                do {
                        r = lookup(id, buf, n, &name);
                } while (r == EINTR);
                if (r != ERANGE)
                        return r == 0 && name && *name ? strdup(name) : NULL;
        }
        return NULL;
}

static void forget_all(HashTable *t) {
        for (size_t i = 0; i < t->n_buckets; i++) {
                HashLink *next;

                for (HashLink *l = t->buckets[i]; l; l = next) {
                        Name *name = HASH_ENTRY(l, Name, link);

                        next = l->next;
                        free(name->name);
                        free(name);
                }
        }
        hash_table_done(t);
}

static const char *find(HashTable *t, Lookup lookup, uint32_t id) {
        const uint64_t hash = hash_u64(id), now = clock_now_nsec(CLOCK_MONOTONIC_COARSE);
        Name *name = NULL;

        for (HashLink *l = hash_table_first(t, hash); l && !name; l = l->next)
                if (HASH_ENTRY(l, Name, link)->id == id)
                        name = HASH_ENTRY(l, Name, link);

        if (name && now - name->asked_nsec < USER_NAMES_AGE_MAX_NSEC)
                return name->name;

        if (!name) {
                if (t->n_links >= USER_NAMES_MAX)
                        forget_all(t);
                name = calloc(1, sizeof(*name));
                if (!name)
                        return NULL;
                name->id = id;
                if (hash_table_insert(t, &name->link, hash) < 0) {
                        free(name);
                        return NULL;
                }
        }
        free(name->name);
        name->name = ask(lookup, id);
        name->asked_nsec = now;
        return name->name;
}

int user_names_new(UserNames **ret_names) {
        UserNames *n = calloc(1, sizeof(*n));

        if (!n)
                return -ENOMEM;
        *ret_names = n;
        return 0;
}

UserNames *user_names_free(UserNames *n) {
        if (!n)
                return NULL;
        forget_all(&n->users);
        forget_all(&n->groups);
        free(n);
        return NULL;
}

const char *user_names_user(UserNames *n, uid_t uid) {
        return find(&n->users, lookup_user, uid);
}

const char *user_names_group(UserNames *n, gid_t gid) {
        return find(&n->groups, lookup_group, gid);
}
