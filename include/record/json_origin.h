/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * On whose behalf a process works, as its control group tells, in JSON.
 */

#include <json-c/json.h>

#include "identify/process_facts.h"

/* Adds "container", "orchestrator" and "systemd", as far as they are known. */
void json_origin_add(json_object *top, const ProcessFacts *f);
/*
 * Adds the "unit" of whodunlink: template and instance of a unit like getty@tty1.service.
 *
 * The template's name is as systemctl takes it; the instance is a name of something else, so it is
 * unescaped, where it can be.
 */
void json_origin_add_template(json_object *whodunlink, const ProcessFacts *f);
