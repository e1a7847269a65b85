/* SPDX-License-Identifier: MIT */

/* Which records tell of a path, and how many are kept. */

#include "query/history.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

typedef struct Case {
        const char *action, *type, *path, *asked;
        HistoryMatch want;
} Case;

static const Case cases[] = {
        {"unlink", "file", "/tmp/a", "/tmp/a", HISTORY_ITSELF},
        {"overwrite", "file", "/tmp/a", "/tmp/a", HISTORY_ITSELF},
        {"move", "file", "/tmp/a", "/tmp/a", HISTORY_ITSELF},
        {"rmdir", "dir", "/tmp/a", "/tmp/a", HISTORY_ITSELF},
        {"unlink", "file", "/tmp/a", "/tmp/ab", HISTORY_NONE},
        {"unlink", "file", "/tmp/ab", "/tmp/a", HISTORY_NONE},
        {"unlink", "file", "/tmp/a/b", "/tmp/a", HISTORY_NONE},
        {"move", "dir", "/tmp/a", "/tmp/a/b/c", HISTORY_WITH_DIRECTORY},
        {"move", "file", "/tmp/a", "/tmp/a/b/c", HISTORY_NONE},
        {"rmdir", "subvolume", "/tmp/a", "/tmp/a/b", HISTORY_WITH_DIRECTORY},
        /* It was empty by then. */
        {"rmdir", "dir", "/tmp/a", "/tmp/a/b", HISTORY_NONE},
        {"start", "file", "/tmp/a", "/tmp/a", HISTORY_NONE},
        {"move", "dir", "/", "/tmp/a", HISTORY_WITH_DIRECTORY},
};

static void make_line(char *line, size_t n, const Case *c, unsigned i) {
        snprintf(line, n,
                 "{\"@timestamp\":\"2026-11-23T00:55:%02u.000000000Z\",\"event\":{\"action\":"
                 "\"%s\",\"sequence\":%u,\"id\":\"x-%u\"},\"file\":{\"path\":\"%s\",\"type\":"
                 "\"%s\"},\"message\":\"m\"}",
                 i, c->action, i, i, c->path, c->type);
}

START_TEST(test_match) {
        const Case *c = &cases[_i];
        _cleanup_record_parsed_ RecordParsed p = {0};
        char line[512];

        make_line(line, sizeof(line), c, 0);
        ck_assert_int_eq(record_parse(line, strlen(line), &p), 0);
        if (history_match(&p.record, c->asked, strlen(c->asked)) != c->want)
                ck_abort_msg("%s %s, asked for %s", c->action, c->path, c->asked);
}
END_TEST

/* Of many, the first and the last are told; any other may have been one of them. */
START_TEST(test_folds) {
        static const struct {
                const char *asked;
                HistoryMatch want;
        } asked[] = {
                {"/tmp/d/a", HISTORY_ITSELF},    {"/tmp/d/z", HISTORY_ITSELF},
                {"/tmp/d/b/c", HISTORY_IN_FOLD}, {"/tmp/d", HISTORY_IN_FOLD},
                {"/tmp/dd", HISTORY_NONE},       {"/tmp", HISTORY_NONE},
        };
        static const char line[] =
                "{\"@timestamp\":\"2026-11-23T00:55:00Z\",\"event\":{\"action\":\"fold\"},"
                "\"whodunlink\":{\"fold\":{\"count\":9,\"common_directory\":\"/tmp/d\","
                "\"first\":\"/tmp/d/a\",\"last\":\"/tmp/d/z\"}}}";
        _cleanup_record_parsed_ RecordParsed p = {0};

        ck_assert_int_eq(record_parse(line, strlen(line), &p), 0);
        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
                if (history_match(&p.record, asked[i].asked, strlen(asked[i].asked)) !=
                    asked[i].want)
                        ck_abort_msg("%s", asked[i].asked);
}
END_TEST

/* What was renamed over another is gone from where it was. */
START_TEST(test_replacing) {
        static const struct {
                const char *asked, *action, *type;
                HistoryMatch want;
        } asked[] = {
                {"/tmp/b", "overwrite", "file", HISTORY_ITSELF},
                {"/tmp/b/c", "overwrite", "file", HISTORY_NONE},
                {"/tmp/b/c", "overwrite", "dir", HISTORY_WITH_DIRECTORY},
                /* The lost directory was empty. */
                {"/tmp/a/c", "overwrite", "dir", HISTORY_NONE},
                /* That is where it went. */
                {"/tmp/b", "move", "file", HISTORY_NONE},
        };

        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
                _cleanup_record_parsed_ RecordParsed p = {0};
                char line[512];

                snprintf(line, sizeof(line),
                         "{\"@timestamp\":\"2026-11-23T00:55:00Z\",\"event\":{\"action\":\"%s\"},"
                         "\"file\":{\"path\":\"/tmp/a\",\"type\":\"%s\",\"target_path\":\"/tmp/"
                         "b\"}}",
                         asked[i].action, asked[i].type);
                ck_assert_int_eq(record_parse(line, strlen(line), &p), 0);
                if (history_match(&p.record, asked[i].asked, strlen(asked[i].asked)) !=
                    asked[i].want)
                        ck_abort_msg("%s %s %s", asked[i].action, asked[i].type, asked[i].asked);
        }
}
END_TEST

/* The last three of twelve, in the order of time, however they come. */
START_TEST(test_last) {
        const bool is_newest_first = _i > 0;
        const Case mine = {.action = "unlink", .type = "file", .path = "/a"};
        const Case other = {.action = "unlink", .type = "file", .path = "/b"};
        _cleanup_history_ History h;
        unsigned n_added = 0;

        ck_assert_int_eq(history_init(&h, "/a", 3, is_newest_first), 0);
        for (unsigned i = 0; i < 12; i++) {
                unsigned number = is_newest_first ? 11 - i : i;
                char line[512];
                int r;

                make_line(line, sizeof(line), number % 2 ? &other : &mine, number);
                r = history_add(&h, line, strlen(line));
                n_added++;
                if (r == 0)
                        break;
                ck_assert_int_eq(r, 1);
                /* Told twice, as after a crash. */
                ck_assert_int_eq(history_add(&h, line, strlen(line)), 1);
        }
        ck_assert_uint_eq(n_added, is_newest_first ? 6 : 12);
        ck_assert_uint_eq(h.n_entries, 3);
        for (size_t i = 0; i < 3; i++)
                ck_assert_uint_eq(history_at(&h, i)->parsed.record.sequence, 6 + 2 * i);
}
END_TEST

START_TEST(test_strange) {
        _cleanup_history_ History h;

        ck_assert_int_eq(history_init(&h, "/a", 1, false), 0);
        ck_assert_int_eq(history_add(&h, "{", 1), 1);
        ck_assert_int_eq(history_add(&h, "", 0), 1);
        ck_assert_uint_eq(h.n_read, 2);
        ck_assert_uint_eq(h.n_strange, 2);
        ck_assert_uint_eq(h.n_entries, 0);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("history");

        tcase_add_loop_test(t, test_match, 0, (int)(sizeof(cases) / sizeof(cases[0])));
        tcase_add_test(t, test_folds);
        tcase_add_test(t, test_replacing);
        tcase_add_loop_test(t, test_last, 0, 2);
        tcase_add_test(t, test_strange);
        return unit_run("history", t);
}
