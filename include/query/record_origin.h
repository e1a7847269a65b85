/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From the units and the container that a record names back to a control group that says the same.
 *
 * All renderings take these from the path of a control group, which records do not have.
 */

#include "base/buffer.h"

/* Each NULL when the record does not have it. */
typedef struct RecordOrigin {
        const char *unit;
        const char *user_unit;
        const char *slice;
        const char *session;
        const char *container_id;
        const char *container_runtime;
        const char *pod_uid;
} RecordOrigin;

/*
 * record_origin_append_cgroup() - a path of which cgroup_units_parse() and container_parse() say
 * what the record says
 *
 * Nothing is appended where there is nothing to say.  What cannot be said so is left out, never
 * replaced by something else: the path is parsed again, and dropped where it does not hold.
 * Return: true when it says all of it.
 */
bool record_origin_append_cgroup(const RecordOrigin *o, Buffer *ret_path);
