/* SPDX-License-Identifier: MIT */

/* An entry of what was told of processes, as another process has left it: what is taken from it can
 * be written and read again. */

#include <errno.h>

#include "fuzz.h"
#include "identify/process_log_entry.h"

static void check_string(const char *s, size_t n, const uint8_t *bytes, size_t n_bytes) {
        fuzz_check_borrowed(s, n, bytes, n_bytes);
        fuzz_check(!s || s[n] == '\0');
}

static void check_again(const ProcessLogEntry *e) {
        const size_t n = process_log_entry_bytes(e);
        uint8_t *bytes = calloc(1, n);
        ProcessLogEntry again;

        fuzz_check(bytes && n % 8 == 0);
        process_log_entry_write(e, bytes);
        fuzz_check(process_log_entry_parse(bytes, n, &again) == (ssize_t)n);
        fuzz_check(again.kind == e->kind && again.pid == e->pid && again.nsec == e->nsec);
        fuzz_check(again.has_facts == e->has_facts && again.has_executed == e->has_executed);
        fuzz_check(again.parts.n_args_bytes == e->parts.n_args_bytes || !e->has_facts);
        free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        /* As in the ring, entries begin at multiples of 8. */
        uint8_t *copy = malloc(n_bytes + 1);
        ProcessLogEntry e;
        ssize_t n;

        fuzz_check(copy != NULL);
        memcpy(copy, bytes, n_bytes);
        n = process_log_entry_parse(copy, n_bytes, &e);
        fuzz_check(n >= 0 || n == -EBADMSG);
        if (n > 0) {
                ProcessFacts *facts;

                fuzz_check((size_t)n <= n_bytes && n % 8 == 0 && e.kind < PROCESS_LOG_KINDS);
                check_string(e.parts.executable, e.parts.n_executable, copy, n_bytes);
                check_string(e.parts.working_directory, e.parts.n_working_directory, copy, n_bytes);
                check_string(e.parts.cgroup, e.parts.n_cgroup, copy, n_bytes);
                check_string(e.parts.title, e.parts.n_title, copy, n_bytes);
                check_string(e.parts.args, e.parts.n_args_bytes, copy, n_bytes);
                check_again(&e);
                facts = e.has_facts ? process_facts_new(&e.parts) : NULL;
                fuzz_check(!facts || strlen(facts->comm) < sizeof(facts->comm));
                process_facts_unref(facts);
        }
        free(copy);
        return 0;
}
