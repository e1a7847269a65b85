/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From a process's control group to the systemd unit on whose behalf it runs.  Pure.
 *
 * Source: proc_pid_cgroup(5), cgroups(7); systemd.unit(5) on escaping; systemd's
 * "The Control Group APIs and Delegation" for the tree.
 */

#include <stdbool.h>
#include <stddef.h>

/*
 * cgroup_path_parse() - the path of systemd's hierarchy in the text of /proc/PID/cgroup
 *
 * Hybrid and legacy set-ups name it "name=systemd", unified ones "0::"; the former is preferred
 * when both are there, unless it is only "/".  " (deleted)" behind a removed group is taken off.
 * @ret_path:  borrowed from text, not NUL-terminated
 *
 * Return: 0, -ENODATA no such line, -EBADMSG a line that is not of the shape ID:CONTROLLERS:PATH.
 */
int cgroup_path_parse(const char *text, size_t n_bytes, const char **ret_path, size_t *ret_n_path);

/* Pieces of a cgroup path; each borrowed from it, NULL when it names none. */
typedef struct CgroupUnits {
        const char *unit; /* system unit: a component that ends in .service, .scope, … */
        size_t n_unit;
        const char *user_unit; /* below user@UID.service */
        size_t n_user_unit;
        const char *slice; /* innermost slice above the unit */
        size_t n_slice;
        const char *session; /* "3" of session-3.scope */
        size_t n_session;
} CgroupUnits;

/*
 * cgroup_units_parse() - the units that a cgroup path names
 *
 * The system unit is the outermost component with a unit suffix that is not a slice; below
 * user@UID.service the next such one is the user unit.  A leading "_", which systemd puts before
 * names that clash with kernel files, is taken off.  Unit names stay in their escaped form, as
 * systemctl takes them.
 */
void cgroup_units_parse(const char *path, size_t n_path, CgroupUnits *ret_units);

/*
 * cgroup_is_managers() - is it the group of a manager, the system's or a user's, itself?
 * @path: NUL-terminated
 *
 * What a manager has just forked is in there until it is put where it belongs.
 */
bool cgroup_is_managers(const char *path);
