/* SPDX-License-Identifier: MIT */

/*
 * What is learned of a process when it is gone.
 *
 * A record comes before the exit is told, and those of one pid in the order of its lives.
 *
 * Limits: the time of a record is exact to two seconds and wrong by what the machine was suspended
 * or its clock was set during the life: then the record is of nobody's, or of a life of its own.
 */

#include "identify/process_exit.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

/*
 * Was the program too short to be read?  A thread of the kernel never has one.  A child that did
 * not exec is what its parent was, whatever its record calls it.
 */
static bool is_needed(const ProcessPhase *phase, const TaskstatsRecord *record) {
        const ProcessFacts *f = phase->facts;

        return !f || !f->name || (phase->has_executed && record->has_exe && !f->executable);
}

/* Of a thread's record only the program is the process's. */
static void set_comm(ProcessFacts *f, const TaskstatsRecord *record, const char *executable) {
        const char *comm = executable ? basename(executable) : "";
        size_t n = strnlen(comm, PROCESS_COMM_MAX_BYTES);

        if (record->tgid == 0 || record->tgid == record->pid) {
                comm = record->comm;
                n = strnlen(comm, sizeof(record->comm) - 1);
        }
        memcpy(f->comm, comm, n);
        f->comm[n] = '\0';
}

static ProcessFacts *completed(const ProcessFacts *before, const TaskstatsRecord *record,
                               const char *executable) {
        ProcessFactsParts p = {
                .facts = {.login_uid = PROCESS_ID_UNSET, .session_id = PROCESS_ID_UNSET}};

        if (before)
                p = process_facts_parts(before);
        if (p.facts.comm[0] == '\0')
                set_comm(&p.facts, record, executable);
        if (!p.facts.has_ids) {
                p.facts.has_real_ids = true;
                p.facts.ids.real_uid = record->uid;
                p.facts.ids.real_gid = record->gid;
        }
        if (!p.executable && executable) {
                p.executable = executable;
                p.n_executable = strlen(executable);
        }
        return process_facts_new(&p);
}

/* When a life began that nobody told of: at the earliest, but after the one before it. */
static uint64_t begin_of_unseen(const Process *earlier, const TaskstatsRecord *record) {
        uint64_t now_realtime = clock_now_nsec(CLOCK_REALTIME);
        uint64_t now = clock_now_nsec(CLOCK_MONOTONIC), age, begin;

        age = now_realtime - (record->begin_realtime_sec - 1) * CLOCK_NSEC_PER_SEC;
        begin = record->begin_realtime_sec > 0 && age < now ? now - age : 1;
        return earlier && earlier->exit_nsec > begin ? earlier->exit_nsec : begin;
}

/*
 * A life that nobody told of.  Not while one of that pid is there whose end or record is still to
 * come: then this may be it, begun before the clock was set.
 */
static int add_unseen(ProcessLives *lives, ProcessDead *dead, pid_t pid,
                      const TaskstatsRecord *record, uint64_t nsec, Process **ret_process) {
        Process *earlier = process_lives_latest(lives, pid), *p;
        int r;

        if (earlier && (earlier->exit_nsec == 0 || !earlier->has_exit_record))
                return -ESRCH;
        r = process_lives_add(lives, pid, &p);
        if (r < 0)
                return r;
        p->begin_nsec = begin_of_unseen(earlier, record);
        process_set_parent(p, process_lives_latest(lives, record->ppid));
        process_dead_add(dead, lives, p, nsec);
        *ret_process = p;
        return 0;
}

/* Is it perhaps of a life that went because of the bound, and neither of one that is there nor of
 * one that nobody told of? */
static bool may_be_of_evicted(const ProcessDead *dead, pid_t pid, const TaskstatsRecord *record) {
        uint64_t end = process_dead_evicted_until(dead, pid);

        return end > 0 && end + CLOCK_NSEC_PER_SEC >= begin_of_unseen(NULL, record);
}

/* Is there more in `f` than before? Without arguments it is known from the record at any rate. */
static bool is_news(const ProcessFacts *before, const ProcessFacts *f) {
        if (!f->args || !before)
                return true;
        return (!before->name && f->name) || (!before->executable && f->executable);
}

int process_exit_apply(ProcessLives *lives, ProcessDead *dead, const TaskstatsRecord *record,
                       const char *executable, uint64_t nsec) {
        pid_t pid = record->tgid > 0 ? record->tgid : record->pid;
        ProcessFacts *facts;
        Process *p;
        int r;

        if (may_be_of_evicted(dead, pid, record))
                return 0;
        p = process_lives_without_record(lives, pid, record->begin_realtime_sec);
        if (!p) {
                r = add_unseen(lives, dead, pid, record, nsec, &p);
                if (r < 0)
                        return r == -ESRCH ? 0 : r;
        }
        p->has_exit_record = true;
        if (!is_needed(&p->phase, record))
                return 0;
        facts = completed(p->phase.facts, record, executable);
        if (!facts)
                return -ENOMEM;
        if (!is_news(p->phase.facts, facts)) {
                process_facts_unref(facts);
                return 0;
        }
        process_facts_unref(p->phase.facts);
        p->phase.facts = facts;
        p->phase.is_from_exit = !facts->args;
        if (p->n_phases == 0)
                p->n_phases = 1;
        return 1;
}
