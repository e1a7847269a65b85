/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The part of a JSON line that is the same for all deletions of one Deleter, rendered by json-c.
 */

#include "identify/user_names.h"
#include "record/host_facts.h"
#include "record/record.h"

typedef struct JsonProcess {
        uint64_t deleter_id;       /* 0: nothing rendered */
        uint64_t names_generation; /* of the names that it has; with others it is to be made anew */
        Buffer members; /* "process":{…},"user":{…},"systemd":{…}, with the trailing comma */
        Buffer below;   /* of "whodunlink": "ancestry":[…],"unit":{…}, likewise; may be empty */
        Buffer subject; /* inside of a JSON string: rm (pid 812, root) */
} JsonProcess;

/* Return: 0, -ENOMEM. */
int json_process_render(JsonProcess *p, const Deleter *d, const HostFacts *host, UserNames *names);
void json_process_done(JsonProcess *p);
