/* SPDX-License-Identifier: MIT */

/*
 * A container on an overlay: by runc, as docker has it run one; and made by hand, of a control
 * group of a runtime's name, namespaces of its own, and the overlay as its root.
 */

#include <glob.h>
#include <stdio.h>
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

#define RUNC_GROUP "whodunlink_behalf.slice/docker"

/* What runc leaves of the groups that it made in each hierarchy. */
static void remove_groups(void) {
        static const char *const patterns[] = {"/sys/fs/cgroup/*/" RUNC_GROUP,
                                               "/sys/fs/cgroup/*/whodunlink_behalf.slice"};

        for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
                glob_t found = {0};

                if (glob(patterns[i], 0, NULL, &found) == 0)
                        for (size_t k = 0; k < found.gl_pathc; k++)
                                (void)rmdir(found.gl_pathv[k]);
                globfree(&found);
        }
}

static void run_by_runc(const Container *c) {
        char *bundle = harness_path("bundle"), *state = harness_path("state");
        char *config = harness_format("%s/config.json", bundle);
        FILE *f;

        free(process_find_program("runc"));
        free(group_make("docker")); /* or skips: runc would fail */
        harness_mkdir(bundle);
        f = fopen(config, "we");
        harness_assert(f, "%s: %m", config);
        fprintf(f,
                "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"%s\"},"
                "\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"cwd\":\"/\","
                "\"args\":[\"/busybox\",\"rm\",\"/image/file\"]},"
                "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}],"
                "\"linux\":{\"cgroupsPath\":\"/" RUNC_GROUP "/%s\",\"namespaces\":["
                "{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"}]}}",
                c->fs->path, id);
        ck_assert_int_eq(fclose(f), 0);
        process_run(PROCESS_ARGS("runc", "--root", state, "run", "--bundle", bundle, "whodunlink"));
        remove_groups();
}

static void run_by_hand(Container *c) {
        char *group = harness_format("system.slice/docker-%s.scope", id);

        c->group = group_make(group);
        ck_assert_int_eq(process_wait(process_fork(run, c), 20), 0);
}

/* rm in a container of a file from the image. */
START_TEST(rm_in_a_container) {
        Filesystem fs = fs_prepare_overlay(FS_OVERLAY, "merged");
        Container c = {.fs = &fs};
        struct json_object *record = NULL, *r;
        char *in_image = harness_format("%s/image", fs.lower);
        char *busybox = harness_format("%s/busybox", fs.lower);
        char *path = harness_format("%s/image/file", fs.path);
        char *upper_path = harness_format("%s/image/file", fs.upper);
        Monitor m;

        harness_mkdir(in_image);
        harness_touch(harness_format("%s/file", in_image));
        copy_program(busybox);
        fs_mount_overlay(&fs, NULL);
        m = monitor_start(MONITOR_ARGS("--upper-paths", fs.path));
        if (_i == 0)
                run_by_hand(&c);
        else
                run_by_runc(&c);
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
        tcase_add_loop_test(tcase, rm_in_a_container, 0, 2);
        tcase_add_test(tcase, rm_outside);
}

int main(void) {
        int r;

        group_remove_all();
        r = harness_main("container", add_tests);
        group_remove_all();
        return r;
}
