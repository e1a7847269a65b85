/* SPDX-License-Identifier: MIT */
#pragma once

/* --hold-exec: programs wait before they start until their arguments are copied. */

#include "command/watch_session.h"

typedef struct WatchHold WatchHold;

/*
 * watch_hold_new() - start what holds programs; nothing is held yet
 *
 * Does nothing without the option.
 * Return: 0; a negative errno after having said on stderr what is missing and what to do.
 */
int watch_hold_new(WatchSession *s);
/*
 * watch_hold_follow() - let the witness know what was held
 *
 * Return: 0, -ENOTSUP there is no witness; said.
 */
int watch_hold_follow(WatchSession *s);
/* Holds the programs of all filesystems that are mounted now. Return: 0, a negative errno; said. */
int watch_hold_update(WatchSession *s);
/* Says that programs are held no longer, if so and not said yet. Return: 0, errors of the sink. */
int watch_hold_dispatch(WatchSession *s);
/* After the witness, which takes from it. */
void watch_hold_free(WatchHold *h);
