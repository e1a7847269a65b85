/* SPDX-License-Identifier: MIT */

/* A file of options: any bytes; it comes to an end, and nothing is outside of it. */

#include "command/config_file.h"

#include <errno.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        _cleanup_free_ char *text = malloc(n_bytes + 1);
        unsigned n_lines = 0, n_newlines = 0;
        ConfigLine line;
        size_t at = 0;
        int r;

        fuzz_check(text != NULL);
        if (n_bytes > 0)
                memcpy(text, bytes, n_bytes);
        text[n_bytes] = '\0';
        for (size_t i = 0; i < n_bytes; i++)
                n_newlines += text[i] == '\n';
        while ((r = config_file_next(text, n_bytes, &at, &n_lines, &line)) > 0) {
                fuzz_check(line.number == n_lines && at <= n_bytes);
                fuzz_check(line.key >= text && line.key + strlen(line.key) <= text + n_bytes);
                fuzz_check(line.key[0] != '\0' && line.key[0] != '#');
                fuzz_check(!line.value || (line.value > line.key && line.value <= text + n_bytes));
        }
        fuzz_check(r == 0 || r == -EBADMSG);
        fuzz_check(n_lines <= n_newlines + 1);
        return 0;
}
