/* SPDX-License-Identifier: MIT */

/* A fanotify read buffer: whatever it holds, the decoder ends and borrows from nowhere else. */

#include <errno.h>

#include "capture/fan_event.h"
#include "capture/handle_inode.h"
#include "fuzz.h"

static void check_name(const FanName *name, const uint8_t *bytes, size_t n_bytes) {
        fuzz_check_borrowed(name->directory.bytes, name->directory.n_bytes, bytes, n_bytes);
        fuzz_check_borrowed(name->name, name->n_name, bytes, n_bytes);
        if (name->name)
                fuzz_check(!memchr(name->name, '\0', name->n_name) &&
                           name->name[name->n_name] == '\0');
}

static void check_descriptors(const FanEvent *e) {
        fuzz_check(e->fd >= -1 && e->pidfd >= -1);
        fuzz_check((e->pidfd >= 0) == (e->pidfd_state == FAN_PIDFD_OPEN));
}

static void check_failed(const FanEvent *e, const FanEventIter *it) {
        check_descriptors(e);
        fuzz_check(it->n_left == 0 && e->mask == 0 && e->pid == 0 && !e->target.bytes);
        fuzz_check(!e->name.name && !e->old_name.name && !e->new_name.name);
        fuzz_check(!e->name.directory.bytes && !e->old_name.directory.bytes &&
                   !e->new_name.directory.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        FanEventIter it, before, again;
        FanEvent e;
        size_t n_left;
        int r;

        fan_event_iter_init(&it, bytes, n_bytes);
        while (before = it, n_left = it.n_left, (r = fan_event_next(&it, &e)) > 0) {
                fuzz_check(r == 1 && it.n_left < n_left && n_left - it.n_left >= 24);
                fuzz_check_borrowed(it.at, it.n_left, bytes, n_bytes);
                check_descriptors(&e);
                check_name(&e.name, bytes, n_bytes);
                check_name(&e.old_name, bytes, n_bytes);
                check_name(&e.new_name, bytes, n_bytes);
                fuzz_check_borrowed(e.target.bytes, e.target.n_bytes, bytes, n_bytes);
                fuzz_check_borrowed(fan_event_self(&e).bytes, fan_event_self(&e).n_bytes, bytes,
                                    n_bytes);
                again = before;
                fan_event_skip(&again);
                fuzz_check(again.at == it.at && again.n_left == it.n_left);
                fuzz_check(file_handle_equal(&e.target, &e.target) == (e.target.bytes != NULL));
                (void)file_handle_equal(&e.target, &e.name.directory);
                /* A sanitizer sees a look past the end. */
                if (handle_is_subvolume(&e.target, &e.name.directory, "btrfs"))
                        fuzz_check(handle_inode(&e.target, "btrfs") == 256 &&
                                   !file_handle_equal(&e.target, &e.name.directory));
        }

        fuzz_check(r == 0 || r == -EBADMSG);
        if (r < 0)
                check_failed(&e, &it);
        fuzz_check(fan_event_next(&it, &e) == 0);
        return 0;
}
