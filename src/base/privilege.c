/* SPDX-License-Identifier: MIT */

/* The system calls themselves: libcap would be a library for two numbers. */

#include "base/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int privilege_keep(uint64_t permitted, uint64_t effective) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        for (int i = 0; i < 2; i++) {
                data[i].permitted &= (uint32_t)(permitted >> 32 * i);
                data[i].effective = data[i].permitted & (uint32_t)(effective >> 32 * i);
                data[i].inheritable = 0;
        }
        if (syscall(SYS_capset, &header, data) < 0)
                return -errno;
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}
