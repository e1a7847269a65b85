/* SPDX-License-Identifier: MIT */

/* What systemd-analyze prints, and, where it is installed, what it says of the hours that a change
 * to summer time leaves out or repeats. */

#include "explain/calendar_next.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "unit.h"

#define SEC CLOCK_NSEC_PER_SEC

static const struct {
        const char *text;
        int r;
        uint64_t seconds;
} outputs[] = {
        {"  Original form: daily\nNormalized form: *-*-* 00:00:00\n"
         "    Next elapse: Sun 2026-03-29 00:00:00 UTC\n       From now: 8 months 3 days ago\n",
         0, 1774742400},
        {"Normalized form: *-*-* 02:30:00\n    Next elapse: Mon 2026-03-30 02:30:00 CEST\n"
         "       (in UTC): Mon 2026-03-30 00:30:00 UTC\n       From now: 8 months ago\n"
         "       Iter. #2: Tue 2026-03-31 02:30:00 CEST\n"
         "       (in UTC): Tue 2026-03-31 00:30:00 UTC\n",
         0, 1774830600},
        {"    Next elapse: Mon 2026-03-30 00:30:00 UTC", 0, 1774830600},
        {"    Next elapse: never\n", -ENODATA, 0},
        {"    Next elapse: Mon 2026-03-30 02:30:00 CEST\n", -EBADMSG, 0},
        {"    Next elapse: \n", -EBADMSG, 0},
        {"    Next elapse: Mon UTC\n", -EBADMSG, 0},
        {"       (in UTC): Mon 2026-03-30 00:30:00 UTC\n", -EBADMSG, 0},
        {"", -EBADMSG, 0},
        {"\n\n", -EBADMSG, 0},
};

START_TEST(test_parse) {
        uint64_t nsec = 0;

        ck_assert_int_eq(calendar_next_parse(outputs[_i].text, strlen(outputs[_i].text), &nsec),
                         outputs[_i].r);
        ck_assert_uint_eq(nsec, outputs[_i].seconds * SEC);
}
END_TEST

START_TEST(test_summer_time) {
        static const struct {
                const char *zone, *expression;
                uint64_t after, want;
        } turns[] = {
                {"UTC", "daily", 1774740000, 1774742400},
                {"UTC", "daily", 1774742400, 1774828800},
                /* 02:30 is left out on the 29th of March; midnight comes after 23 hours. */
                {"Europe/Berlin", "*-*-* 02:30:00", 1774740000, 1774830600},
                {"Europe/Berlin", "daily", 1774738800, 1774821600},
                /* And after 25 on the 25th of October. */
                {"Europe/Berlin", "daily", 1792879200, 1792969200},
                {"UTC", "2020-01-01", 1774740000, 0},
        };
        const TimerCalendar c = calendar_next();

        for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
                uint64_t nsec = 0;
                int r;

                setenv("TZ", turns[i].zone, 1);
                r = c.next(c.userdata, turns[i].expression, turns[i].after * SEC, &nsec);
                /* Not installed here. */
                if (r == -ENOENT)
                        return;
                ck_assert_int_eq(r, 0);
                ck_assert_uint_eq(nsec, turns[i].want ? turns[i].want * SEC : TIMER_NEVER);
        }
        setenv("TZ", "UTC", 1);
        {
                uint64_t nsec;

                ck_assert_int_eq(c.next(c.userdata, "moonday", 0, &nsec), -EBADMSG);
                ck_assert_int_eq(c.next(c.userdata, "--help", 0, &nsec), -EBADMSG);
        }
}
END_TEST

int main(void) {
        TCase *t = tcase_create("calendar_next");

        tcase_add_loop_test(t, test_parse, 0, (int)(sizeof(outputs) / sizeof(outputs[0])));
        tcase_add_test(t, test_summer_time);
        return unit_run("calendar_next", t);
}
