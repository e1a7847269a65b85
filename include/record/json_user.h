/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The users of a process, in JSON.
 *
 * Numbers are the host's, names those of the host's table: of a process in a container, where they
 * would be another's, there are none.
 */

#include <json-c/json.h>

#include "base/buffer.h"
#include "identify/process_facts.h"
#include "identify/user_names.h"

/* Adds "user", "real_user" and "group" of a process, as far as they are known. */
void json_user_add_ids(json_object *process, const ProcessFacts *f, UserNames *names);
/* Adds the "user" of a record: the effective one, and in "audit" that of the login. */
void json_user_add(json_object *top, const ProcessFacts *f, UserNames *names);
/* Appends ", root" or ", uid 999 in a container" inside of a JSON string; nothing if unknown. */
void json_user_append_subject(Buffer *b, const ProcessFacts *f, UserNames *names);
