/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Questions to a message bus, each with an end.
 *
 * The bus may be absent, or be a socket that takes a connection and never says a word: then it is
 * left alone for a while, so that it costs a wait once in BUS_REST_NSEC.  For one thread.
 */

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

/* How long an answer is waited for, the connection included. Longer than a record waits for it:
 * on a slow machine the next one has it. */
#define BUS_WAIT_NSEC (UINT64_C(2000) * 1000 * 1000)
/* How long a bus that gave none is left alone. */
#define BUS_REST_NSEC (UINT64_C(30) * 1000 * 1000 * 1000)
/* Users' buses that are kept open; one more takes the place of another. */
#define BUS_USERS_MAX 8

typedef struct Bus Bus;

/*
 * bus_new() - no connection yet
 * @system_address: NULL: the system bus's
 * @user_address:   a format with one %u for the uid; NULL: unix:path=/run/user/UID/bus
 *
 * Return: 0, -ENOMEM.
 */
int bus_new(const char *system_address, const char *user_address, Bus **ret_bus);
Bus *bus_free(Bus *b);

#define BUS_SYSTEM ((uid_t)-1)

/*
 * bus_get_all() - all properties of an interface of an object
 * @uid:       whose bus; BUS_SYSTEM. A user's is asked as that user.
 * @ret_reply: to be unreferenced; at the dictionary of type a{sv}
 *
 * Return: 0, -ETIMEDOUT it did not answer, also lately; errors of connect(2); -EPERM we may not
 * become that user; -EREMOTEIO it answered with an error, as where there is no such object.
 */
int bus_get_all(Bus *b, uid_t uid, const char *service, const char *path, const char *interface,
                sd_bus_message **ret_reply);

/* How often no answer came in time. */
uint64_t bus_n_timeouts(const Bus *b);
