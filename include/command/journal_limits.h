/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many messages of one service the journal takes before it drops the rest, without a word to
 * the sender.
 */

#include <stddef.h>
#include <stdint.h>

/* Of either 0, nothing is dropped. */
typedef struct JournalLimits {
        uint64_t interval_nsec;
        uint64_t burst;
} JournalLimits;

/* What the journal does unless it is told otherwise, since systemd 240. */
#define JOURNAL_LIMITS_DEFAULT                                                                     \
        ((JournalLimits){.interval_nsec = UINT64_C(30) * 1000000000, .burst = 10000})

/*
 * journal_limits_apply() - what one configuration file says; pure
 * @text: n_bytes bytes, not NUL-terminated
 * @l:    changed where the file says so
 *
 * What is no valid value is left out, as the journal does.
 * Source: journald.conf(5), RateLimitIntervalSec= and RateLimitBurst=; systemd.syntax(7).
 */
void journal_limits_apply(const char *text, size_t n_bytes, JournalLimits *l);

/*
 * journal_limits_read() - what all configuration files say together
 * @root_fd: directory descriptor of "/"
 *
 * The main file and the drop-ins of /etc, /run, /usr/local/lib and /usr/lib: of one name, the
 * first of these wins; drop-ins are read in the order of their names, behind the main file.  What
 * cannot be read is left out.
 *
 * Return: 0, -ENOMEM.
 */
int journal_limits_read(int root_fd, JournalLimits *ret_limits);
