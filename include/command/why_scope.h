/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One configuration of tmpfiles.d, the system's or a user's, with the timer that goes by it.
 */

#include "explain/timer_source.h"
#include "explain/tmpfiles_choice.h"
#include "explain/tmpfiles_source.h"

/* The same in the system's manager and in a user's. */
#define WHY_TIMER "systemd-tmpfiles-clean.timer"
#define WHY_CLEAN_SERVICE "systemd-tmpfiles-clean.service"
#define WHY_BOOT_SERVICE "systemd-tmpfiles-setup.service"

typedef struct WhyScope {
        bool is_user;
        uid_t uid; /* with .is_user */

        char *error; /* why there is no configuration; NULL there is one */
        TmpfilesConfig config;
        unsigned version;
        TmpfilesRequest clean_request, boot_request;
        TmpfilesRules *clean; /* what the timer does */
        TmpfilesRules *boot;  /* what is done at the boot, or at the user's first login */

        int timer_error; /* 0: .schedule holds; else why not, as timer_source_read() */
        TimerSchedule schedule;
} WhyScope;

/*
 * why_scope_load() - read a configuration and ask for its timer
 * @uid: of the user, or BUS_SYSTEM
 * @bus: NULL: nobody is asked
 *
 * Return: 0, also where the one or the other is not to be had; -ENOMEM.
 */
int why_scope_load(uid_t uid, Bus *bus, WhyScope *ret);
void why_scope_done(WhyScope *s);

/*
 * why_scope_set_config() - the rules of a configuration that is in place
 *
 * Return: 0, -ENOMEM.
 */
int why_scope_set_config(WhyScope *s);
