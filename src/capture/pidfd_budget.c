/* SPDX-License-Identifier: MIT */

/* Two prlimit calls around a read, for some 450 pidfds that are not made. */

#include "capture/pidfd_budget.h"

#include <fcntl.h>
#include <unistd.h>

/* Never below: the descriptors that the witness opens have numbers under it. */
#define LOWEST_LIMIT 32

PidfdBudget pidfd_budget_enter(size_t n_pidfds) {
        PidfdBudget b = {0};
        struct rlimit lowered;
        int lowest_free;

        if (getrlimit(RLIMIT_NOFILE, &b.before) < 0)
                return b;
        lowest_free = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
        if (lowest_free < 0)
                return b;
        close(lowest_free);

        lowered = b.before;
        lowered.rlim_cur = (rlim_t)lowest_free + n_pidfds;
        if (lowered.rlim_cur < LOWEST_LIMIT)
                lowered.rlim_cur = LOWEST_LIMIT;
        if (lowered.rlim_cur < b.before.rlim_cur)
                b.is_lowered = setrlimit(RLIMIT_NOFILE, &lowered) == 0;
        return b;
}

void pidfd_budget_leave(PidfdBudget *b) {
        if (b->is_lowered)
                (void)setrlimit(RLIMIT_NOFILE, &b->before);
        b->is_lowered = 0;
}
