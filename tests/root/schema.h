/* SPDX-License-Identifier: MIT */
#pragma once

#include <json-c/json.h>

/*
 * schema_assert() - fail the test unless a record keeps to the schema
 *
 * Every field outside of whodunlink.*, systemd.*, user.audit.* and *_raw is one of the Elastic
 * Common Schema and has its type; nothing is null or an empty object, array or string (arguments
 * may be empty strings); the first keys are those of record.md.
 */
void schema_assert(struct json_object *record);
