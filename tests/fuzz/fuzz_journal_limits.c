/* SPDX-License-Identifier: MIT */

/* journald.conf: whatever it says, what comes behind it counts. */

#include "command/journal_limits.h"
#include "fuzz.h"

static void expect_same(JournalLimits a, JournalLimits b) {
        fuzz_check(a.interval_nsec == b.interval_nsec && a.burst == b.burst);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        static const char tail[] = "\n[Journal]\nRateLimitBurst=7\nRateLimitIntervalSec=2min\n";
        _cleanup_free_ char *text = malloc(n_bytes + sizeof(tail));
        JournalLimits first = JOURNAL_LIMITS_DEFAULT, again, last;

        fuzz_check(text != NULL);
        journal_limits_apply((const char *)bytes, n_bytes, &first);
        fuzz_check(first.burst <= UINT32_MAX);

        again = first;
        journal_limits_apply((const char *)bytes, n_bytes, &again);
        expect_same(first, again);

        if (n_bytes > 0)
                memcpy(text, bytes, n_bytes);
        memcpy(text + n_bytes, tail, sizeof(tail));
        last = first;
        journal_limits_apply(text, n_bytes + sizeof(tail) - 1, &last);
        expect_same(last, (JournalLimits){.interval_nsec = UINT64_C(120) * 1000000000, .burst = 7});
        return 0;
}
