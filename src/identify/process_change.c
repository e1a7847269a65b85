/* SPDX-License-Identifier: MIT */

/* New facts that differ from the old ones in what was told. */

#include "identify/process_change.h"

#include <string.h>

#include "identify/cgroup.h"

bool process_change_is(const ProcEvent *e) {
        return e->type == PROC_EVENT_TYPE_UID || e->type == PROC_EVENT_TYPE_GID ||
               e->type == PROC_EVENT_TYPE_SID || e->type == PROC_EVENT_TYPE_COMM;
}

ProcessFacts *process_change_make(const ProcessFacts *before, const ProcEvent *e) {
        ProcessFactsParts p = process_facts_parts(before);
        ProcessFacts *f = &p.facts;

        if (e->type == PROC_EVENT_TYPE_UID) {
                f->ids.real_uid = e->real_id;
                f->ids.effective_uid = e->effective_id;
        } else if (e->type == PROC_EVENT_TYPE_GID) {
                f->ids.real_gid = e->real_id;
                f->ids.effective_gid = e->effective_id;
        } else if (e->type == PROC_EVENT_TYPE_SID) {
                f->session = e->pid;
        } else if (e->type == PROC_EVENT_TYPE_COMM) {
                _Static_assert(sizeof(e->comm) <= sizeof(f->comm), "with the NUL");
                memcpy(f->comm, e->comm, sizeof(e->comm));
        }
        return process_facts_new(&p);
}

ProcessFacts *process_change_program(const ProcessFacts *before) {
        ProcessFactsParts p = {
                .facts = {.login_uid = PROCESS_ID_UNSET, .session_id = PROCESS_ID_UNSET}};

        if (before)
                p = process_facts_parts(before);
        p.facts.comm[0] = '\0';
        /* Of a child that is what its parent was at the fork, it is the parent's. */
        p.facts.start_ticks = 0;
        p.facts.vpid = 0;
        p.facts.program = (ProgramFile){0};
        p.facts.is_args_cut = p.facts.is_executable_deleted = false;
        if (p.cgroup && cgroup_is_managers(p.cgroup)) {
                p.cgroup = NULL;
                p.n_cgroup = 0;
                p.facts.invocation_id[0] = '\0';
        }
        p.executable = p.args = p.title = NULL;
        p.n_executable = p.n_args_bytes = p.n_title = 0;
        return process_facts_new(&p);
}
