/* SPDX-License-Identifier: MIT */

/* A process and its ancestors, frozen. */

#include "identify/deleter.h"

#include <stdlib.h>
#include <string.h>

const char *attribution_to_string(Attribution a) {
        static const char *const names[] = {
                [ATTRIBUTION_NONE] = "none", [ATTRIBUTION_PID_ONLY] = "pid-only",
                [ATTRIBUTION_EXIT] = "exit", [ATTRIBUTION_FORK] = "fork",
                [ATTRIBUTION_EXEC] = "exec", [ATTRIBUTION_LIVE] = "live",
        };

        return names[a];
}

Deleter *deleter_new(uint64_t id, Attribution attribution, bool has_directory,
                     ProcessAnswer *answer) {
        const size_t n_bytes = answer->n_ancestors * sizeof(ProcessView);
        Deleter *d = malloc(sizeof(*d) + n_bytes);

        if (!d) {
                process_answer_done(answer);
                return NULL;
        }
        *d = (Deleter){
                .n_refs = 1,
                .id = id,
                .attribution = attribution,
                .has_directory = has_directory,
                .process = answer->process,
                .n_ancestors = answer->n_ancestors,
        };
        memcpy(d->ancestors, answer->ancestors, n_bytes);
        answer->process.facts = NULL;
        answer->n_ancestors = 0;
        return d;
}

Deleter *deleter_ref(Deleter *d) {
        if (d)
                d->n_refs++;
        return d;
}

Deleter *deleter_unref(Deleter *d) {
        if (!d || --d->n_refs > 0)
                return NULL;
        process_facts_unref(d->process.facts);
        for (size_t i = 0; i < d->n_ancestors; i++)
                process_facts_unref(d->ancestors[i].facts);
        free(d);
        return NULL;
}

const ProcessView *deleter_parent(const Deleter *d) {
        return d->n_ancestors > 0 ? &d->ancestors[0] : NULL;
}
