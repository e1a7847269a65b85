/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which run of a systemd unit a control group belongs to.
 */

#define INVOCATION_ID_BYTES 33

/*
 * invocation_read() - the invocation id of the unit that a control group names
 * @root_fd: directory descriptor of "/", borrowed
 * @cgroup:  path in systemd's hierarchy
 * @ret_id:  32 hexadecimal digits and a NUL; untouched on failure
 *
 * The system's manager keeps it as a symbolic link /run/systemd/units/invocation:UNIT as long as
 * the unit is active.  A user's manager has such links too, but below a directory that the user can
 * mount anything over; there it is read from the attribute user.invocation_id of the unit's control
 * group, which has no one else's filesystem in its way.
 * Source: unit_export_invocation_id() in src/core/unit.c, cgroup_invocation_id_xattr_apply() in
 * src/core/cgroup.c of systemd 252 (same in 257).
 *
 * Return: 0, -ENODATA the group names no unit or has no such attribute, -ENOENT no such run or no
 * systemd, -EBADMSG what is there is no id, other errors of openat(2), readlinkat(2), fgetxattr(2).
 */
int invocation_read(int root_fd, const char *cgroup, char ret_id[static INVOCATION_ID_BYTES]);
