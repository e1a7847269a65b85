/* SPDX-License-Identifier: MIT */

/*
 * What mountinfo.c makes of tables that Linux 6.18 wrote, of hostile ones, and where paths lie.
 *
 * The expectations of `stacked` are the kernel's own: each path's mount id as statx(2) gave it
 * (STATX_MNT_ID) in the mount namespace that the table was read in.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "capture/mountinfo.h"
#include "unit.h"

/* Mounts over mounts, hidden mounts, a mount over "/", a bind mount, odd names. */
static const char stacked[] =
        "43 42 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resuid=65534\n"
        "45 43 0:21 / /proc rw,relatime - proc proc rw\n"
        "58 43 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=12334524k,mode=755\n"
        "59 58 0:23 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=24684096k\n"
        "60 59 0:27 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=24684096k\n"
        "63 43 0:39 / /m rw,relatime - tmpfs base rw\n"
        "64 63 0:40 / /m/a rw,relatime - tmpfs one rw\n"
        "65 64 0:41 / /m/a/b rw,relatime - tmpfs two rw\n"
        "66 65 0:42 / /m/a/b/c rw,relatime - tmpfs three rw\n"
        "67 66 0:43 / /m/a/b/c rw,relatime - tmpfs three2 rw\n"
        "68 64 0:44 / /m/a rw,relatime - tmpfs four rw\n"
        "69 63 0:45 / /m/hid/x rw,relatime - tmpfs hx rw\n"
        "70 69 0:46 / /m/hid/x/y rw,relatime - tmpfs hxy rw\n"
        "71 63 0:47 / /m/hid rw,relatime - tmpfs hh rw\n"
        "72 63 0:48 / /m/sp\\040ace rw,relatime - tmpfs sour\\040ce\\134\\043 rw\n"
        "73 63 0:49 / /m/e rw,relatime - tmpfs  rw\n"
        "74 63 0:44 /b /m/bind rw,relatime - tmpfs four rw\n"
        "75 63 0:50 / /m/ta\\011b rw,relatime - tmpfs t rw\n"
        "76 63 0:51 / /m/back\\134slash rw,relatime - tmpfs t rw\n"
        "77 63 0:52 / /m/nl\\012x rw,relatime - tmpfs t rw\n"
        "78 68 0:44 / /m/a/b rw,relatime - tmpfs four rw\n"
        "79 63 0:47 / /m/rb rw,relatime shared:1 master:2 propagate_from:3 - tmpfs hh rw\n"
        "80 43 0:53 / / rw,relatime - tmpfs overroot rw\n";

static const struct {
        const char *path;
        int id;
} lookups[] = {
        {"/", 43},
        {"/etc", 43},
        {"/etc/dev/shm", 43},
        {"/proc/self/mountinfo", 45},
        {"/process", 43},
        {"/dev", 58},
        {"/dev/shm", 60},
        {"/dev/shm/x", 60},
        {"/dev/shmem", 58},
        {"/m", 63},
        {"/m/a", 68},
        {"/m/ab", 63},
        {"/m/a/b", 78},
        {"/m/a/b/b", 78},
        {"/m/a/b/c", 78},
        {"/m/hid", 71},
        {"/m/hid/x", 71},
        {"/m/hid/x/y", 71},
        {"/m/sp ace/x", 72},
        {"/m/e", 73},
        {"/m/bind/c", 74},
        {"/m/ta\tb", 75},
        {"/m/back\\slash/x", 76},
        {"/m/nl\nx", 77},
        {"/m/rb/x/y", 79},
};

static const int hidden_ids[] = {59, 64, 65, 66, 67, 69, 70, 80};

/* Parses a copy of exactly that many bytes, so that a sanitizer sees a read past the end. */
static int parse_copy(const char *text, size_t n_bytes, MountTable *ret_table) {
        _cleanup_free_ char *copy = malloc(n_bytes);

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, n_bytes);
        return mount_table_parse(copy, n_bytes, ret_table);
}

