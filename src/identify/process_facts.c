/* SPDX-License-Identifier: MIT */

/* One allocation a set of facts: the witness makes one for each exec on the machine. */

#include "identify/process_facts.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "identify/container.h"

/* The count stands outside of what is copied: another thread may change it meanwhile. */
typedef struct Counted {
        atomic_uint n_refs;
        ProcessFacts facts;
} Counted;

static Counted *counted(ProcessFacts *f) {
        return (Counted *)(void *)((char *)f - offsetof(Counted, facts));
}

static const char *put(char **at, const char *bytes, size_t n_bytes) {
        char *start = *at;

        if (!bytes)
                return NULL;
        memcpy(start, bytes, n_bytes);
        start[n_bytes] = '\0';
        *at += n_bytes + 1;
        return start;
}

/*
 * The kernel keeps 15 bytes of a name: "systemd-tmpfile".  The whole one is that of the program, of
 * what it calls itself, or of the script that an interpreter runs, if it begins like that.
 */
static const char *whole_name(const ProcessFacts *f) {
        const char *candidates[3] = {f->executable};
        size_t n_comm = strlen(f->comm);

        if (n_comm == 0)
                return NULL;
        if (n_comm < PROCESS_COMM_MAX_BYTES)
                return f->comm;
        for (size_t i = 0, at = 0; i < 2 && at < f->n_args_bytes; i++) {
                candidates[i + 1] = f->args + at;
                at += strlen(f->args + at) + 1;
        }
        for (size_t i = 0; i < 3; i++)
                if (candidates[i] && strncmp(basename(candidates[i]), f->comm, n_comm) == 0)
                        return basename(candidates[i]);
        return f->comm;
}

ProcessFacts *process_facts_new(const ProcessFactsParts *p) {
        size_t n = p->n_executable + p->n_working_directory + p->n_cgroup + p->n_args_bytes +
                   p->n_title + 5;
        Counted *c = malloc(sizeof(*c) + n);
        ProcessFacts *f;
        char *at;

        if (!c)
                return NULL;
        f = &c->facts;
        at = (char *)(c + 1);
        *f = p->facts;
        atomic_init(&c->n_refs, 1);
        f->executable = put(&at, p->executable, p->n_executable);
        f->working_directory = put(&at, p->working_directory, p->n_working_directory);
        f->cgroup = put(&at, p->cgroup, p->n_cgroup);
        f->title = put(&at, p->title, p->n_title);
        f->args = put(&at, p->args, p->n_args_bytes);
        f->n_args_bytes = f->args ? p->n_args_bytes : 0;
        f->name = whole_name(f);
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
                .title = f->title,
                .n_title = f->title ? strlen(f->title) : 0,
                .args = f->args,
                .n_args_bytes = f->n_args_bytes,
        };
}

ProcessFacts *process_facts_ref(ProcessFacts *f) {
        if (f)
                atomic_fetch_add_explicit(&counted(f)->n_refs, 1, memory_order_relaxed);
        return f;
}

ProcessFacts *process_facts_unref(ProcessFacts *f) {
        if (f && atomic_fetch_sub_explicit(&counted(f)->n_refs, 1, memory_order_acq_rel) == 1)
                free(counted(f));
        return NULL;
}

void process_facts_unrefp(ProcessFacts **f) {
        process_facts_unref(*f);
}

bool process_facts_is_in_container(const ProcessFacts *f) {
        ContainerRef c;

        if (f->is_in_pid_namespace || !f->cgroup)
                return f->is_in_pid_namespace;
        container_parse(f->cgroup, strlen(f->cgroup), &c);
        return c.id != NULL;
}
