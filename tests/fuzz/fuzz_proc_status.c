/* SPDX-License-Identifier: MIT */

/* /proc/PID/status. */

#include <errno.h>

#include "fuzz.h"
#include "identify/proc_stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        const ProcIds untouched = {1, 2, 3, 4};
        ProcIds ids = untouched;
        char line[64];
        int r;

        r = proc_status_parse((const char *)bytes, n_bytes, &ids);
        fuzz_check(r == 0 || r == -EBADMSG);
        if (r < 0) {
                fuzz_check(memcmp(&ids, &untouched, sizeof(ids)) == 0);
                return 0;
        }

        /* Without leading zeros it must stand there just as the kernel writes it. */
        if (!memmem(bytes, n_bytes, "\t0", 2)) {
                snprintf(line, sizeof(line), "Uid:\t%u\t%u\t", ids.real_uid, ids.effective_uid);
                fuzz_check(memmem(bytes, n_bytes, line, strlen(line)) != NULL);
                snprintf(line, sizeof(line), "Gid:\t%u\t%u\t", ids.real_gid, ids.effective_gid);
                fuzz_check(memmem(bytes, n_bytes, line, strlen(line)) != NULL);
        }
        return 0;
}
