/* SPDX-License-Identifier: MIT */

/* Memory that another process has left: the header, and entries in a ring of what stands behind it.
 */

#include <errno.h>

#include "capture/fan_event.h"
#include "capture/kept_parse.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        const uint8_t *events;
        KeptHeader header;
        KeptEntry entry;
        uint64_t at = 0;
        int r = kept_events_parse(bytes, n_bytes, &header);

        fuzz_check(r == 0 || r == -EBADMSG || r == -EPROTO);
        if (r == 0) {
                fuzz_check(header.n_ring_bytes == n_bytes - KEPT_EVENTS_HEADER_BYTES);
                fuzz_check(header.first == KEPT_EVENTS_NONE || header.first < header.n_ring_bytes);
                fuzz_check(strlen(header.point) < sizeof(header.point));
                at = header.first == KEPT_EVENTS_NONE ? 0 : header.first;
                bytes += KEPT_EVENTS_HEADER_BYTES;
                n_bytes -= KEPT_EVENTS_HEADER_BYTES;
        }
        /* Without a header, or behind it: a ring. A circle of entries has no end. */
        for (size_t i = 0; i < 1000; i++) {
                size_t n_counted;

                r = kept_events_parse_entry(bytes, n_bytes, &at, &entry, &events);
                fuzz_check(r == 1 || r == 0 || r == -EBADMSG);
                if (r <= 0)
                        break;
                fuzz_check(at <= n_bytes && at % 8 == 0);
                fuzz_check_borrowed(events, entry.n_bytes, bytes, n_bytes);
                (void)kept_events_count(events, entry.n_bytes, &n_counted);
                fuzz_check(n_counted <= entry.n_bytes);
        }
        return 0;
}
