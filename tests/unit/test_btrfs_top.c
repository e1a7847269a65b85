/* SPDX-License-Identifier: MIT */

/* What a search for the root directory's inode returns, and everything that is not one. */

#include "locate/btrfs_top.h"

#include <endian.h>
#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <string.h>

#include "unit.h"

#define ITEM_BYTES 160

typedef struct Found {
        struct btrfs_ioctl_search_header header;
        uint8_t item[ITEM_BYTES];
} Found;

static Found found(uint64_t generation) {
        Found f = {
                .header =
                        {
                                .transid = 9,
                                .objectid = BTRFS_FIRST_FREE_OBJECTID,
                                .type = BTRFS_INODE_ITEM_KEY,
                                .len = ITEM_BYTES,
                        },
        };

        generation = htole64(generation);
        memcpy(f.item, &generation, sizeof(generation));
        return f;
}

START_TEST(test_handle) {
        const Found f = found(0x0102030405060708);
        uint8_t handle[BTRFS_TOP_HANDLE_BYTES];
        uint64_t object, root;
        uint32_t generation;

        ck_assert_int_eq(btrfs_top_make_handle(&f, sizeof(f), 1, handle), 0);
        memcpy(&object, handle, 8);
        memcpy(&root, handle + 8, 8);
        memcpy(&generation, handle + 16, 4);
        ck_assert_uint_eq(object, 256);
        ck_assert_uint_eq(root, 5);
        ck_assert_uint_eq(generation, 0x05060708);
}
END_TEST

/* Cut off at each byte before the generation's end. */
START_TEST(test_truncated) {
        const Found f = found(3);
        uint8_t handle[BTRFS_TOP_HANDLE_BYTES] = {0xee};

        for (size_t n = 0; n < sizeof(f.header) + 8; n++) {
                uint8_t *bytes = malloc(n + 1);

                memcpy(bytes, &f, n);
                ck_assert_int_eq(btrfs_top_make_handle(bytes, n, 1, handle), -EBADMSG);
                free(bytes);
        }
        ck_assert_uint_eq(handle[0], 0xee);
        ck_assert_int_eq(btrfs_top_make_handle(&f, sizeof(f.header) + 8, 1, handle), 0);
}
END_TEST

START_TEST(test_another_item) {
        uint8_t handle[BTRFS_TOP_HANDLE_BYTES];
        Found f = found(3);

        ck_assert_int_eq(btrfs_top_make_handle(&f, sizeof(f), 0, handle), -EBADMSG);
        ck_assert_int_eq(btrfs_top_make_handle(&f, sizeof(f), UINT32_MAX, handle), -EBADMSG);
        f.header.objectid = 257;
        ck_assert_int_eq(btrfs_top_make_handle(&f, sizeof(f), 1, handle), -EBADMSG);
        f = found(3);
        f.header.type = BTRFS_INODE_REF_KEY;
        ck_assert_int_eq(btrfs_top_make_handle(&f, sizeof(f), 1, handle), -EBADMSG);
        f = found(3);
        f.header.len = 7;
        ck_assert_int_eq(btrfs_top_make_handle(&f, sizeof(f), 1, handle), -EBADMSG);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("btrfs_top");

        tcase_add_test(tcase, test_handle);
        tcase_add_test(tcase, test_truncated);
        tcase_add_test(tcase, test_another_item);
        return unit_run("btrfs_top", tcase);
}
