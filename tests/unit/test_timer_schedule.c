/* SPDX-License-Identifier: MIT */

/* Runs of timers: what is planned, what comes after it, and by which clock. */

#include "explain/timer_schedule.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "unit.h"

#define SEC CLOCK_NSEC_PER_SEC
#define HOUR (3600 * SEC)
#define DAY (24 * HOUR)
#define USEC(nsec) ((nsec) / CLOCK_NSEC_PER_USEC)

/* Up for ten hours, of which it slept four. */
static const TimerNow now = {
        .realtime_nsec = 1000 * DAY, .monotonic_nsec = 6 * HOUR, .boottime_nsec = 10 * HOUR};

/* OnBootSec=15min, OnUnitActiveSec=1d; the next run is in two hours. */
static TimerSchedule stock(void) {
        return (TimerSchedule){
                .is_active = true,
                .monotonic = {{TIMER_ON_UNIT_ACTIVE, USEC(DAY)}, {TIMER_ON_BOOT, USEC(HOUR / 4)}},
                .n_monotonic = 2,
                .next_monotonic_usec = USEC(8 * HOUR),
        };
}

START_TEST(test_planned) {
        TimerSchedule s = stock();
        uint64_t at;

        ck_assert_uint_eq(timer_next(&s, &now), now.realtime_nsec + 2 * HOUR);
        ck_assert_int_eq(timer_next_from(&s, &now, 0, NULL, &at), TIMER_PLANNED);
        ck_assert_uint_eq(at, now.realtime_nsec + 2 * HOUR);
        /* At that very moment. */
        ck_assert_int_eq(timer_next_from(&s, &now, at, NULL, &at), TIMER_PLANNED);
        ck_assert_uint_eq(at, now.realtime_nsec + 2 * HOUR);
        /* Its clock goes on in suspend. */
        s.is_waking = true;
        s.next_monotonic_usec = USEC(12 * HOUR);
        ck_assert_uint_eq(timer_next(&s, &now), now.realtime_nsec + 2 * HOUR);
        /* Long due. */
        s.next_monotonic_usec = USEC(HOUR);
        ck_assert_uint_eq(timer_next(&s, &now), now.realtime_nsec);
        s.is_active = false;
        ck_assert_uint_eq(timer_next(&s, &now), TIMER_NEVER);
        ck_assert_int_eq(timer_next_from(&s, &now, 0, NULL, &at), TIMER_NO_FURTHER);
        ck_assert_uint_eq(at, TIMER_NEVER);
}
END_TEST

START_TEST(test_further) {
        const uint64_t next = now.realtime_nsec + 2 * HOUR;
        static const struct {
                uint64_t from, want; /* behind the next run */
        } turns[] = {
                {1, DAY},
                {DAY, DAY},
                {DAY + 1, 2 * DAY},
                {10 * DAY - 1, 10 * DAY},
                {10 * DAY, 10 * DAY},
        };
        const TimerSchedule s = stock();

        for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
                uint64_t at;

                ck_assert_int_eq(timer_next_from(&s, &now, next + turns[i].from, NULL, &at),
                                 TIMER_COMPUTED);
                ck_assert_uint_eq(at, next + turns[i].want);
        }
}
END_TEST

START_TEST(test_ends) {
        TimerSchedule s = stock();
        uint64_t at;

        /* Nothing that repeats. */
        s.n_monotonic = 0;
        ck_assert_int_eq(timer_next_from(&s, &now, now.realtime_nsec + DAY, NULL, &at),
                         TIMER_NO_FURTHER);
        /* Nothing planned. */
        s.next_monotonic_usec = UINT64_MAX;
        ck_assert_int_eq(timer_next_from(&s, &now, 0, NULL, &at), TIMER_NO_FURTHER);
        s.next_monotonic_usec = 0;
        ck_assert_int_eq(timer_next_from(&s, &now, 0, NULL, &at), TIMER_NO_FURTHER);
        /* Times that do not fit. */
        s = stock();
        s.monotonic[0].usec = UINT64_MAX;
        ck_assert_int_eq(timer_next_from(&s, &now, now.realtime_nsec + DAY, NULL, &at),
                         TIMER_NO_FURTHER);
        s.monotonic[0].usec = 1;
        ck_assert_int_eq(timer_next_from(&s, &now, UINT64_MAX / 2, NULL, &at), TIMER_COMPUTED);
        ck_assert_uint_lt(at - UINT64_MAX / 2, CLOCK_NSEC_PER_USEC);
        ck_assert_int_eq(timer_next_from(&s, &now, UINT64_MAX, NULL, &at), TIMER_NO_FURTHER);
}
END_TEST

/* Each day at noon, and one that does not understand. */
static int noon(void *userdata, const char *expression, uint64_t after, uint64_t *ret) {
        (void)userdata;
        if (strcmp(expression, "noon") != 0)
                return -EBADMSG;
        *ret = (after / DAY) * DAY + DAY / 2;
        if (*ret <= after)
                *ret += DAY;
        return 0;
}

START_TEST(test_calendar) {
        const TimerCalendar calendar = {.next = noon};
        const uint64_t day = now.realtime_nsec;
        char expression[] = "noon", other[] = "moon";
        TimerSchedule s = {
                .is_active = true,
                .calendar = {expression},
                .n_calendar = 1,
                .next_realtime_usec = USEC(day + DAY / 2),
        };
        uint64_t at;

        ck_assert_int_eq(timer_next_from(&s, &now, day, &calendar, &at), TIMER_PLANNED);
        ck_assert_uint_eq(at, day + DAY / 2);
        ck_assert_int_eq(timer_next_from(&s, &now, day + 5 * DAY, &calendar, &at), TIMER_COMPUTED);
        ck_assert_uint_eq(at, day + 5 * DAY + DAY / 2);
        ck_assert_int_eq(timer_next_from(&s, &now, at, &calendar, &at), TIMER_COMPUTED);
        ck_assert_uint_eq(at, day + 5 * DAY + DAY / 2);
        ck_assert_int_eq(timer_next_from(&s, &now, at, NULL, &at), TIMER_UNKNOWN);
        ck_assert_uint_eq(at, TIMER_NEVER);

        /* Whichever comes first, of the calendar and what counts from the last run. */
        s.monotonic[0] = (TimerMonotonic){TIMER_ON_UNIT_ACTIVE, USEC(HOUR)};
        s.n_monotonic = 1;
        ck_assert_int_eq(timer_next_from(&s, &now, day + DAY, &calendar, &at), TIMER_COMPUTED);
        ck_assert_uint_eq(at, day + DAY);
        /* Of one it is not known. */
        s.calendar[1] = other;
        s.n_calendar = 2;
        ck_assert_int_eq(timer_next_from(&s, &now, day + DAY, &calendar, &at), TIMER_UNKNOWN);
}
END_TEST

START_TEST(test_bases) {
        TimerBase b;

        ck_assert(timer_base_from_string("OnUnitActiveUSec", &b) && b == TIMER_ON_UNIT_ACTIVE);
        ck_assert(timer_base_from_string("OnBootUSec", &b) && b == TIMER_ON_BOOT);
        ck_assert(!timer_base_from_string("OnCalendar", &b));
}
END_TEST

int main(void) {
        TCase *t = tcase_create("timer_schedule");

        tcase_add_test(t, test_planned);
        tcase_add_test(t, test_further);
        tcase_add_test(t, test_ends);
        tcase_add_test(t, test_calendar);
        tcase_add_test(t, test_bases);
        return unit_run("timer_schedule", t);
}
