/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The configuration that a logrotate was run with.
 */

#include "explain/logrotate_config.h"
#include "identify/process_facts.h"

/* Files read for one run, includes counted; nested at most … */
#define LOGROTATE_FILES_MAX 1024
#define LOGROTATE_DEPTH_MAX 8

/*
 * logrotate_source_load() - read the files that its command line names, and what they include
 * @f: of the logrotate; NULL, or without arguments: /etc/logrotate.conf
 *
 * A file that cannot be read is left out.
 * Return: 0, -ENOMEM.
 */
int logrotate_source_load(int root_fd, const ProcessFacts *f, LogrotateConfig *ret_config);
