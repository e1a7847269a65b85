/* SPDX-License-Identifier: MIT */

/* Places that survive a reboot, and those that do not. */

#include "command/why_place.h"

#include <string.h>

#include "base/cleanup.h"
#include "unit.h"

static const char table_text[] =
        "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "21 20 0:20 / /run rw - tmpfs tmpfs rw\n"
        "22 20 0:21 / /mnt/live rw - overlay overlay "
        "rw,lowerdir=/a,upperdir=/run/upper,workdir=/w\n"
        "23 20 0:22 / /mnt/disk rw - overlay overlay rw,lowerdir=/run/a,upperdir=/srv/upper\n"
        "24 20 0:23 / /mnt/ro ro - overlay overlay ro,lowerdir=/run/a:/run/b\n"
        "25 20 0:24 / /mnt/odd rw - overlay overlay rw,upperdir=/run/a\\134,b/u,workdir=/w\n"
        "26 20 0:25 / /ram rw - ramfs none rw\n"
        "27 20 0:26 / /mnt/relative rw - overlay overlay rw,upperdir=run/u\n";

static const struct {
        const char *path;
        WhyPlaceKind kind;
} places[] = {
        {"/etc/passwd", WHY_PLACE_LASTING},
        {"/run/x", WHY_PLACE_MEMORY},
        {"/run", WHY_PLACE_MEMORY},
        {"/runner", WHY_PLACE_LASTING},
        {"/ram/x", WHY_PLACE_MEMORY},
        {"/mnt/live/x", WHY_PLACE_MEMORY_UPPER},
        {"/mnt/disk/x", WHY_PLACE_LASTING},
        {"/mnt/ro/x", WHY_PLACE_LASTING},
        {"/mnt/odd/x", WHY_PLACE_MEMORY_UPPER},
        {"/mnt/relative/x", WHY_PLACE_LASTING},
        {"/run/user/1000/x", WHY_PLACE_USER_RUNTIME},
        {"/run/user/1000", WHY_PLACE_USER_RUNTIME},
        {"/run/user/alice", WHY_PLACE_MEMORY},
        {"/run/user/1000x", WHY_PLACE_MEMORY},
        {"/tmp/systemd-private-abc-cups.service-x/tmp/f", WHY_PLACE_PRIVATE_TMP},
        {"/var/tmp/systemd-private-abc-cups.service-x", WHY_PLACE_PRIVATE_TMP},
        {"/tmp/systemd-private", WHY_PLACE_LASTING},
};

START_TEST(test_places) {
        _cleanup_mount_table_ MountTable t = {0};
        WhyPlace p;

        ck_assert_int_eq(mount_table_parse(table_text, strlen(table_text), &t), 0);
        p = why_place_find(&t, places[_i].path);
        if (p.kind != places[_i].kind)
                ck_abort_msg("%s: %d", places[_i].path, p.kind);
        ck_assert_int_eq(why_place_is_volatile(&p), p.kind != WHY_PLACE_LASTING);
        ck_assert(p.mount);
        ck_assert_int_eq(!p.upper || p.kind != WHY_PLACE_MEMORY_UPPER,
                         p.kind != WHY_PLACE_MEMORY_UPPER);
}
END_TEST

START_TEST(test_no_table) {
        const MountTable t = {0};
        WhyPlace p = why_place_find(&t, "/x");

        ck_assert_ptr_null(p.mount);
        ck_assert_int_eq(p.kind, WHY_PLACE_LASTING);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("why_place");

        tcase_add_loop_test(t, test_places, 0, (int)(sizeof(places) / sizeof(places[0])));
        tcase_add_test(t, test_no_table);
        return unit_run("why_place", t);
}
