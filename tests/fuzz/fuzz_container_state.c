/* SPDX-License-Identifier: MIT */

/* What runtimes write down, in each of its formats. */

#include "explain/container_state.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        for (ContainerFormat f = CONTAINER_DOCKER; f <= CONTAINER_RUNTIME; f++) {
                ContainerState *s = calloc(1, sizeof(*s));
                int r;

                fuzz_check(s != NULL);
                r = container_state_parse(f, (const char *)bytes, n_bytes, "abc", s);
                fuzz_check((r >= 0) == (s->name || s->image || s->bundle));
                container_state_free(s);
        }
        return 0;
}
