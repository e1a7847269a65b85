/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A thread that asks the name service, which may take seconds (LDAP, sssd): its owner asks, goes
 * on, and takes the answers when they are there.  For one owner, who calls from one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Questions asked and not yet taken as answers; beyond it no more are taken. */
#define NAME_RESOLVER_QUESTIONS_MAX 256

typedef enum NameKind {
        NAME_USER,
        NAME_GROUP,
} NameKind;

typedef struct NameAnswer {
        NameKind kind;
        uint32_t id;
        char *name; /* the caller frees it; NULL: it has none, or it could not be learned */
} NameAnswer;

typedef struct NameResolver NameResolver;

/* Starts the thread. Return: 0, -ENOMEM, -EAGAIN no more threads. */
int name_resolver_new(NameResolver **ret_resolver);
/*
 * name_resolver_free() - ends the thread
 *
 * Does not wait for a name service that does not answer: the thread then lets go of what is left
 * when it gets its answer, or ends with the program.
 */
NameResolver *name_resolver_free(NameResolver *r);

/* Return: 0, -ENOBUFS too many questions. */
int name_resolver_ask(NameResolver *r, NameKind kind, uint32_t id);
/* Is there an answer to take? Cheap: takes no lock. */
bool name_resolver_has_answer(const NameResolver *r);
/*
 * name_resolver_take() - the next answer, in the order of the questions
 * @until_nsec: monotonic; up to when to wait for it, 0 not at all
 *
 * Return: 1, 0 none is there.
 */
int name_resolver_take(NameResolver *r, uint64_t until_nsec, NameAnswer *ret_answer);
