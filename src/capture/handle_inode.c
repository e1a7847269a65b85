/* SPDX-License-Identifier: MIT */

/*
 * Handles are opaque by contract, but their encoding is fixed: they are stored by NFS clients for
 * years.  The object is gone when its event is read, so there is nobody else left to ask.
 *
 * Source: include/linux/exportfs.h, mm/shmem.c, fs/xfs/xfs_export.h, fs/btrfs/export.h of
 * Linux 6.18.
 */

#include "capture/handle_inode.h"

#include <linux/btrfs_tree.h>
#include <string.h>

#include "base/reader.h"

/* enum fid_type of the kernel, and XFS's flag for 64-bit numbers. */
#define TYPE_INO32_GEN 0x01
#define TYPE_XFS_INO64_GEN 0x81
#define TYPE_BTRFS 0x4d

static uint64_t read_u32(Reader *r) {
        uint32_t v;

        return reader_u32(r, &v) < 0 ? 0 : v;
}

static uint64_t read_u64(Reader *r) {
        uint64_t v;

        return reader_u64(r, &v) < 0 ? 0 : v;
}

uint64_t handle_inode(const FileHandle *h, const char *fstype) {
        Reader r = reader_make(h->bytes, h->bytes ? h->n_bytes : 0);
        uint64_t low;

        if (strcmp(fstype, "tmpfs") == 0 && h->type == TYPE_INO32_GEN) {
                (void)read_u32(&r); /* generation */
                low = read_u32(&r);
                return low | read_u32(&r) << 32;
        }
        if (strcmp(fstype, "xfs") == 0 && h->type == TYPE_XFS_INO64_GEN)
                return read_u64(&r);
        if (strcmp(fstype, "btrfs") == 0 && h->type == TYPE_BTRFS)
                return read_u64(&r);
        if ((strncmp(fstype, "ext", 3) == 0 || strcmp(fstype, "xfs") == 0) &&
            h->type == TYPE_INO32_GEN)
                return read_u32(&r);
        return 0;
}

static bool btrfs_ids(const FileHandle *h, uint64_t *ret_object, uint64_t *ret_root) {
        Reader r = reader_make(h->bytes, h->bytes ? h->n_bytes : 0);

        return h->type == TYPE_BTRFS && reader_u64(&r, ret_object) >= 0 &&
               reader_u64(&r, ret_root) >= 0;
}

bool handle_is_subvolume(const FileHandle *h, const FileHandle *parent, const char *fstype) {
        uint64_t object, root, parent_object, parent_root;

        /* The first free one is the root directory of each subvolume. */
        return strcmp(fstype, "btrfs") == 0 && btrfs_ids(h, &object, &root) &&
               btrfs_ids(parent, &parent_object, &parent_root) &&
               object == BTRFS_FIRST_FREE_OBJECTID && root != parent_root;
}
