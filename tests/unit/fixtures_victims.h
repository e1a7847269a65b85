/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A queue of events with files known by single letters, as the kernel writes it: what a process
 * does to a name, and what that says of files without a name.
 */

#include <errno.h>
#include <string.h>

#include "capture/victims.h"
#include "unit.h"

static Victims *victims;
static uint64_t n_events;

static inline void setup(void) {
        n_events = 0;
        ck_assert_int_eq(victims_new(&victims), 0);
}

static inline void teardown(void) {
        victims = victims_free(victims);
}

/* The handle of a file or directory: its letter, twice. */
static inline FileHandle file(char letter) {
        static uint8_t bytes[256][2];

        memset(bytes[(uint8_t)letter], letter, 2);
        return (FileHandle){.type = 1, .n_bytes = 2, .bytes = bytes[(uint8_t)letter]};
}

static inline FanName name(const char *text) {
        return (FanName){.directory = file('/'), .name = text, .n_name = strlen(text)};
}

static inline int note(FlightEvent *e) {
        e->position = n_events++;
        return victims_note(victims, e);
}

static inline FlightEvent renames(int32_t pid, const char *from, const char *to, char source) {
        FlightEvent e = {.fan = {.mask = FAN_RENAME,
                                 .pid = pid,
                                 .old_name = name(from),
                                 .new_name = name(to),
                                 .target = file(source)}};

        ck_assert_int_eq(note(&e), VICTIMS_USE_SOME);
        return e;
}

static inline FlightEvent renames_directory(int32_t pid, const char *from, const char *to,
                                            char source) {
        FlightEvent e = {.fan = {.mask = FAN_RENAME | FAN_ONDIR,
                                 .pid = pid,
                                 .old_name = name(from),
                                 .new_name = name(to),
                                 .target = file(source)}};

        ck_assert_int_eq(note(&e), VICTIMS_USE_SOME);
        return e;
}

static inline void nameless(int32_t pid, uint64_t mask, char f) {
        FlightEvent e = {.fan = {.mask = mask, .pid = pid, .target = file(f)}};

        ck_assert_int_eq(note(&e), VICTIMS_USE_NONE);
}

/* The two records of a directory about itself. */
static inline void nameless_directory(int32_t pid, uint64_t mask, char f) {
        FlightEvent e = {.fan = {.mask = mask | FAN_ONDIR,
                                 .pid = pid,
                                 .name = {.directory = file(f), .name = ".", .n_name = 1}}};

        ck_assert_int_eq(note(&e), VICTIMS_USE_NONE);
}

static inline int deletes(int32_t pid, const char *n, char f) {
        FlightEvent e = {
                .fan = {.mask = FAN_DELETE, .pid = pid, .name = name(n), .target = file(f)}};

        return note(&e);
}

/* What stands behind a rename in the queue when nothing is merged; victim 0: none. */
static inline FlightEvent renames_over(int32_t pid, const char *from, const char *to, char source,
                                       char victim, uint64_t victim_mask) {
        FlightEvent e = renames(pid, from, to, source);

        if (victim)
                nameless(pid, FAN_ATTRIB | victim_mask, victim);
        nameless(pid, FAN_MOVE_SELF, source);
        return e;
}

static inline void expect_after(FlightEvent e, uint64_t waited_nsec, char victim, VictimState state,
                                bool is_gone) {
        FileHandle expected = file(victim);
        Victim found;

        ck_assert_int_eq(victims_find(victims, &e, waited_nsec, &found), 0);
        ck_assert_int_eq(found.state, state);
        if (state == VICTIM_CERTAIN && victim != '*') {
                ck_assert(file_handle_equal(&found.handle, &expected));
                ck_assert_int_eq(found.is_gone, is_gone);
        } else {
                ck_assert_ptr_null(found.handle.bytes);
        }
        victims_leave(victims, &e);
}

/* The oldest rename leaves, and destroyed this; 0: nothing, '*': one of several. */
static inline void expect_victim(FlightEvent e, char victim, VictimState state, bool is_gone) {
        expect_after(e, 0, victim, state, is_gone);
}

/* The same when no more is waited for. */
static inline void expect_late(FlightEvent e, char victim, VictimState state, bool is_gone) {
        expect_after(e, VICTIMS_WAIT_HALFWAY_NSEC, victim, state, is_gone);
}

/* What the names of a file tell, of which there are n; asked about this one. */
static inline void answer(FlightEvent e, char asked, unsigned n) {
        FileHandle expected = file(asked);
        Victim found;

        ck_assert_int_eq(victims_find(victims, &e, VICTIMS_WAIT_HALFWAY_NSEC, &found), 0);
        ck_assert_int_eq(found.state, VICTIM_ASK);
        ck_assert(file_handle_equal(&found.handle, &expected));
        victims_answer(victims, n);
}

/* Something may have been destroyed, and what that was is not known. */
static inline void expect_possible(FlightEvent e) {
        expect_after(e, UINT64_MAX, 0, VICTIM_POSSIBLE, false);
}

static inline void expect_none(FlightEvent e) {
        expect_victim(e, 0, VICTIM_NONE, false);
}

static inline void expect_waiting(FlightEvent e) {
        Victim found;

        ck_assert_int_eq(victims_find(victims, &e, 0, &found), -EAGAIN);
}
