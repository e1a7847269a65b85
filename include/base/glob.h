/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Patterns for paths: fnmatch(3) within a component, and a component "**" for any number of
 * directories (also none).  Bytes, no locale.
 */

#include <stdbool.h>

/*
 * glob_match_path() - does an absolute path match
 *
 * A pattern that starts with '/' is matched against the whole path; any other against every
 * tail of the path that starts at a component, so "*.o" means "*.o in any directory" and
 * "cache/" followed by "**" everything below any directory "cache", but not that itself.  '*' and
 * '?' never match '/', they do match a leading '.'; a pattern that ends in '/' means that directory
 * and all below it.
 */
bool glob_match_path(const char *pattern, const char *path);

/* fnmatch(3) of a whole name without regard to '/': for names of processes and the like. */
bool glob_match_name(const char *pattern, const char *name);

/*
 * glob_match_pathname() - fnmatch(3) of a whole path with FNM_PATHNAME|FNM_PERIOD
 *
 * As configuration files of others mean it: component against component, "**" is no more than '*',
 * and a '.' at the start of a component is only matched by itself.  Limit: a '[' that is closed
 * only behind a '/' stands for itself, where glibc's function matches nothing.
 */
bool glob_match_pathname(const char *pattern, const char *path);

/*
 * glob_check() - is there a point in matching this pattern
 *
 * Return: 0, -EINVAL for one that could never match or not as meant: empty, '[' unclosed within
 * its component, unknown "[:class:]", '\' at the end of a component, a component "." or "..".
 */
int glob_check(const char *pattern);
