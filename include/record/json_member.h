/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Members of JSON objects by json-c, for what is rendered once a process.
 *
 * A string that is not valid UTF-8 gets U+FFFD for each invalid byte and a sibling *_raw with the
 * exact bytes in base64.  A member for which there is no memory is left out.
 */

#include <json-c/json.h>
#include <stddef.h>

#include "base/cleanup.h"

void json_member_putp(json_object **o);
#define _cleanup_json_ _cleanup_(json_member_putp)

/* Consumes the value; NULL leaves the key out. */
void json_member_add(json_object *o, const char *key, json_object *value);
/* As json_member_add(), but an object without members is left out. */
void json_member_add_object(json_object *o, const char *key, json_object *value);
/* @s: valid UTF-8 */
void json_member_add_string(json_object *o, const char *key, const char *s);
/* Adds the bytes under a key of up to 50, and the exact ones under key_raw where it needs that. */
void json_member_add_bytes(json_object *o, const char *key, const char *bytes, size_t n_bytes);
/* As json_member_add_bytes(); NULL leaves the key out. */
void json_member_add_name(json_object *o, const char *key, const char *name);

/* Strings of their own, of any bytes; NULL out of memory. */
json_object *json_member_lossy(const char *bytes, size_t n_bytes);
json_object *json_member_base64(const char *bytes, size_t n_bytes);
