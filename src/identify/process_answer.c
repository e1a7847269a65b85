/* SPDX-License-Identifier: MIT */

/* Letting go of an answer. */

#include "identify/process_answer.h"

void process_answer_done(ProcessAnswer *a) {
        process_facts_unref(a->process.facts);
        for (size_t i = 0; i < a->n_ancestors; i++)
                process_facts_unref(a->ancestors[i].facts);
        a->n_ancestors = 0;
        a->process.facts = NULL;
}
