/* SPDX-License-Identifier: MIT */

/* One table, for the start of a watch and for the doctor. */

#include "command/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/privilege.h"

static const Capability capabilities[] = {
        {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "to mark filesystems", "nothing can be watched", true,
         false},
        {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "to turn file handles into paths",
         "nothing can be watched", true, false},
        {CAP_NET_ADMIN, "CAP_NET_ADMIN", "to be told of each fork, exec and exit",
         "only processes that are still alive when their deletion is read are named", false, true},
        {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "to read the programs of other users' processes",
         "records lack them", false, false},
        {CAP_SYS_NICE, "CAP_SYS_NICE", "for real-time priority",
         "the arguments of very short processes may be missing under load", false, true},
};

const Capability *capabilities_all(size_t *ret_n) {
        *ret_n = sizeof(capabilities) / sizeof(capabilities[0]);
        return capabilities;
}

int capabilities_read(uint64_t *ret_effective) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        *ret_effective = (uint64_t)data[1].effective << 32 | data[0].effective;
        return 0;
}

bool capabilities_have(uint64_t effective, const Capability *c) {
        return effective & UINT64_C(1) << c->number;
}

int capabilities_drop(bool is_set_up) {
        uint64_t kept = PRIVILEGE(CAP_FOWNER);

        for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
                kept |= PRIVILEGE(capabilities[i].number);
        /* A reload begins anew, with what is permitted. */
        return privilege_keep(kept, is_set_up ? kept & ~PRIVILEGE(CAP_SYS_NICE) : kept);
}
