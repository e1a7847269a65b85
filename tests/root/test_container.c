/* SPDX-License-Identifier: MIT */

/*
 * A container on an overlay, made by hand as runtimes make it: a control group of a runtime's name,
 * namespaces of its own, and the overlay as its root.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "filesystem.h"
#include "group.h"
#include "harness.h"
#include "record.h"
#include "truth.h"

static const char id[] = "3f2a9c51e0d74b6f8c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d7";

typedef struct Container {
        const Filesystem *fs;
        char *group;
} Container;

static void copy_program(const char *to) {
        char *program = process_find_program("busybox");

        process_run(PROCESS_ARGS("cp", program, to));
        free(program);
}

static void run(void *userdata) {
        const Container *c = userdata;

        group_enter(c->group);
        execlp("unshare", "unshare", "--pid", "--fork", "--mount", "chroot", c->fs->path,
               "/busybox", "rm", "/image/file", NULL);
        _exit(127);
}

/* rm in a container of a file from the image. */
START_TEST(rm_in_a_container) {
        Filesystem fs = fs_prepare_overlay(FS_OVERLAY, "merged");
        Container c = {.fs = &fs};
        struct json_object *record = NULL, *r;
        char *group = harness_format("system.slice/docker-%s.scope", id);
        char *in_image = harness_format("%s/image", fs.lower);
        char *busybox = harness_format("%s/busybox", fs.lower);
        char *path = harness_format("%s/image/file", fs.path);
        char *upper_path = harness_format("%s/image/file", fs.upper);
        Monitor m;

        harness_mkdir(in_image);
        harness_touch(harness_format("%s/file", in_image));
        copy_program(busybox);
        fs_mount_overlay(&fs, NULL);
        c.group = group_make(group);
        m = monitor_start(MONITOR_ARGS("--upper-paths", fs.path));
        ck_assert_int_eq(process_wait(process_fork(run, &c), 20), 0);
        monitor_wait_for_output(&m, "image/file", 10);
        monitor_stop(&m);
        {
                _cleanup_reader_ RecordReader reader = record_reader_new(m.output_path);

                while ((r = record_next_deletion(&reader))) {
                        ck_assert_ptr_null(record);
                        record = json_object_get(r);
                }
        }
        ck_assert_ptr_nonnull(record);
        ck_assert_str_eq(record_string(record, "event.action"), "unlink");
        ck_assert_str_eq(record_string(record, "file.path"), path);
        ck_assert_str_eq(record_string(record, "whodunlink.container_path"), "/image/file");
        ck_assert_str_eq(record_string(record, "whodunlink.upper_path"), upper_path);
        ck_assert_str_eq(record_string(record, "container.id"), id);
        ck_assert_int_eq(record_number(record, "process.vpid"), 1);
        ck_assert_int_gt(record_number(record, "process.pid"), 1);
        json_object_put(record);
}
END_TEST

/* Of a process that is in no container there is no such path. */
START_TEST(rm_outside) {
        Filesystem fs = fs_new(FS_OVERLAY, "merged");
        Process own = process_own_truth();
        _cleanup_truth_ Truth t = {0};
        char *path = harness_format("%s/file", fs.path);
        Monitor m = monitor_start(MONITOR_ARGS(fs.path));

        harness_touch(path);
        harness_unlink(path);
        truth_add(&t, "unlink", path, &own);
        truth_check(&t, &m, 0);
        ck_assert(!monitor_has_output(&m, "container_path"));
        ck_assert(!monitor_has_output(&m, "upper_path"));
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, rm_in_a_container);
        tcase_add_test(tcase, rm_outside);
}

int main(void) {
        return harness_main("container", add_tests);
}
