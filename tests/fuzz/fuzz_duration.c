/* SPDX-License-Identifier: MIT */

/* A duration as a person types it, and any time as we write it. */

#include <errno.h>

#include "base/clock.h"
#include "fuzz.h"

/* What is written for people is cut to two terms or a tenth, and must be read as just that. */
static void check_written(uint64_t nsec) {
        _cleanup_buffer_ Buffer b = {0};
        uint64_t again;

        clock_append_duration(&b, nsec);
        fuzz_check(clock_parse_duration(buffer_terminate(&b), &again) == 0);
        fuzz_check(!b.is_failed);
        fuzz_check(again <= nsec && nsec - again <= nsec / 10 + CLOCK_NSEC_PER_USEC);
}

static void check_dates(uint64_t nsec) {
        _cleanup_buffer_ Buffer b = {0};

        clock_append_rfc3339(&b, nsec);
        fuzz_check(!b.is_failed && b.n_bytes == strlen("2026-11-23T00:55:13.000000000Z"));
        buffer_clear(&b);
        clock_append_local_time(&b, nsec);
        fuzz_check(!b.is_failed && b.n_bytes == strlen("14:02:11.482193"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        _cleanup_free_ char *text = fuzz_string(bytes, n_bytes);
        uint64_t nsec = 4711;
        int r;

        r = clock_parse_duration(text, &nsec);
        fuzz_check(r == 0 || r == -EINVAL || r == -ERANGE);
        if (r == 0)
                check_written(nsec);
        else
                fuzz_check(nsec == 4711);

        if (n_bytes >= sizeof(nsec)) {
                memcpy(&nsec, bytes, sizeof(nsec));
                check_written(nsec);
                check_dates(nsec);
        }
        return 0;
}
