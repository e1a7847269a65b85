/* SPDX-License-Identifier: MIT */

/* Two questions: of the unit, and of what triggers it. */

#include "explain/unit_facts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "explain/bus_dictionary.h"

#define SERVICE "org.freedesktop.systemd1"
#define UNITS "/org/freedesktop/systemd1/unit"

UnitFacts *unit_facts_free(UnitFacts *f) {
        if (f) {
                free(f->description);
                free(f->fragment_path);
                free(f->triggered_by);
                free(f->trigger_path);
                free(f);
        }
        return NULL;
}

static bool has_suffix(const char *name, const char *suffix) {
        const size_t n = strlen(name), n_suffix = strlen(suffix);

        return n > n_suffix && strcmp(name + n - n_suffix, suffix) == 0;
}

static int take_triggers(UnitFacts *f, sd_bus_message *m) {
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &name)) > 0) {
                if (f->triggered_by && !has_suffix(name, ".timer"))
                        continue;
                free(f->triggered_by);
                f->triggered_by = strdup(name);
                if (!f->triggered_by)
                        return -ENOMEM;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 1;
}

static int take_of_unit(void *userdata, const char *key, sd_bus_message *m) {
        UnitFacts *f = userdata;

        if (strcmp(key, "TriggeredBy") == 0)
                return take_triggers(f, m);
        if (strcmp(key, "Description") == 0)
                return bus_dictionary_take_string(m, &f->description);
        if (strcmp(key, "FragmentPath") == 0)
                return bus_dictionary_take_string(m, &f->fragment_path);
        return 0;
}

static int take_of_trigger(void *userdata, const char *key, sd_bus_message *m) {
        UnitFacts *f = userdata;

        return strcmp(key, "FragmentPath") == 0 ? bus_dictionary_take_string(m, &f->trigger_path)
                                                : 0;
}

typedef struct TimerTimes {
        uint64_t last_usec, next_realtime_usec, next_monotonic_usec;
} TimerTimes;

static int take_of_timer(void *userdata, const char *key, sd_bus_message *m) {
        TimerTimes *t = userdata;

        if (strcmp(key, "LastTriggerUSec") == 0)
                return bus_dictionary_take_u64(m, &t->last_usec);
        if (strcmp(key, "NextElapseUSecRealtime") == 0)
                return bus_dictionary_take_u64(m, &t->next_realtime_usec);
        if (strcmp(key, "NextElapseUSecMonotonic") == 0)
                return bus_dictionary_take_u64(m, &t->next_monotonic_usec);
        return 0;
}

static int ask(Bus *b, uid_t uid, const char *unit, const char *interface,
               int (*take)(void *userdata, const char *key, sd_bus_message *m), void *userdata) {
        _cleanup_free_ char *path = NULL;
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_path_encode(UNITS, unit, &path);
        if (r >= 0)
                r = bus_get_all(b, uid, SERVICE, path, interface, &m);
        if (r >= 0)
                r = bus_dictionary_for_each(m, take, userdata);
        sd_bus_message_unref(m);
        return r;
}

/* Of the two kinds the one that comes first, as `systemctl list-timers` does it. */
static uint64_t next_run(const TimerTimes *t) {
        const uint64_t monotonic = clock_now_nsec(CLOCK_MONOTONIC) / CLOCK_NSEC_PER_USEC;
        uint64_t next = 0;

        if (t->next_realtime_usec > 0 && t->next_realtime_usec != UINT64_MAX)
                next = t->next_realtime_usec;
        if (t->next_monotonic_usec > monotonic && t->next_monotonic_usec != UINT64_MAX) {
                uint64_t usec = clock_now_nsec(CLOCK_REALTIME) / CLOCK_NSEC_PER_USEC +
                                (t->next_monotonic_usec - monotonic);

                next = next == 0 || usec < next ? usec : next;
        }
        return next;
}

static void ask_trigger(Bus *b, uid_t uid, UnitFacts *f) {
        TimerTimes t = {0};

        (void)ask(b, uid, f->triggered_by, SERVICE ".Unit", take_of_trigger, f);
        if (!has_suffix(f->triggered_by, ".timer") ||
            ask(b, uid, f->triggered_by, SERVICE ".Timer", take_of_timer, &t) < 0)
                return;
        f->last_usec = t.last_usec == UINT64_MAX ? 0 : t.last_usec;
        f->next_usec = next_run(&t);
}

int unit_facts_ask(Bus *b, uid_t uid, const char *unit, UnitFacts **ret_facts) {
        UnitFacts *f = calloc(1, sizeof(*f));
        int r;

        if (!f)
                return -ENOMEM;
        r = ask(b, uid, unit, SERVICE ".Unit", take_of_unit, f);
        if (r < 0) {
                unit_facts_free(f);
                return r;
        }
        /* What it says without an answer to this is true still. */
        if (f->triggered_by)
                ask_trigger(b, uid, f);
        *ret_facts = f;
        return 0;
}
