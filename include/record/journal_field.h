/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Fields of a journal entry as the journal's socket takes them.
 *
 * Source: systemd's docs/JOURNAL_NATIVE_PROTOCOL.md; sd_journal_sendv(3).
 */

#include <stddef.h>

#include "base/buffer.h"

/*
 * journal_field_append() - KEY=value, or KEY, its length and the value, which may then be any bytes
 * @key:   capitals, digits and '_'
 * @value: NULL, or without bytes: nothing is appended
 */
void journal_field_append(Buffer *b, const char *key, const void *value, size_t n_bytes);
void journal_field_append_string(Buffer *b, const char *key, const char *value);
void journal_field_append_u64(Buffer *b, const char *key, uint64_t value);
