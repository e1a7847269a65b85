/* SPDX-License-Identifier: MIT */

/* One allocation a set of facts: the witness makes one for each exec on the machine. */

#include "identify/process_facts.h"

#include <stdlib.h>
#include <string.h>

static const char *put(char **at, const char *bytes, size_t n_bytes) {
        char *start = *at;

        if (!bytes)
                return NULL;
        memcpy(start, bytes, n_bytes);
        start[n_bytes] = '\0';
        *at += n_bytes + 1;
        return start;
}

ProcessFacts *process_facts_new(const ProcessFactsParts *p) {
        size_t n = p->n_executable + p->n_working_directory + p->n_cgroup + p->n_args_bytes + 4;
        ProcessFacts *f = malloc(sizeof(*f) + n);
        char *at;

        if (!f)
                return NULL;
        at = (char *)(f + 1);
        *f = p->facts;
        atomic_init(&f->n_refs, 1);
        f->executable = put(&at, p->executable, p->n_executable);
        f->working_directory = put(&at, p->working_directory, p->n_working_directory);
        f->cgroup = put(&at, p->cgroup, p->n_cgroup);
        f->args = put(&at, p->args, p->n_args_bytes);
        f->n_args_bytes = f->args ? p->n_args_bytes : 0;
        return f;
}

ProcessFactsParts process_facts_parts(const ProcessFacts *f) {
        return (ProcessFactsParts){
                .facts = *f,
                .executable = f->executable,
                .n_executable = f->executable ? strlen(f->executable) : 0,
                .working_directory = f->working_directory,
                .n_working_directory = f->working_directory ? strlen(f->working_directory) : 0,
                .cgroup = f->cgroup,
                .n_cgroup = f->cgroup ? strlen(f->cgroup) : 0,
                .args = f->args,
                .n_args_bytes = f->n_args_bytes,
        };
}

ProcessFacts *process_facts_ref(ProcessFacts *f) {
        if (f)
                atomic_fetch_add_explicit(&f->n_refs, 1, memory_order_relaxed);
        return f;
}

ProcessFacts *process_facts_unref(ProcessFacts *f) {
        if (f && atomic_fetch_sub_explicit(&f->n_refs, 1, memory_order_acq_rel) == 1)
                free(f);
        return NULL;
}

void process_facts_unrefp(ProcessFacts **f) {
        process_facts_unref(*f);
}
