/* SPDX-License-Identifier: MIT */

/* /proc/PID/stat, and the files of one number (loginuid, sessionid). */

#include <errno.h>

#include "fuzz.h"
#include "identify/proc_stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        const char *text = (const char *)bytes;
        ProcStat stat;
        uint32_t v;
        int r;

        memset(&stat, 0x5a, sizeof(stat));
        r = proc_stat_parse(text, n_bytes, &stat);
        fuzz_check(r == 0 || r == -EBADMSG);
        if (r == 0) {
                size_t n_comm = strnlen(stat.comm, sizeof(stat.comm));

                fuzz_check(stat.pid >= 0 && n_comm < sizeof(stat.comm));
                fuzz_check(memmem(text, n_bytes, stat.comm, n_comm) != NULL);
        } else
                fuzz_check(stat.pid == 0x5a5a5a5a && stat.start_ticks == 0x5a5a5a5a5a5a5a5a);

        r = proc_u32_parse(text, n_bytes, &v);
        fuzz_check(r == 0 || r == -EBADMSG);
        if (r == 0) {
                _cleanup_free_ char *s = fuzz_string(bytes, n_bytes);

                fuzz_check(strtoull(s, NULL, 10) == v);
        }
        return 0;
}
