/* SPDX-License-Identifier: MIT */

/*
 * A service manager with one timer on a bus of its own: what systemd would say of
 * systemd-tmpfiles-clean.timer, as a test wants it.
 *
 *      timer_manager SOCKET LOAD ACTIVE REALTIME MONOTONIC PERIOD CALENDAR
 *
 * It listens on SOCKET, where the system's bus would be, and answers whoever connects, one after
 * the other: the greeting of a bus, and the properties of the timer.  Times are microseconds;
 * CALENDAR may be empty.
 *
 * Source: org.freedesktop.systemd1(5); the D-Bus specification, "Message Bus Messages" on Hello.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#define TIMER "/org/freedesktop/systemd1/unit/systemd_2dtmpfiles_2dclean_2etimer"

static const char *load_state, *active_state, *calendar;
static uint64_t next_realtime, next_monotonic, period;

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        (void)bus, (void)path, (void)interface, (void)userdata, (void)error;
        return sd_bus_message_append(
                reply, "s", strcmp(property, "LoadState") == 0 ? load_state : active_state);
}

static int get_u64(sd_bus *bus, const char *path, const char *interface, const char *property,
                   sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        uint64_t v = 60000000; /* AccuracySec=1min */

        (void)bus, (void)path, (void)interface, (void)userdata, (void)error;
        if (strcmp(property, "NextElapseUSecRealtime") == 0)
                v = next_realtime;
        else if (strcmp(property, "NextElapseUSecMonotonic") == 0)
                v = next_monotonic;
        else if (strcmp(property, "LastTriggerUSec") == 0 ||
                 strcmp(property, "RandomizedDelayUSec") == 0)
                v = 0;
        return sd_bus_message_append(reply, "t", v);
}

static int get_monotonic(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        (void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
        if (period == 0)
                return sd_bus_message_append(reply, "a(stt)", 0);
        return sd_bus_message_append(reply, "a(stt)", 2, "OnUnitActiveUSec", period, next_monotonic,
                                     "OnBootUSec", UINT64_C(900000000), UINT64_C(0));
}

static int get_calendar(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        (void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
        if (!*calendar)
                return sd_bus_message_append(reply, "a(sst)", 0);
        return sd_bus_message_append(reply, "a(sst)", 1, "OnCalendar", calendar, next_realtime);
}

static const sd_bus_vtable unit_table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("LoadState", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("ActiveState", "s", get_string, 0, 0),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable timer_table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("NextElapseUSecRealtime", "t", get_u64, 0, 0),
        SD_BUS_PROPERTY("NextElapseUSecMonotonic", "t", get_u64, 0, 0),
        SD_BUS_PROPERTY("LastTriggerUSec", "t", get_u64, 0, 0),
        SD_BUS_PROPERTY("AccuracyUSec", "t", get_u64, 0, 0),
        SD_BUS_PROPERTY("RandomizedDelayUSec", "t", get_u64, 0, 0),
        SD_BUS_PROPERTY("TimersMonotonic", "a(stt)", get_monotonic, 0, 0),
        SD_BUS_PROPERTY("TimersCalendar", "a(sst)", get_calendar, 0, 0),
        SD_BUS_VTABLE_END,
};

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        (void)userdata, (void)error;
        if (!sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "Hello"))
                return 0;
        return sd_bus_reply_method_return(m, "s", ":1.1");
}

static int serve(int fd) {
        sd_id128_t id;
        sd_bus *bus = NULL;
        int r;

        r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_fd(bus, fd, fd);
        if (r >= 0)
                r = sd_bus_set_server(bus, 1, id);
        if (r >= 0)
                r = sd_bus_set_anonymous(bus, 1);
        if (r >= 0)
                r = sd_bus_add_filter(bus, NULL, on_message, NULL);
        if (r >= 0)
                r = sd_bus_add_object_vtable(bus, NULL, TIMER, "org.freedesktop.systemd1.Unit",
                                             unit_table, NULL);
        if (r >= 0)
                r = sd_bus_add_object_vtable(bus, NULL, TIMER, "org.freedesktop.systemd1.Timer",
                                             timer_table, NULL);
        if (r >= 0)
                r = sd_bus_start(bus);
        while (r >= 0 && (r = sd_bus_process(bus, NULL)) >= 0)
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        sd_bus_unref(bus);
        return r;
}

int main(int argc, char **argv) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd;

        if (argc != 8)
                return 2;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        load_state = argv[2];
        active_state = argv[3];
        next_realtime = strtoull(argv[4], NULL, 10);
        next_monotonic = strtoull(argv[5], NULL, 10);
        period = strtoull(argv[6], NULL, 10);
        calendar = argv[7];
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(fd, 8) < 0) {
                perror(argv[1]);
                return 1;
        }
        for (;;) {
                int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

                if (client >= 0)
                        (void)serve(client);
        }
}
