/* SPDX-License-Identifier: MIT */
#pragma once

/* All below a directory that will be removed by age: `why --all`. */

#include <json-c/json.h>

#include "base/buffer.h"
#include "command/why_world.h"

/*
 * why_all() - walk through a directory and append what goes, soonest first
 * @text:  appended to, without --json
 * @array: an object is added, with --json
 *
 * Return: an exit status; -ENOENT, -ENOTDIR, -EACCES of the directory itself; -ENOMEM.
 */
int why_all(const WhyOptions *o, const WhyWorld *w, const char *directory, Buffer *text,
            json_object *array);
