/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Causes of records that have none, worked out now.
 *
 * A watch waits a moment for a cause, then the record goes without; and what an older one wrote has
 * none. Of what systemd-tmpfiles deleted on this machine, the line can still be found, by the
 * configuration as it is by now.
 */

#include "query/history.h"

/* Return: 0, also where nothing was found; -ENOMEM. */
int why_cause_complete(History *history);
