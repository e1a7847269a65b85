/* SPDX-License-Identifier: MIT */
#pragma once

/* Deleters as the identifier would make them. */

#include <string.h>

#include "identify/deleter.h"
#include "unit.h"

/* rm[4711] as root, of alice's (1000) login, by `rm -rf /tmp/tools`. */
static inline ProcessFactsParts fixture_parts(void) {
        static const char args[] = "rm\0-rf\0/tmp/tools";

        return (ProcessFactsParts){
                .facts = {.comm = "rm",
                          .has_ids = true,
                          .login_uid = 1000,
                          .session_id = PROCESS_ID_UNSET},
                .executable = "/usr/bin/rm",
                .n_executable = strlen("/usr/bin/rm"),
                .cgroup = "/system.slice/cron.service",
                .n_cgroup = strlen("/system.slice/cron.service"),
                .args = args,
                .n_args_bytes = sizeof(args),
        };
}

static inline void fixture_set_args(ProcessFactsParts *p, const char *args, size_t n_args_bytes) {
        p->args = args;
        p->n_args_bytes = n_args_bytes;
}

static inline void fixture_set_cgroup(ProcessFactsParts *p, const char *cgroup) {
        p->cgroup = cgroup;
        p->n_cgroup = cgroup ? strlen(cgroup) : 0;
}

static inline void fixture_set_executable(ProcessFactsParts *p, const char *executable) {
        p->executable = executable;
        p->n_executable = executable ? strlen(executable) : 0;
}

static inline ProcessFacts *fixture_named(const char *comm) {
        ProcessFactsParts p = {.facts = {.login_uid = PROCESS_ID_UNSET}};
        ProcessFacts *f;

        strncpy(p.facts.comm, comm, sizeof(p.facts.comm) - 1);
        f = process_facts_new(&p);
        ck_assert_ptr_nonnull(f);
        return f;
}

/*
 * @parts: NULL nothing but the pid is known
 * @chain: names of the ancestors, parent first, ended by NULL; the last is pid 1
 */
static inline Deleter *fixture_deleter(uint64_t id, Attribution attribution, uint64_t serial,
                                       const ProcessFactsParts *parts, const char *const *chain) {
        static ProcessAnswer answer; /* large */
        Deleter *d;

        memset(&answer, 0, sizeof(answer));
        answer.process.pid = 4711;
        answer.process.serial = serial;
        answer.process.facts = parts ? process_facts_new(parts) : NULL;
        ck_assert(!parts || answer.process.facts);
        for (; chain && chain[answer.n_ancestors]; answer.n_ancestors++) {
                ProcessView *v = &answer.ancestors[answer.n_ancestors];

                v->pid = chain[answer.n_ancestors + 1] ? 100 + (pid_t)answer.n_ancestors : 1;
                v->facts = fixture_named(chain[answer.n_ancestors]);
        }
        d = deleter_new(id, attribution, attribution != ATTRIBUTION_FORK, &answer);
        ck_assert_ptr_nonnull(d);
        return d;
}
