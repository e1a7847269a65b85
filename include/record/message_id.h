/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * MESSAGE_ID of the journal: one a kind of record, explained by contrib/systemd/whodunlink.catalog.
 */

#include "record/record.h"

/* 32 hexadecimal digits. */
const char *message_id_of(RecordAction a);
