/* SPDX-License-Identifier: MIT */

/* A cause: its names and its memory. */

#include "explain/cause.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

const char *cause_type_to_string(CauseType t) {
        static const char *const names[] = {
                [CAUSE_TMPFILES] = "tmpfiles",   [CAUSE_TIMER] = "timer",
                [CAUSE_CRON] = "cron",           [CAUSE_PACKAGE] = "package",
                [CAUSE_LOGROTATE] = "logrotate", [CAUSE_CONTAINER] = "container",
                [CAUSE_LOGIN] = "login",
        };

        return names[t];
}

void cause_done(Cause *c) {
        free(c->rule);
        free(c->source);
        free(c->unit);
        free(c->triggered_by);
        free(c->explanation);
        *c = (Cause){0};
}

static bool copy(const char *from, char **to) {
        *to = from ? strdup(from) : NULL;
        return *to || !from;
}

int cause_copy(const Cause *c, Cause *ret_cause) {
        _cleanup_cause_ Cause new = {.type = c->type};

        if (!copy(c->rule, &new.rule) || !copy(c->source, &new.source) ||
            !copy(c->unit, &new.unit) || !copy(c->triggered_by, &new.triggered_by) ||
            !copy(c->explanation, &new.explanation))
                return -ENOMEM;
        *ret_cause = new;
        new = (Cause){0};
        return 0;
}
