/* SPDX-License-Identifier: MIT */
#pragma once

/* The part of a record that says who it was, read back. */

#include <json-c/json.h>

#include "identify/deleter.h"
#include "identify/user_names.h"

/*
 * deleter_parse() - a Deleter of the "process", "user", "systemd", … of a record
 * @top: the whole record
 * @ret: one reference, the caller's; NULL where the record names none
 *
 * What only the kernel could tell is made up so that leaders_find() comes to what the record says.
 * Return: 0, -ENOMEM.
 */
int deleter_parse(json_object *top, Deleter **ret);

/* Return: 0, -ENOMEM. */
int deleter_parse_names(json_object *top, UserNames *names);
