/* SPDX-License-Identifier: MIT */

/* Inode numbers in handles: those that Linux wrote, and every shape that is not one. */

#include "capture/handle_inode.h"

#include <string.h>

#include "fixtures_fan_event.h"
#include "unit.h"

#define HANDLE_MAX 32

typedef struct Case {
        const char *fstype;
        int32_t type;
        uint32_t n_bytes;
        uint8_t bytes[HANDLE_MAX];
        uint64_t inode;
} Case;

static const Case cases[] = {
        /* inode, generation */
        {"ext4", 1, 8, {0x0d, 0x00, 0x02, 0x00, 0xff, 0xee, 0xdd, 0xcc}, 0x2000d},
        {"ext3", 1, 8, {0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, 0xffffffff},
        {"ext2", 1, 8, {2, 0, 0, 0, 0, 0, 0, 0}, 2},
        {"xfs", 1, 8, {0x80, 0, 0, 0, 9, 9, 9, 9}, 128},
        /* 64-bit inode, generation */
        {"xfs", 0x81, 12, {1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9}, 0x0807060504030201},
        /* object id, root id, generation */
        {"btrfs", 0x4d, 20, {0x01, 0x01, 0, 0, 0, 0, 0, 0x10, 5, 0, 0, 0}, 0x1000000000000101},
        /* generation, low and high half */
        {"tmpfs", 1, 12, {0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0, 0, 0, 0, 0}, 7},
        {"tmpfs", 1, 12, {9, 9, 9, 9, 4, 3, 2, 0x81, 8, 7, 6, 0x85}, 0x8506070881020304},
        /* Of another encoding or another filesystem. */
        {"ext4", 2, 16, {1, 0, 0, 0, 2}, 0},
        {"ext4", 0x81, 12, {1}, 0},
        {"xfs", 0x82, 20, {1}, 0},
        {"btrfs", 0x4e, 28, {1}, 0},
        {"btrfs", 1, 8, {1}, 0},
        {"tmpfs", 0x81, 12, {1}, 0},
        {"overlay", 0xfb, 24, {1}, 0},
        {"overlay", 1, 24, {1}, 0},
        {"fuse", 0x81, 12, {1}, 0},
        {"exfat", 1, 8, {1}, 0},
        {"ex", 1, 8, {1}, 0},
        {"", 1, 8, {1}, 0},
};

#define N_CASES ((int)(sizeof(cases) / sizeof(cases[0])))

START_TEST(test_inode) {
        const Case *c = &cases[_i];
        /* Of exactly the right size: a sanitizer sees a read past the end. */
        uint8_t *bytes = malloc(c->n_bytes);
        FileHandle h = {.type = c->type, .n_bytes = c->n_bytes, .bytes = bytes};

        memcpy(bytes, c->bytes, c->n_bytes);
        ck_assert_uint_eq(handle_inode(&h, c->fstype), c->inode);
        free(bytes);
}
END_TEST

/* Cut off before the number's end there is none. */
START_TEST(test_truncated) {
        const Case *c = &cases[_i];
        const uint32_t n_number = strcmp(c->fstype, "tmpfs") == 0 ? 8 : c->type == 1 ? 4 : 8;

        for (uint32_t n = 1; n < n_number; n++) {
                uint8_t *bytes = malloc(n);
                FileHandle h = {.type = c->type, .n_bytes = n, .bytes = bytes};

                memcpy(bytes, c->bytes, n);
                ck_assert_uint_eq(handle_inode(&h, c->fstype), 0);
                free(bytes);
        }
}
END_TEST

START_TEST(test_no_handle) {
        const FileHandle none = {0}, named = {.type = 1, .n_bytes = 8};

        ck_assert_uint_eq(handle_inode(&none, cases[_i].fstype), 0);
        ck_assert_uint_eq(handle_inode(&named, cases[_i].fstype), 0);
}
END_TEST

/* Little and big ends of the numbers, and each way not to be one. */
typedef struct Pair {
        uint64_t object, root, parent_object, parent_root;
        bool is_subvolume;
} Pair;

static const Pair pairs[] = {
        {256, 257, 256, 5, true},
        {256, 257, 9999, 256, true},
        {256, UINT64_C(1) << 63, 256, 5, true},
        {256, 5, 256, UINT64_C(1) << 32 | 5, true},
        /* A directory that happens to be the first of its subvolume, or of no other. */
        {257, 257, 256, 5, false},
        {256, 257, 256, 257, false},
        {256, 257, 300, 257, false},
        {UINT64_C(1) << 32 | 256, 257, 256, 5, false},
        {UINT64_C(256) << 56, 257, 256, 5, false},
        {0, 0, 0, 0, false},
        {300, 5, 256, 5, false},
};

static FileHandle btrfs_handle(uint8_t bytes[static 20], uint64_t object, uint64_t root) {
        memcpy(bytes, &object, 8);
        memcpy(bytes + 8, &root, 8);
        memset(bytes + 16, 0x11, 4);
        return (FileHandle){.type = 0x4d, .n_bytes = 20, .bytes = bytes};
}

START_TEST(test_subvolume) {
        const Pair *p = &pairs[_i];
        uint8_t bytes[20], parent_bytes[20];
        FileHandle h = btrfs_handle(bytes, p->object, p->root);
        FileHandle parent = btrfs_handle(parent_bytes, p->parent_object, p->parent_root);

        ck_assert_int_eq(handle_is_subvolume(&h, &parent, "btrfs"), p->is_subvolume);
        ck_assert(!handle_is_subvolume(&h, &parent, "ext4"));
        ck_assert(!handle_is_subvolume(&h, &parent, ""));
        parent.type = 0x4e;
        ck_assert(!handle_is_subvolume(&h, &parent, "btrfs"));
        parent.type = h.type;
        h.type = 1;
        ck_assert(!handle_is_subvolume(&h, &parent, "btrfs"));
}
END_TEST

/* One of the handles is cut off, or missing. */
START_TEST(test_subvolume_truncated) {
        uint8_t bytes[20], other[20];
        const FileHandle h = btrfs_handle(bytes, 256, 257), parent = btrfs_handle(other, 256, 5);
        const FileHandle none = {0}, named = {.type = 0x4d, .n_bytes = 20};

        for (uint32_t n = 0; n < 16; n++) {
                uint8_t *cut = malloc(n + 1);
                FileHandle short_one = {.type = 0x4d, .n_bytes = n, .bytes = cut};

                memcpy(cut, bytes, n);
                ck_assert(!handle_is_subvolume(&short_one, &parent, "btrfs"));
                memcpy(cut, other, n);
                ck_assert(!handle_is_subvolume(&h, &short_one, "btrfs"));
                free(cut);
        }
        ck_assert(!handle_is_subvolume(&none, &parent, "btrfs"));
        ck_assert(!handle_is_subvolume(&h, &none, "btrfs"));
        ck_assert(!handle_is_subvolume(&named, &parent, "btrfs"));
        ck_assert(!handle_is_subvolume(&h, &named, "btrfs"));
        ck_assert(handle_is_subvolume(&h, &parent, "btrfs"));
}
END_TEST

START_TEST(test_kernel_bytes) {
        FanEventIter it;
        FanEvent e;

        fan_event_iter_init(&it, unlink_bytes, sizeof(unlink_bytes));
        ck_assert_int_eq(fan_event_next(&it, &e), 1);
        ck_assert_uint_eq(handle_inode(&e.target, "tmpfs"), 3);
        ck_assert_int_eq(fan_event_next(&it, &e), 1);
        ck_assert_uint_eq(handle_inode(&e.name.directory, "tmpfs"), 2);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("handle_inode");

        tcase_add_loop_test(tcase, test_inode, 0, N_CASES);
        tcase_add_loop_test(tcase, test_truncated, 0, N_CASES);
        tcase_add_loop_test(tcase, test_no_handle, 0, N_CASES);
        tcase_add_loop_test(tcase, test_subvolume, 0, (int)(sizeof(pairs) / sizeof(pairs[0])));
        tcase_add_test(tcase, test_subvolume_truncated);
        tcase_add_test(tcase, test_kernel_bytes);
        return unit_run("handle_inode", tcase);
}