static MountTable parse(const char *text) {
        MountTable t;

        ck_assert_int_eq(parse_copy(text, strlen(text), &t), 0);
        return t;
}

START_TEST(test_fields) {
        _cleanup_mount_table_ MountTable t = parse(stacked);
        const Mount *m;

        ck_assert_uint_eq(t.n_mounts, 23);
        m = &t.mounts[0];
        ck_assert_int_eq(m->id, 43);
        ck_assert_int_eq(m->parent_id, 42);
        ck_assert_uint_eq(m->device, makedev(254, 0));
        ck_assert_str_eq(m->root, "/");
        ck_assert_str_eq(m->point, "/");
        ck_assert_str_eq(m->fstype, "ext4");
        ck_assert_str_eq(m->source, "/dev/vda");
        ck_assert_str_eq(m->super_options, "rw,discard,resuid=65534");

        ck_assert_str_eq(t.mounts[14].point, "/m/sp ace");
        ck_assert_str_eq(t.mounts[14].source, "sour ce\\#");
        ck_assert_str_eq(t.mounts[15].source, "");
        ck_assert_str_eq(t.mounts[15].super_options, "rw");
        ck_assert_str_eq(t.mounts[16].root, "/b");
        ck_assert_str_eq(t.mounts[18].point, "/m/back\\slash");
        ck_assert_str_eq(t.mounts[21].fstype, "tmpfs");
}
END_TEST

START_TEST(test_find) {
        _cleanup_mount_table_ MountTable t = parse(stacked);
        const Mount *m = mount_table_find(&t, lookups[_i].path);

        ck_assert_ptr_nonnull(m);
        ck_assert_int_eq(m->id, lookups[_i].id);
}
END_TEST

START_TEST(test_visible) {
        _cleanup_mount_table_ MountTable t = parse(stacked);

        for (size_t i = 0; i < t.n_mounts; i++) {
                int expected = 1;

                for (size_t j = 0; j < sizeof(hidden_ids) / sizeof(hidden_ids[0]); j++)
                        if (t.mounts[i].id == hidden_ids[j])
                                expected = 0;
                ck_assert_int_eq(mount_table_is_visible(&t, &t.mounts[i]), expected);
        }
}
END_TEST

/* A cut table is whole lines or an error. */
static const struct {
        const char *fstype, *super_options, *subvolume;
} subvolumes[] = {
        {"btrfs", "rw,space_cache=v2,subvolid=5,subvol=/", "/"},
        {"btrfs", "rw,ssd,subvolid=257,subvol=/@home", "/@home"},
        {"btrfs", "rw,subvolid=258,subvol=/@/.snapshots/1/snapshot", "/@/.snapshots/1/snapshot"},
        /* Whatever a subvolume may be called. */
        {"btrfs", "rw,subvolid=9,subvol=/a,subvol=/b", "/a,subvol=/b"},
        {"btrfs", "rw,subvolid=9,subvol=/a\\040b\\134c", "/a b\\c"},
        /* Deleted while it is mounted. */
        {"btrfs", "rw,ssd,subvolid=257", NULL},
        {"btrfs", "rw,subvolid=9,subvol=", NULL},
        {"btrfs", "rw,subvolid=9,subvol=x", NULL},
        {"btrfs", "subvol=/a", NULL},
        {"ext4", "rw,subvol=/a", NULL},
};

START_TEST(test_subvolume) {
        _cleanup_free_ char *line = NULL;
        _cleanup_mount_table_ MountTable t = {0};
        const char *said;

        ck_assert_int_gt(asprintf(&line, "1 0 0:40 /@ / rw - %s /dev/sda %s\n",
                                  subvolumes[_i].fstype, subvolumes[_i].super_options),
                         0);
        t = parse(line);
        said = mount_subvolume(&t.mounts[0]);
        ck_assert_int_eq(said != NULL, subvolumes[_i].subvolume != NULL);
        if (said)
                ck_assert_str_eq(said, subvolumes[_i].subvolume);
}
END_TEST

