/* SPDX-License-Identifier: MIT */

/*
 * The configuration and its timer.
 *
 * Limit: what the two services pass to systemd-tmpfiles is taken to be what systemd ships, whatever
 * a drop-in may have made of it.
 *
 * Source: systemd-tmpfiles-clean.service and systemd-tmpfiles-setup.service of systemd 252 and 257.
 */

#include "command/why_scope.h"

#include <errno.h>
#include <stdlib.h>

static const char *const no_dev[] = {"/dev", NULL};

int why_scope_set_config(WhyScope *s) {
        int r;

        s->clean_request = (TmpfilesRequest){.operations = TMPFILES_CLEAN, .version = s->version};
        s->boot_request = (TmpfilesRequest){
                .operations = TMPFILES_CREATE | TMPFILES_REMOVE,
                .is_boot = true,
                .exclude_prefixes = s->is_user ? NULL : no_dev,
                .version = s->version,
        };
        r = tmpfiles_rules_new(&s->config, &s->clean_request, &s->clean);
        return r < 0 ? r : tmpfiles_rules_new(&s->config, &s->boot_request, &s->boot);
}

int why_scope_load(uid_t uid, Bus *bus, WhyScope *ret) {
        const TmpfilesScope scope = {.is_user = uid != BUS_SYSTEM, .uid = uid};
        int r;

        *ret = (WhyScope){.is_user = scope.is_user, .uid = uid, .timer_error = -ENOTCONN};
        r = tmpfiles_source_load(&scope, &ret->config, &ret->version, &ret->error);
        if (r == -ENOMEM || (r < 0 && !ret->error))
                return -ENOMEM;
        if (r >= 0)
                r = why_scope_set_config(ret);
        if (r == -ENOMEM)
                return r;
        if (bus)
                ret->timer_error = timer_source_read(bus, uid, WHY_TIMER, &ret->schedule);
        return 0;
}

void why_scope_done(WhyScope *s) {
        s->clean = tmpfiles_rules_free(s->clean);
        s->boot = tmpfiles_rules_free(s->boot);
        tmpfiles_config_done(&s->config);
        if (s->timer_error == 0)
                timer_schedule_done(&s->schedule);
        free(s->error);
        *s = (WhyScope){.timer_error = -ENOTCONN};
}
