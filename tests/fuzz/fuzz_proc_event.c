/* SPDX-License-Identifier: MIT */

/* A datagram of the process connector. */

#include <errno.h>

#include "fuzz.h"
#include "identify/proc_event.h"

static void check_event(const ProcEvent *e) {
        fuzz_check(e->type >= PROC_EVENT_TYPE_OTHER && e->type <= PROC_EVENT_TYPE_COMM);
        fuzz_check(strnlen(e->comm, sizeof(e->comm)) < sizeof(e->comm));
        if (e->type != PROC_EVENT_TYPE_COMM)
                fuzz_check(e->comm[0] == '\0');
        if (e->type != PROC_EVENT_TYPE_FORK)
                fuzz_check(e->parent_pid == 0);
        if (e->type != PROC_EVENT_TYPE_UID && e->type != PROC_EVENT_TYPE_GID)
                fuzz_check(e->real_id == 0 && e->effective_id == 0);
        if (e->type == PROC_EVENT_TYPE_OTHER)
                fuzz_check(e->tid == 0 && e->pid == 0);
        fuzz_check(proc_event_is_process(e) == (e->tid == e->pid));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        const uint8_t *at = bytes;
        size_t n_left = n_bytes;
        ProcEvent e;

        for (;;) {
                const uint8_t *before = at;
                int r = proc_event_next(&at, &n_left, &e);

                fuzz_check(r == 1 || r == 0 || r == -EBADMSG);
                if (r == 0)
                        break;

                /* Each call gets on, after an odd message too. */
                fuzz_check(at > before);
                fuzz_check(n_left == n_bytes - (size_t)(at - bytes));
                if (r > 0)
                        check_event(&e);
        }
        fuzz_check(n_left == 0);
        return 0;
}
