/* SPDX-License-Identifier: MIT */

/*
 * Names of users and groups, remembered.
 *
 * A name may come from LDAP or from sssd and take seconds, and a million deletions share a handful
 * of users.  So the name service is asked by a thread of its own.  A new id is waited for as long
 * as it takes to read /etc/passwd; when that was in vain the id alone has to do, and nothing is
 * waited for again until all that is asked is answered, so that a service that hangs costs one such
 * wait and not one for each user.  That an id has no name is remembered too, or each record of a
 * container's users would ask again.
 *
 * Limits: a watch of months learns of a new or renamed user a minute later, when it is asked for
 * again; while the service hangs, local users that are new are numbers, too.
 */

#include "identify/user_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash_table.h"
#include "identify/name_resolver.h"

typedef struct Name {
        HashLink link;
        uint32_t id;
        bool is_asked; /* its answer has not been taken yet */
        bool is_given; /* what is known was given to somebody, be it that nothing is */
        bool is_known;
        uint64_t known_nsec; /* since when */
        char *name;          /* NULL: it has none */
} Name;

struct UserNames {
        NameResolver *resolver; /* NULL: nobody is asked */
        HashTable tables[2];    /* by NameKind */
        size_t n_asked;         /* not taken yet, those of forgotten names included */
        bool is_slow;           /* one was waited for in vain, and is still to come */
        bool is_refused;        /* one could not even be asked for */
        uint64_t generation;
};

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

static Name *find(const HashTable *t, uint32_t id) {
        for (HashLink *l = hash_table_first(t, hash_u64(id)); l; l = l->next)
                if (HASH_ENTRY(l, Name, link)->id == id)
                        return HASH_ENTRY(l, Name, link);
        return NULL;
}

static Name *add(HashTable *t, uint32_t id) {
        Name *name;

        if (t->n_links >= USER_NAMES_MAX)
                forget_all(t);
        name = calloc(1, sizeof(*name));
        if (!name)
                return NULL;
        name->id = id;
        if (hash_table_insert(t, &name->link, hash_u64(id)) < 0) {
                free(name);
                return NULL;
        }
        return name;
}

static bool is_same(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Consumes the name of an answer. */
static void learn(UserNames *n, const NameAnswer *a) {
        Name *name = find(&n->tables[a->kind], a->id);

        n->n_asked--;
        if (n->n_asked == 0)
                n->is_slow = false;
        /* There is room again for what was not asked. */
        if (n->is_refused)
                n->generation++;
        n->is_refused = false;
        if (!name) {
                /* Forgotten meanwhile; whoever was given nothing may ask again. */
                free(a->name);
                n->generation++;
                return;
        }
        if (name->is_given && !is_same(name->name, a->name))
                n->generation++;
        free(name->name);
        name->name = a->name;
        name->is_asked = false;
        name->is_known = true;
        name->known_nsec = clock_now_nsec(CLOCK_MONOTONIC_COARSE);
}

static void learn_all(UserNames *n) {
        NameAnswer a;

        while (name_resolver_has_answer(n->resolver) && name_resolver_take(n->resolver, 0, &a) > 0)
                learn(n, &a);
}

static void ask(UserNames *n, NameKind kind, Name *name) {
        if (name_resolver_ask(n->resolver, kind, name->id) < 0) {
                n->is_refused = true;
                return;
        }
        name->is_asked = true;
        n->n_asked++;
}

/* Waits for the first answer about an id; there is none before it that is slow. */
static void await(UserNames *n, const Name *name) {
        const uint64_t until = clock_now_nsec(CLOCK_MONOTONIC) + USER_NAMES_WAIT_NSEC;
        NameAnswer a;

        while (name->is_asked) {
                if (name_resolver_take(n->resolver, until, &a) == 0) {
                        n->is_slow = true;
                        return;
                }
                learn(n, &a);
        }
}

static const char *name_of(UserNames *n, NameKind kind, uint32_t id) {
        Name *name;

        if (!n->resolver) {
                name = find(&n->tables[kind], id);
                return name ? name->name : NULL;
        }
        learn_all(n);
        name = find(&n->tables[kind], id);
        if (!name)
                name = add(&n->tables[kind], id);
        if (!name)
                return NULL;
        if (!name->is_known) {
                if (!name->is_asked)
                        ask(n, kind, name);
                if (!n->is_slow)
                        await(n, name);
        } else if (!name->is_asked && clock_now_nsec(CLOCK_MONOTONIC_COARSE) - name->known_nsec >=
                                              USER_NAMES_AGE_MAX_NSEC) {
                ask(n, kind, name);
        }
        name->is_given = true;
        return name->name;
}

int user_names_new(UserNames **ret_names) {
        UserNames *n = calloc(1, sizeof(*n));
        int r;

        if (!n)
                return -ENOMEM;
        r = name_resolver_new(&n->resolver);
        if (r < 0) {
                free(n);
                return r;
        }
        *ret_names = n;
        return 0;
}

int user_names_new_given(UserNames **ret_names) {
        UserNames *n = calloc(1, sizeof(*n));

        if (!n)
                return -ENOMEM;
        *ret_names = n;
        return 0;
}

void user_names_forget(UserNames *n) {
        forget_all(&n->tables[NAME_USER]);
        forget_all(&n->tables[NAME_GROUP]);
        n->generation++;
}

int user_names_give_user(UserNames *n, uid_t uid, const char *name) {
        char *copy = strdup(name);
        Name *given;

        if (!copy)
                return -ENOMEM;
        given = find(&n->tables[NAME_USER], uid);
        if (!given)
                given = add(&n->tables[NAME_USER], uid);
        if (!given) {
                free(copy);
                return -ENOMEM;
        }
        free(given->name);
        given->name = copy;
        given->is_known = true;
        n->generation++;
        return 0;
}

UserNames *user_names_free(UserNames *n) {
        if (!n)
                return NULL;
        if (n->resolver)
                name_resolver_free(n->resolver);
        forget_all(&n->tables[NAME_USER]);
        forget_all(&n->tables[NAME_GROUP]);
        free(n);
        return NULL;
}

const char *user_names_user(UserNames *n, uid_t uid) {
        return name_of(n, NAME_USER, uid);
}

const char *user_names_group(UserNames *n, gid_t gid) {
        return name_of(n, NAME_GROUP, gid);
}

uint64_t user_names_generation(UserNames *n) {
        if (n->resolver && name_resolver_has_answer(n->resolver))
                learn_all(n);
        return n->generation;
}
