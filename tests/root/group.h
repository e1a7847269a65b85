/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Control groups of the test's own, named like those of systemd and of container runtimes: units
 * and containers are known by these names, so neither of them is needed.
 */

/*
 * Makes a group and those above it, all below one of the test's own. Skips the test where there are
 * none to be made. Return: its path, newly allocated.
 */
char *group_make(const char *name);
/* Moves this process into a group; a child of the test calls it. Fails it otherwise. */
void group_enter(const char *path);
/*
 * Removes all groups that were made, also by a test that was killed. For main(), before and after
 * its tests: the first call waits for the end of any other program that called it, as they would
 * meet.
 */
void group_remove_all(void);
