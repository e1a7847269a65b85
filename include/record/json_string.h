/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON string contents for the few strings that differ from deletion to deletion.
 *
 * json-c renders all that is the same for a process; through it, the rest would cost some ten
 * allocations an event.
 */

#include <stddef.h>

#include "base/buffer.h"

/*
 * json_string_append() - append bytes as the inside of a JSON string, without the quotes
 *
 * Invalid bytes become U+FFFD, one each; quotes, backslashes and controls are escaped.
 * Source: RFC 8259, section 7.
 */
void json_string_append(Buffer *b, const char *bytes, size_t n_bytes);

/*
 * json_string_append_member() - "key":"…", and, where that is not UTF-8, "key_raw":"…", in base64
 * @key:  needs no escapes
 * @text: NULL: nothing is appended
 */
void json_string_append_member(Buffer *b, const char *key, const char *text);
