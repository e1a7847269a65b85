/* SPDX-License-Identifier: MIT */

/* Source: org.freedesktop.systemd1(5), "Timer Unit Objects" and "Unit Objects". */

#include "explain/timer_source.h"

#include <errno.h>
#include <string.h>

#include "explain/bus_dictionary.h"

#define SERVICE "org.freedesktop.systemd1"

static int take_monotonic(sd_bus_message *m, TimerSchedule *s) {
        const char *base;
        uint64_t usec, next;
        int r = sd_bus_message_read(m, "stt", &base, &usec, &next);

        if (r < 0)
                return r;
        if (s->n_monotonic < TIMER_ENTRIES_MAX &&
            timer_base_from_string(base, &s->monotonic[s->n_monotonic].base))
                s->monotonic[s->n_monotonic++].usec = usec;
        return 0;
}

static int take_calendar(sd_bus_message *m, TimerSchedule *s) {
        const char *base, *expression;
        uint64_t next;
        int r = sd_bus_message_read(m, "sst", &base, &expression, &next);

        if (r < 0)
                return r;
        if (s->n_calendar == TIMER_ENTRIES_MAX)
                return 0;
        s->calendar[s->n_calendar] = strdup(expression);
        if (!s->calendar[s->n_calendar])
                return -ENOMEM;
        s->n_calendar++;
        return 0;
}

/* A variant of an array of structures; f takes one of them. @type: "a(stt)". */
static int take_array(sd_bus_message *m, const char *type,
                      int (*f)(sd_bus_message *, TimerSchedule *), TimerSchedule *s) {
        char contents[8];
        int r;

        /* Without "a(" and ")". */
        if (strlen(type) < 3 || strlen(type) - 3 >= sizeof(contents))
                return -EINVAL;
        memcpy(contents, type + 2, strlen(type) - 3);
        contents[strlen(type) - 3] = '\0';
        r = sd_bus_message_enter_container(m, 'v', type);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', type + 1);
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', contents)) > 0) {
                r = f(m, s);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 1;
}

static int take_bool(sd_bus_message *m, bool *ret) {
        int v, r = sd_bus_message_read(m, "v", "b", &v);

        if (r < 0)
                return r;
        *ret = v;
        return 1;
}

static int take_of_timer(void *userdata, const char *key, sd_bus_message *m) {
        TimerSchedule *s = userdata;

        if (strcmp(key, "NextElapseUSecRealtime") == 0)
                return bus_dictionary_take_u64(m, &s->next_realtime_usec);
        if (strcmp(key, "NextElapseUSecMonotonic") == 0)
                return bus_dictionary_take_u64(m, &s->next_monotonic_usec);
        if (strcmp(key, "LastTriggerUSec") == 0)
                return bus_dictionary_take_u64(m, &s->last_realtime_usec);
        if (strcmp(key, "AccuracyUSec") == 0)
                return bus_dictionary_take_u64(m, &s->accuracy_usec);
        if (strcmp(key, "RandomizedDelayUSec") == 0)
                return bus_dictionary_take_u64(m, &s->random_usec);
        if (strcmp(key, "WakeSystem") == 0)
                return take_bool(m, &s->is_waking);
        if (strcmp(key, "TimersMonotonic") == 0)
                return take_array(m, "a(stt)", take_monotonic, s);
        if (strcmp(key, "TimersCalendar") == 0)
                return take_array(m, "a(sst)", take_calendar, s);
        return 0;
}

int timer_source_parse(sd_bus_message *m, TimerSchedule *s) {
        return bus_dictionary_for_each(m, take_of_timer, s);
}

typedef struct UnitState {
        char *load, *active;
} UnitState;

static int take_of_unit(void *userdata, const char *key, sd_bus_message *m) {
        UnitState *u = userdata;

        if (strcmp(key, "LoadState") == 0)
                return bus_dictionary_take_string(m, &u->load);
        if (strcmp(key, "ActiveState") == 0)
                return bus_dictionary_take_string(m, &u->active);
        return 0;
}

/* systemd makes an object of any name; whether there is such a unit is a property of it. */
static int read_unit(Bus *bus, uid_t uid, const char *path, bool *ret_is_active) {
        sd_bus_message *reply = NULL;
        UnitState u = {0};
        int r = bus_get_all(bus, uid, SERVICE, path, SERVICE ".Unit", &reply);

        if (r >= 0)
                r = bus_dictionary_for_each(reply, take_of_unit, &u);
        sd_bus_message_unref(reply);
        if (r >= 0 && (!u.load || strcmp(u.load, "loaded") != 0))
                r = -ESRCH;
        *ret_is_active = u.active && strcmp(u.active, "active") == 0;
        free(u.load);
        free(u.active);
        return r;
}

int timer_source_read(Bus *bus, uid_t uid, const char *timer, TimerSchedule *ret_schedule) {
        _cleanup_timer_schedule_ TimerSchedule s = {0};
        _cleanup_free_ char *path = NULL;
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", timer, &path);
        if (r >= 0)
                r = read_unit(bus, uid, path, &s.is_active);
        if (r >= 0)
                r = bus_get_all(bus, uid, SERVICE, path, SERVICE ".Timer", &reply);
        if (r >= 0)
                r = timer_source_parse(reply, &s);
        sd_bus_message_unref(reply);
        if (r < 0)
                return r;
        *ret_schedule = s;
        s = (TimerSchedule){0};
        return 0;
}
