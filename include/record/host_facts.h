/* SPDX-License-Identifier: MIT */
#pragma once

/* The machine and the run that a record is from. */

/* Each "" when unknown. */
typedef struct HostFacts {
        char name[256];
        char machine_id[40]; /* 32 hexadecimal digits */
        char boot_id[40];    /* likewise */
        char run_id[40];     /* likewise; new for each run of the program */
} HostFacts;

void host_facts_read(HostFacts *ret_facts);
