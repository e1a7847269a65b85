/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the job of a cron daemon stands.
 */

#include "explain/askers.h"

/* Each owned; NULL unknown. */
typedef struct CronSource {
        char *command; /* what cron was to run; known without a line when the shell is there */
        char *source;  /* FILE:LINE */
        char *script;  /* what run-parts ran of it */
        char *user;
} CronSource;

void cron_source_done(CronSource *s);
#define _cleanup_cron_source_ _cleanup_(cron_source_done)

/*
 * cron_source_find() - the job's command and the line that asks for it
 * @root_fd: where crontabs are looked for; -1: not at all, as for what runs in a container
 * @a:       with a job
 *
 * Looked through are /etc/crontab, /etc/cron.d and the user's own crontab; for anacron,
 * /etc/anacrontab.  Of a line that is not the only one like it there is no source.
 * Return: 0, -ENOMEM.
 */
int cron_source_find(int root_fd, const Askers *a, CronSource *ret_source);
