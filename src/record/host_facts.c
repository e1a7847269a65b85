/* SPDX-License-Identifier: MIT */

/*
 * The machine and the run, read once at start.
 *
 * Limits: a host that is renamed while it is watched keeps its old name in the records; a container
 * has a machine id of its own or none, but the boot id of its host.
 *
 * Source: gethostname(2), sd_id128_get_machine(3), sd_id128_randomize(3).
 */

#include "record/host_facts.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

static void id_copy(char *to, size_t n_to, int r, sd_id128_t id) {
        char text[SD_ID128_STRING_MAX];

        _Static_assert(sizeof(((HostFacts *)0)->run_id) >= sizeof(text), "an id fits");
        if (r < 0)
                return;
        memcpy(to, sd_id128_to_string(id, text), n_to < sizeof(text) ? n_to : sizeof(text));
}

/* A service need not see more of /proc than processes: then the service manager says it. */
static int boot_id(sd_id128_t *ret_id) {
        const char *text = getenv("WHODUNLINK_BOOT_ID");
        int r = sd_id128_get_boot(ret_id);

        return r < 0 && text ? sd_id128_from_string(text, ret_id) : r;
}

void host_facts_read(HostFacts *ret_facts) {
        HostFacts f = {0};
        sd_id128_t id = SD_ID128_NULL;
        int r;

        /* A name that was cut may come without its NUL, and half a name is another host. */
        if (gethostname(f.name, sizeof(f.name)) < 0 || f.name[sizeof(f.name) - 1] != '\0')
                memset(f.name, 0, sizeof(f.name));
        r = sd_id128_get_machine(&id);
        id_copy(f.machine_id, sizeof(f.machine_id), r, id);
        r = boot_id(&id);
        id_copy(f.boot_id, sizeof(f.boot_id), r, id);
        r = sd_id128_randomize(&id);
        id_copy(f.run_id, sizeof(f.run_id), r, id);
        *ret_facts = f;
}
