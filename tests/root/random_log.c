/* SPDX-License-Identifier: MIT */

/*
 * See random_log.h.
 */

#include "random_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "process.h"

/* splitmix64, public domain, by Sebastiano Vigna. */
uint64_t random_next(uint64_t *state) {
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

RandomStage *random_stage_new(uint64_t seed, unsigned n_workers, size_t n_steps, bool is_serial,
                              const char *const *roots, unsigned n_roots) {
        RandomStage *s = process_shared_alloc(sizeof(*s));
        size_t n_max = n_steps * 8 + 1000;

        *s = (RandomStage){.seed = seed,
                           .n_steps = n_steps,
                           .n_workers = n_workers,
                           .n_roots = n_roots,
                           .is_serial = is_serial,
                           .turn_random = seed};
        for (unsigned i = 0; i < n_roots; i++) {
                s->roots[i] = s->seen[i] = roots[i];
                harness_assert(chown(roots[i], RANDOM_ID(0, i + 1), 0) == 0, "%s: %m", roots[i]);
        }
        for (unsigned i = 0; i < n_workers; i++) {
                s->logs[i] = process_shared_alloc(sizeof(RandomLog) + n_max * sizeof(RandomOp));
                s->logs[i]->n_max = n_max;
                harness_assert(sem_init(&s->turns[i], 1, 0) == 0, "sem_init: %m");
        }
        return s;
}

void random_name(RandomId name, char ret_name[static RANDOM_NAME_BYTES]) {
        unsigned n = RANDOM_NUMBER(name);
        const char *tail = "";

        switch (n % 50) {
        case 13:
                tail = " \n\xff";
                break;
        case 21:
                tail = " (deleted)";
                break;
        case 37:
                snprintf(ret_name, RANDOM_NAME_BYTES, "%c%06u%0240u", 'a' + RANDOM_OWNER(name), n,
                         0U);
                return;
        }
        snprintf(ret_name, RANDOM_NAME_BYTES, "%c%06u%s", 'a' + RANDOM_OWNER(name), n, tail);
}

RandomId random_name_parse(const char *name) {
        char digits[7] = "";
        unsigned owner = (unsigned)(*name - 'a');

        if (owner > RANDOM_WORKERS_MAX || strlen(name) < 7)
                return 0;
        memcpy(digits, name + 1, 6);
        return RANDOM_ID(owner, (unsigned)strtoul(digits, NULL, 10));
}
