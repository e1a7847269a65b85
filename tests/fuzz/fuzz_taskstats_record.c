/* SPDX-License-Identifier: MIT */

/* A datagram of exit records. */

#include <errno.h>

#include "fuzz.h"
#include "identify/taskstats_record.h"

static void check_record(const TaskstatsRecord *t) {
        fuzz_check(t->pid >= 0 && t->tgid >= 0 && t->ppid >= 0);
        fuzz_check(strnlen(t->comm, sizeof(t->comm)) < sizeof(t->comm));
        fuzz_check(t->has_exe == (t->exe_inode != 0));
        fuzz_check(t->exe_major <= 0xfff && t->exe_minor <= 0xfffff);
        if (!t->has_exe)
                fuzz_check(t->exe_major == 0 && t->exe_minor == 0);
        /* What is not a record holds nothing. */
        if (t->pid == 0)
                fuzz_check(t->comm[0] == '\0' && t->tgid == 0 && !t->is_whole_process);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        const uint8_t *at = bytes;
        size_t n_left = n_bytes;
        TaskstatsRecord t;

        for (;;) {
                const uint8_t *before = at;
                int r = taskstats_record_next(&at, &n_left, &t);

                fuzz_check(r == 1 || r == 0 || r == -EBADMSG);
                if (r == 0)
                        break;

                /* Each call gets on, after an odd message too. */
                fuzz_check(at > before);
                fuzz_check(n_left == n_bytes - (size_t)(at - bytes));
                if (r > 0)
                        check_record(&t);
        }
        fuzz_check(n_left == 0);
        return 0;
}
