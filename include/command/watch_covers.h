/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Mounts over directories that are watched and not empty: files vanish from view, and nobody
 * deleted them.
 */

#include "capture/mountinfo.h"
#include "command/watch_session.h"

/*
 * watch_covers_update() - say what has been covered since the last table, and what was uncovered
 * @table: taken; it is compared with the next one
 *
 * What is covered when the watch begins is not said: it was not in view.
 * Return: 0, errors of the sink, -ENOMEM.
 */
int watch_covers_update(WatchSession *s, MountTable *table);
void watch_covers_done(WatchSession *s);
