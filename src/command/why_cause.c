/* SPDX-License-Identifier: MIT */

/* Looked for afterwards. */

#include "command/why_cause.h"

#include <errno.h>

#include "explain/arguments.h"
#include "explain/tmpfiles_cause.h"

/* Of more arguments the first. */
#define ARGS_MAX 64

static int complete(TmpfilesCauses *causes, const History *h, HistoryEntry *e) {
        const ProcessFacts *f = e->parsed.deleter->process.facts;
        const char *args[ARGS_MAX + 1] = {NULL};
        TmpfilesDeletion deletion = {
                .path = h->path,
                .is_directory = e->parsed.record.is_directory,
                .executable = f->executable,
                .name = f->name,
                .args = args,
                .uid = f->ids.effective_uid,
                .at_nsec = e->parsed.record.realtime_nsec,
        };
        _cleanup_cause_ Cause cause = {0};
        int r;

        for (size_t i = 0; i < ARGS_MAX && (args[i] = arguments_at(f, i)); i++)
                ;
        if (!args[0])
                deletion.args = NULL;
        r = tmpfiles_cause(causes, &deletion, &cause);
        /* That nothing is known now either is no news. */
        if (r <= 0 || (e->parsed.record.cause && !cause.rule))
                return r < 0 ? r : 0;
        cause_done(&e->parsed.cause);
        e->parsed.cause = cause;
        cause = (Cause){0};
        e->parsed.record.cause = &e->parsed.cause;
        e->is_cause_late = true;
        return 0;
}

/* Has it a deleter of this machine, and no cause, or none that names a line? */
static bool is_wanted(const HistoryEntry *e) {
        const Cause *c = e->parsed.record.cause;
        const Deleter *d = e->parsed.deleter;

        return (!c || (c->type == CAUSE_TMPFILES && !c->rule)) && d && d->process.facts &&
               !process_facts_is_in_container(d->process.facts) &&
               tmpfiles_cause_is_deleter(d->process.facts->executable, d->process.facts->name);
}

int why_cause_complete(History *history) {
        TmpfilesCauses *causes = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < history->n_entries; i++) {
                if (!is_wanted(&history->entries[i]))
                        continue;
                if (!causes)
                        r = tmpfiles_causes_new(&causes);
                if (r >= 0)
                        r = complete(causes, history, &history->entries[i]);
        }
        tmpfiles_causes_free(causes);
        return r;
}