START_TEST(test_truncated) {
        size_t n_lines = 0;

        for (size_t n = 0; n < sizeof(stacked); n++) {
                MountTable t = {.n_mounts = 99};
                int r = parse_copy(stacked, n, &t);

                if (n > 0 && stacked[n - 1] == '\n')
                        n_lines++;
                if (n == 0 || stacked[n - 1] == '\n') {
                        ck_assert_int_eq(r, 0);
                        ck_assert_uint_eq(t.n_mounts, n_lines);
                        mount_table_done(&t);
                } else {
                        ck_assert_int_eq(r, -EBADMSG);
                        ck_assert_uint_eq(t.n_mounts, 99);
                }
        }
}
END_TEST

static const char *const malformed[] = {
        "\n",
        " \n",
        "1 2 0:1 / / rw - tmpfs src rw",
        "1 2 0:1 / / rw tmpfs src rw\n",
        "1 2 0:1 / / rw shared:1\n",
        "1 2 0:1 / / - tmpfs src rw\n",
        "1 2 0:1 / / rw - tmpfs src\n",
        "1 2 0:1 / / rw - tmpfs\n",
        "1 2 0:1 / m rw - tmpfs src rw\n",
        "1 2 0:1 /  rw - tmpfs src rw\n",
        "1 2 0 / / rw - tmpfs src rw\n",
        "1 2 0:-1 / / rw - tmpfs src rw\n",
        "-1 2 0:1 / / rw - tmpfs src rw\n",
        "1 2x 0:1 / / rw - tmpfs src rw\n",
        "2147483648 2 0:1 / / rw - tmpfs src rw\n",
        "1 99999999999999999999 0:1 / / rw - tmpfs src rw\n",
        "1 2 4294967296:1 / / rw - tmpfs src rw\n",
        "1 2 0:1 / /a\\000b rw - tmpfs src rw\n",
        "1 2 0:1 / / rw - tmpfs src rw\n\n",
        "1 2 0:1 / / rw - tmpfs src rw\n1 2 0:1\n",
};

START_TEST(test_malformed) {
        MountTable t = {.n_mounts = 99};

        ck_assert_int_eq(parse_copy(malformed[_i], strlen(malformed[_i]), &t), -EBADMSG);
        ck_assert_uint_eq(t.n_mounts, 99);
}
END_TEST

START_TEST(test_nul_byte) {
        static const char text[] = "1 2 0:1 / /a\0b rw - tmpfs src rw\n";
        MountTable t;

        ck_assert_int_eq(parse_copy(text, sizeof(text) - 1, &t), -EBADMSG);
}
END_TEST

/* Shapes that are unusual but meant. */
START_TEST(test_lenient) {
        _cleanup_mount_table_ MountTable t =
                parse("2147483647 2 1:2 net:[4026531993] /run/netns/a rw - nsfs nsfs rw\n"
                      "1 2 0:1 / /a\\x\\40\\400\\ rw - fuse.a\\055b \\ rw,o=a b\\,c\\04\n");

        ck_assert_int_eq(t.mounts[0].id, INT32_MAX);
        ck_assert_str_eq(t.mounts[0].root, "net:[4026531993]");
        ck_assert_str_eq(t.mounts[1].point, "/a\\x\\40\\400\\");
        ck_assert_str_eq(t.mounts[1].fstype, "fuse.a-b");
        ck_assert_str_eq(t.mounts[1].source, "\\");
        ck_assert_str_eq(t.mounts[1].super_options, "rw,o=a b\\,c\\04");
        ck_assert_ptr_null(mount_table_find(&t, "/run/netns/a"));
}
END_TEST

