/* SPDX-License-Identifier: MIT */

#include "capture/overlay_layers.h"

#include <string.h>

#include "unit.h"

static const struct {
        const char *options, *upper, *work;
} layers[] = {
        {"rw,lowerdir=/l,upperdir=/u,workdir=/w", "/u", "/w"},
        {"rw,lowerdir=/l1:/l2,upperdir=/u/,workdir=/w/w//,redirect_dir=on,index=on", "/u", "/w/w"},
        {"rw,lowerdir=/l,upperdir=/a,b,workdir=/c,d e,uuid=null,xino=off", "/a,b", "/c,d e"},
        {"upperdir=/u,workdir=/w,volatile", "/u", "/w"},
        {"rw,lowerdir=/l,upperdir=u,workdir=w", NULL, NULL},
        {"rw,lowerdir=/l,upperdir=u,workdir=/w", NULL, "/w"},
        {"ro,lowerdir=/l1:/l2", NULL, NULL},
        {"ro,lowerdir=/l1:/xupperdir=/u:/workdir=/w", NULL, NULL},
        {"rw,upperdir=,workdir=", NULL, NULL},
        {"rw,upperdir=/u", NULL, NULL},
        {"", NULL, NULL},
};

static void expect(const char *is, const char *wanted) {
        if (wanted)
                ck_assert_str_eq(is, wanted);
        else
                ck_assert_ptr_null(is);
}

START_TEST(test_parse) {
        OverlayLayers l = {0};

        ck_assert_int_eq(overlay_layers_parse(layers[_i].options, &l), 0);
        expect(l.upper, layers[_i].upper);
        expect(l.work, layers[_i].work);
        overlay_layers_done(&l);
        ck_assert_ptr_null(l.upper);
}
END_TEST

START_TEST(test_temporary) {
        static const char *const yes[] = {"#0", "#1a2f", "#48c"};
        static const char *const no[] = {"#", "", "a", "#12x", "#12#", "##1", "#1A"};

        for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
                ck_assert(overlay_layers_is_temporary(yes[i], strlen(yes[i])));
        for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
                ck_assert(!overlay_layers_is_temporary(no[i], strlen(no[i])));
}
END_TEST

static size_t work_length(const char *path, bool has_name) {
        return overlay_layers_work_length(path, strlen(path), has_name);
}

START_TEST(test_work) {
        ck_assert_uint_eq(work_length("/w/work", true), strlen("/w/work"));
        ck_assert_uint_eq(work_length("/w/work", false), 0);
        ck_assert_uint_eq(work_length("/w/index", true), strlen("/w/index"));
        ck_assert_uint_eq(work_length("/w/work/#1f", false), strlen("/w/work"));
        ck_assert_uint_eq(work_length("/w/work/#1f/a/b", false), strlen("/w/work"));
        ck_assert_uint_eq(work_length("/w/work/a/#1f", false), 0);
        ck_assert_uint_eq(work_length("/w/homework", true), 0);
        ck_assert_uint_eq(work_length("/w/homework/#1f", false), 0);
        ck_assert_uint_eq(work_length("/work", true), strlen("/work"));
        ck_assert_uint_eq(work_length("/", true), 0);
        ck_assert_uint_eq(work_length("", true), 0);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("overlay_layers");

        tcase_add_loop_test(tcase, test_parse, 0, sizeof(layers) / sizeof(layers[0]));
        tcase_add_test(tcase, test_temporary);
        tcase_add_test(tcase, test_work);
        return unit_run("overlay_layers", tcase);
}
