/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a manager, the system's or a user's, says of a unit: above all what starts it.
 *
 * Source: org.freedesktop.systemd1(5).
 */

#include <stdint.h>

#include "explain/bus.h"

typedef struct UnitFacts {
        char *description, *fragment_path; /* each owned; NULL unknown */
        char *triggered_by;                /* a timer before a path or a socket; NULL: nothing */
        char *trigger_path;                /* where that is written */
        uint64_t last_usec, next_usec;     /* of a timer, realtime; 0 never, or unknown */
} UnitFacts;

UnitFacts *unit_facts_free(UnitFacts *f);

/*
 * unit_facts_ask() - ask the manager of a unit
 * @uid:  BUS_SYSTEM, or whose unit it is
 * @unit: in its escaped form
 *
 * A unit that is not loaded any more is loaded by the question.
 * Return: 0, as bus_get_all(), -ENOMEM, -EBADMSG.
 */
int unit_facts_ask(Bus *b, uid_t uid, const char *unit, UnitFacts **ret_facts);
