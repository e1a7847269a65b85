/* SPDX-License-Identifier: MIT */

/* Configuration, timers, mounts. What is not to be had is said with each answer. */

#include "command/why_world.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "explain/calendar_next.h"
#include "explain/logrotate_source.h"

static int load_scope(WhyWorld *w, uid_t uid) {
        return why_scope_load(uid, w->bus, &w->scopes[w->n_scopes++]);
}

static void load_mounts(WhyWorld *w) {
        _cleanup_close_ int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        w->has_mounts = proc_fd >= 0 && mount_table_read(proc_fd, &w->mounts) == 0;
}

static int load_logrotate(WhyWorld *w) {
        _cleanup_close_ int root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return root_fd < 0 ? 0 : logrotate_source_load(root_fd, NULL, &w->logrotate);
}

int why_world_load(const WhyOptions *o, WhyWorld *ret_world) {
        WhyWorld *w = ret_world;
        int r;

        *w = (WhyWorld){0};
        r = tmpfiles_live_new(&w->live);
        if (r >= 0)
                r = bus_new(NULL, NULL, &w->bus);
        if (r < 0)
                return r;
        w->tree = tmpfiles_live_tree(w->live);
        w->calendar = calendar_next();
        w->oracle = (WhyOracle){.tree = &w->tree, .calendar = &w->calendar};
        r = load_scope(w, BUS_SYSTEM);
        if (r >= 0 && o->has_user)
                r = load_scope(w, o->user_uid);
        if (r >= 0)
                r = load_logrotate(w);
        load_mounts(w);
        /* Last: the tool may have taken a while. */
        w->oracle.now = timer_now();
        return r;
}

void why_world_done(WhyWorld *w) {
        for (size_t i = 0; i < w->n_scopes; i++)
                why_scope_done(&w->scopes[i]);
        if (w->has_mounts)
                mount_table_done(&w->mounts);
        logrotate_config_done(&w->logrotate);
        bus_free(w->bus);
        tmpfiles_live_free(w->live);
        *w = (WhyWorld){0};
}
