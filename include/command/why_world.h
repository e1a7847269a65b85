/* SPDX-License-Identifier: MIT */
#pragma once

/* What is read of the machine once, for all paths that are asked about. */

#include "capture/mountinfo.h"
#include "command/why_fate.h"
#include "command/why_options.h"
#include "explain/logrotate_config.h"
#include "explain/tmpfiles_live.h"

#define WHY_SCOPES_MAX 2

typedef struct WhyWorld {
        WhyOracle oracle; /* borrows from what follows */
        TmpfilesLive *live;
        TmpfilesTree tree;
        TimerCalendar calendar;
        Bus *bus;
        WhyScope scopes[WHY_SCOPES_MAX]; /* the system's, then a user's */
        size_t n_scopes;
        MountTable mounts;
        bool has_mounts;
        LogrotateConfig logrotate;
} WhyWorld;

/* @ret_world: to be freed by why_world_done(), also on failure; not to be moved.
 * Return: 0, -ENOMEM. */
int why_world_load(const WhyOptions *o, WhyWorld *ret_world);
void why_world_done(WhyWorld *w);
