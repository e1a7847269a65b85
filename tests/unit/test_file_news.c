/* SPDX-License-Identifier: MIT */

/* What is remembered of files, and for how long. */

#include "capture/file_news.h"

#include "capture/fan_event.h"
#include "unit.h"

static FileNews news;

static void setup(void) {
        news = (FileNews){.window = 1};
}

START_TEST(test_masks) {
        ck_assert_uint_eq(file_news_mask(&news, 7, 1), 0);
        file_news_add(&news, 7, 1, FAN_ATTRIB);
        file_news_add(&news, 7, 1, FAN_MOVE_SELF);
        ck_assert_uint_eq(file_news_mask(&news, 7, 1), FAN_ATTRIB | FAN_MOVE_SELF);
        ck_assert_uint_eq(file_news_mask(&news, 7, 2), 0);
        ck_assert_uint_eq(file_news_mask(&news, 7 + FILE_NEWS_SLOTS, 1), 0);
        news.window++;
        ck_assert_uint_eq(file_news_mask(&news, 7, 1), 0);
}
END_TEST

START_TEST(test_gone_stays) {
        ck_assert(!file_news_is_gone(&news, 7));
        file_news_add(&news, 7, 1, FAN_ATTRIB);
        ck_assert(!file_news_is_gone(&news, 7));
        file_news_add(&news, 7, 2, FAN_DELETE_SELF);
        news.window++;
        ck_assert(file_news_is_gone(&news, 7));
        file_news_add(&news, 7, 1, FAN_ATTRIB);
        ck_assert(file_news_is_gone(&news, 7));
        /* Another one in its place. */
        file_news_add(&news, 7 + FILE_NEWS_SLOTS, 1, FAN_ATTRIB);
        ck_assert(!file_news_is_gone(&news, 7 + FILE_NEWS_SLOTS));
        file_news_add(&news, 7 + FILE_NEWS_SLOTS, 1, FAN_DELETE_SELF);
        ck_assert(!file_news_is_gone(&news, 7));
        ck_assert(file_news_is_gone(&news, 7 + FILE_NEWS_SLOTS));
}
END_TEST

/* A whiteout of an overlay has as many names as things it hides, and everybody moves it. */
START_TEST(test_one_file_in_many_hands) {
        for (int32_t pid = 1; pid <= 4; pid++)
                file_news_add(&news, 7, pid, FAN_ATTRIB);
        for (int32_t pid = 1; pid <= 4; pid++)
                ck_assert_uint_eq(file_news_mask(&news, 7, pid), FAN_ATTRIB);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("file_news");

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, test_masks);
        tcase_add_test(tcase, test_gone_stays);
        tcase_add_test(tcase, test_one_file_in_many_hands);
        return unit_run("file_news", tcase);
}
