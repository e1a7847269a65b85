/* SPDX-License-Identifier: MIT */

/*
 * The look-up begins when a deleter is first known of, which is when an event of it is read; the
 * record is written later, mostly after the answer has come.
 */

#include "command/watch_cause.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command/watch_session_private.h"

static void on_deleter(void *userdata, const Deleter *d) {
        explainer_begin(userdata, d);
}

void watch_cause_start(WatchSession *s) {
        int r = explainer_new(&(ExplainOptions){.root_fd = s->root_fd}, &s->explainer);

        if (r >= 0)
                identifier_tell(s->identifier, on_deleter, s->explainer);
        else
                fprintf(stderr,
                        "whodunlink: cannot start a thread that looks for causes: %s; records will "
                        "not say why\n",
                        strerror(-r));
}

int watch_cause_find(WatchSession *s, Record *r) {
        ExplainedPath path = {.is_directory = r->is_directory, .at_nsec = r->realtime_nsec};
        int found;

        if (!s->explainer || !r->deleter)
                return 0;
        if (explainer_scope(s->explainer, r->deleter) == EXPLAIN_PATH && r->path.directory &&
            r->path.name) {
                buffer_clear(&s->path);
                record_path_append(&r->path, &s->path);
                path.path = buffer_terminate(&s->path);
                if (s->path.is_failed)
                        path.path = NULL;
        }
        found = explainer_find(s->explainer, r->deleter, &path, s->is_hasty, &r->cause);
        if (found == -EAGAIN)
                return found;
        r->is_cause_late = found < 0;
        return 0;
}
