/* SPDX-License-Identifier: MIT */

/* /proc/TID/syscall. */

#include <errno.h>

#include "fuzz.h"
#include "identify/exec_call.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        const char *text = (const char *)bytes;
        ExecCall call;
        int r;

        memset(&call, 0x5a, sizeof(call));
        r = exec_call_parse(text, n_bytes, &call);
        fuzz_check(r == 0 || r == -EAGAIN || r == -ENOENT || r == -EBADMSG);
        if (r == 0) {
                fuzz_check(call.n_pointer_bytes == 4 || call.n_pointer_bytes == 8);
                fuzz_check(call.has_directory || call.directory_fd == -1);
                fuzz_check(n_bytes > 0 && text[n_bytes - 1] == '\n');
        } else
                fuzz_check(call.argv == 0x5a5a5a5a5a5a5a5a);
        if (r == -EAGAIN)
                fuzz_check(n_bytes == 8 && memcmp(text, "running\n", 8) == 0);
        return 0;
}
