/* SPDX-License-Identifier: MIT */

/*
 * Calls are sent asynchronously and the bus is driven by hand: sd_bus_call() waits for the
 * connection's greeting without regard to the call's own timeout.
 *
 * A user's bus lets in nobody else, not even root: the thread takes the user's effective uid for
 * the time of the connection. That is the thread's own, as long as it is not done by the C library.
 *
 * Source: sd_bus_call_async(3), sd_bus_process(3), sd_bus_set_address(3); nptl(7) on setuid().
 */

#include "explain/bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

typedef struct Connection {
        uid_t uid;
        sd_bus *bus;
        uint64_t rests_until_nsec;
        uint64_t used;
} Connection;

struct Bus {
        char *system_address, *user_address;
        Connection connections[1 + BUS_USERS_MAX]; /* the first is the system's */
        uint64_t n_uses, n_timeouts;
};

int bus_new(const char *system_address, const char *user_address, Bus **ret_bus) {
        Bus *b = calloc(1, sizeof(*b));

        if (!b)
                return -ENOMEM;
        for (size_t i = 0; i <= BUS_USERS_MAX; i++)
                b->connections[i].uid = BUS_SYSTEM;
        b->system_address = system_address ? strdup(system_address) : NULL;
        b->user_address = strdup(user_address ? user_address : "unix:path=/run/user/%u/bus");
        if (!b->user_address || (system_address && !b->system_address)) {
                bus_free(b);
                return -ENOMEM;
        }
        *ret_bus = b;
        return 0;
}

static void disconnect(Connection *c) {
        if (c->bus)
                sd_bus_close(c->bus);
        sd_bus_unref(c->bus);
        c->bus = NULL;
}

Bus *bus_free(Bus *b) {
        if (!b)
                return NULL;
        for (size_t i = 0; i <= BUS_USERS_MAX; i++)
                disconnect(&b->connections[i]);
        free(b->system_address);
        free(b->user_address);
        free(b);
        return NULL;
}

uint64_t bus_n_timeouts(const Bus *b) {
        return b->n_timeouts;
}

/* Of this thread alone. Return: 0, -errno. */
static int become(uid_t uid) {
        return syscall(SYS_setresuid, -1, uid, -1) < 0 ? -errno : 0;
}

/* Puts the one %u in by hand: the format is not ours. */
static int user_address(const char *format, uid_t uid, char *ret, size_t n_ret) {
        const char *at = strstr(format, "%u");
        int n = at ? snprintf(ret, n_ret, "%.*s%u%s", (int)(at - format), format, uid, at + 2)
                   : snprintf(ret, n_ret, "%s", format);

        return n < 0 || (size_t)n >= n_ret ? -ENAMETOOLONG : 0;
}

static int start(Bus *b, Connection *c) {
        char address[256];
        int r;

        r = sd_bus_new(&c->bus);
        if (r >= 0 && c->uid != BUS_SYSTEM)
                r = user_address(b->user_address, c->uid, address, sizeof(address));
        if (r >= 0)
                r = sd_bus_set_address(c->bus, c->uid != BUS_SYSTEM ? address
                                               : b->system_address  ? b->system_address
                                                                    : "unix:path=/run/dbus/"
                                                                      "system_bus_socket");
        if (r >= 0)
                r = sd_bus_set_bus_client(c->bus, 1);
        if (r >= 0)
                r = sd_bus_start(c->bus);
        return r;
}

static int connect_to(Bus *b, Connection *c) {
        const uid_t own = geteuid();
        const bool is_other = c->uid != BUS_SYSTEM && c->uid != own;
        int r = is_other ? become(c->uid) : 0;

        /* Whatever listens there is the user's: nothing of root's goes to it. */
        if (r < 0)
                return r;
        r = start(b, c);
        /* The greeting, which says who we are, is sent by whoever drives the bus first. */
        if (r >= 0 && is_other)
                (void)sd_bus_process(c->bus, NULL);
        if (is_other && become(own) < 0)
                abort(); /* root's rights are not left behind half way */
        return r;
}

typedef struct Call {
        sd_bus_message *reply; /* own reference */
        int error;
        bool is_done;
} Call;

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Call *c = userdata;

        (void)error;
        c->is_done = true;
        if (sd_bus_message_is_method_error(m, NULL) > 0)
                c->error = -EREMOTEIO;
        else
                c->reply = sd_bus_message_ref(m);
        return 1;
}

/* Return: 0, -ETIMEDOUT, errors of the connection. */
static int drive(sd_bus *bus, const Call *call, uint64_t end_nsec) {
        while (!call->is_done) {
                uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);
                int r;

                if (now >= end_nsec)
                        return -ETIMEDOUT;
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, (end_nsec - now) / CLOCK_NSEC_PER_USEC + 1);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return call->error;
}

/* The one of this user, or the one that was not used for longest. */
static Connection *connection_of(Bus *b, uid_t uid) {
        Connection *oldest = &b->connections[1];

        if (uid == BUS_SYSTEM)
                return &b->connections[0];
        for (size_t i = 1; i <= BUS_USERS_MAX; i++) {
                if (b->connections[i].uid == uid)
                        return &b->connections[i];
                if (b->connections[i].used < oldest->used)
                        oldest = &b->connections[i];
        }
        disconnect(oldest);
        *oldest = (Connection){.uid = uid};
        return oldest;
}

static int ask(Bus *b, Connection *c, const char *service, const char *path, const char *interface,
               uint64_t end_nsec, Call *call) {
        sd_bus_slot *slot = NULL;
        int r = c->bus ? 0 : connect_to(b, c);

        if (r >= 0)
                r = sd_bus_call_method_async(c->bus, &slot, service, path,
                                             "org.freedesktop.DBus.Properties", "GetAll", on_reply,
                                             call, "s", interface);
        if (r >= 0)
                r = drive(c->bus, call, end_nsec);
        sd_bus_slot_unref(slot);
        return r;
}

int bus_get_all(Bus *b, uid_t uid, const char *service, const char *path, const char *interface,
                sd_bus_message **ret_reply) {
        Connection *c = connection_of(b, uid);
        const uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);
        const bool was_open = c->bus;
        Call call = {0};
        int r;

        c->used = ++b->n_uses;
        if (now < c->rests_until_nsec)
                return -ETIMEDOUT;
        r = ask(b, c, service, path, interface, now + BUS_WAIT_NSEC, &call);
        if (r < 0 && r != -EREMOTEIO && r != -ETIMEDOUT) {
                disconnect(c);
                /* It was closed since the last time, as when the bus was started anew. */
                if (was_open) {
                        call = (Call){0};
                        r = ask(b, c, service, path, interface, now + BUS_WAIT_NSEC, &call);
                        if (r < 0 && r != -EREMOTEIO)
                                disconnect(c);
                }
        }
        if (r == -ETIMEDOUT) {
                b->n_timeouts++;
                c->rests_until_nsec = clock_now_nsec(CLOCK_MONOTONIC) + BUS_REST_NSEC;
                disconnect(c);
        }
        if (r < 0) {
                sd_bus_message_unref(call.reply);
                return r;
        }
        *ret_reply = call.reply;
        return 0;
}
