/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Members of JSON objects that others wrote: each is of the type that is asked for, or absent.
 *
 * Strings may hold a NUL in JSON ("\u0000") and none of ours does: one that has it counts as
 * absent.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Borrowed; NULL absent. All take a NULL object as one without members. */
json_object *json_value_object(json_object *o, const char *key);
json_object *json_value_array(json_object *o, const char *key);
const char *json_value_string(json_object *o, const char *key);

/*
 * json_value_bytes() - a string with its exact bytes: those of the sibling key_raw where there is
 * one
 * @key:       of up to 50
 * @ret_bytes: cleared and filled, terminated
 *
 * Return: 1 there is one, 0 absent (also: not what it must be), -ENOMEM.
 */
int json_value_bytes(json_object *o, const char *key, Buffer *ret_bytes);

/* A number, or a string of digits as the schema has it for ids. False and untouched: absent. */
bool json_value_u64(json_object *o, const char *key, uint64_t max, uint64_t *ret);
/* True only for true. */
bool json_value_is_true(json_object *o, const char *key);
/* RFC 3339; false and untouched: absent. */
bool json_value_time(json_object *o, const char *key, uint64_t *ret_realtime_nsec);

/* The nth string of an array; as json_value_bytes(), of which it takes the raw array. */
int json_value_array_bytes(json_object *array, json_object *raw, size_t i, Buffer *ret_bytes);