/* Parent ids that lead in circles, and ids that are there twice: any answer, but an answer. */
START_TEST(test_cycles) {
        static const char *const tables[] = {
                "1 2 0:1 / / rw - t s rw\n2 1 0:1 / / rw - t s rw\n",
                "1 1 0:1 / / rw - t s rw\n2 3 0:1 / /a rw - t s rw\n3 2 0:1 / /a rw - t s rw\n",
                "1 1 0:1 / / rw - t s rw\n2 1 0:1 / /a rw - t s rw\n2 2 0:1 / /a rw - t s rw\n",
                "1 1 0:1 / / rw - t s rw\n1 1 0:1 / /a rw - t s rw\n1 1 0:1 / /a rw - t s rw\n",
        };

        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
                _cleanup_mount_table_ MountTable t = parse(tables[i]);
                const Mount *m = mount_table_find(&t, "/a/b");

                ck_assert(i == 0 ? !m : m >= t.mounts && m < t.mounts + t.n_mounts);
        }
}
END_TEST

START_TEST(test_no_root) {
        _cleanup_mount_table_ MountTable t = parse("2 1 0:1 / /a rw - tmpfs src rw\n");
        MountTable empty = {0};

        ck_assert_ptr_null(mount_table_find(&t, "/a"));
        ck_assert_ptr_null(mount_table_find(&empty, "/"));
        ck_assert_int_eq(mount_table_is_visible(&t, &t.mounts[0]), 0);
        mount_table_done(&empty);
}
END_TEST

/* A path that is not absolute ("(unreachable)/x") is on no mount. */
START_TEST(test_relative) {
        _cleanup_mount_table_ MountTable t = parse(stacked);

        ck_assert_ptr_null(mount_table_find(&t, ""));
        ck_assert_ptr_null(mount_table_find(&t, "(unreachable)/x"));
}
END_TEST

START_TEST(test_read) {
        _cleanup_mount_table_ MountTable t = {0};
        _cleanup_close_ int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int nowhere = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(mount_table_read(fd, &t), 0);
        ck_assert_uint_gt(t.n_mounts, 0);
        ck_assert_str_eq(mount_table_find(&t, "/proc/1/stat")->fstype, "proc");
        ck_assert_int_eq(mount_table_read(nowhere, &t), -ENOENT);
}
END_TEST

/* A file that several reads are needed for, at another place than /proc. */
START_TEST(test_read_long) {
        char directory[] = "/tmp/test_mountinfo.XXXXXX";
        _cleanup_mount_table_ MountTable t = {0};
        _cleanup_close_ int fd = -1, self_fd = -1;
        int file_fd;
        FILE *f;

        ck_assert_ptr_nonnull(mkdtemp(directory));
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(mkdirat(fd, "self", 0700), 0);
        self_fd = openat(fd, "self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        file_fd = openat(self_fd, "mountinfo", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        f = fdopen(file_fd, "w");
        ck_assert_ptr_nonnull(f);
        for (int i = 0; i < 5000; i++)
                fprintf(f, "%d 1 0:%d / /mount/%d rw - tmpfs tmpfs rw\n", i + 2, i, i);
        fclose(f);

        ck_assert_int_eq(mount_table_read(fd, &t), 0);
        ck_assert_uint_eq(t.n_mounts, 5000);
        ck_assert_str_eq(t.mounts[4999].point, "/mount/4999");
        ck_assert_int_eq(unlinkat(self_fd, "mountinfo", 0), 0);
        ck_assert_int_eq(unlinkat(fd, "self", AT_REMOVEDIR), 0);
        ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("mountinfo");

        tcase_add_test(t, test_fields);
        tcase_add_loop_test(t, test_find, 0, (int)(sizeof(lookups) / sizeof(lookups[0])));
        tcase_add_test(t, test_visible);
        tcase_add_loop_test(t, test_subvolume, 0,
                            (int)(sizeof(subvolumes) / sizeof(subvolumes[0])));
        tcase_add_test(t, test_truncated);
        tcase_add_loop_test(t, test_malformed, 0, (int)(sizeof(malformed) / sizeof(malformed[0])));
        tcase_add_test(t, test_nul_byte);
        tcase_add_test(t, test_lenient);
        tcase_add_test(t, test_cycles);
        tcase_add_test(t, test_no_root);
        tcase_add_test(t, test_relative);
        tcase_add_test(t, test_read);
        tcase_add_test(t, test_read_long);
        return unit_run("mountinfo", t);
}
