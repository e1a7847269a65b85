/* SPDX-License-Identifier: MIT */

/* What is given up is gone, from this thread and from what it executes; the rest is as it was. */

#include "base/privilege.h"

#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit.h"

typedef struct Sets {
        uint64_t permitted, effective, inheritable;
} Sets;

static Sets get(void) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct d[2];

        ck_assert_int_eq(syscall(SYS_capget, &header, d), 0);
        return (Sets){
                .permitted = (uint64_t)d[1].permitted << 32 | d[0].permitted,
                .effective = (uint64_t)d[1].effective << 32 | d[0].effective,
                .inheritable = (uint64_t)d[1].inheritable << 32 | d[0].inheritable,
        };
}

/* Each in a thread of its own, since there is no way back. */
static void *keep_some(void *userdata) {
        const uint64_t wanted = PRIVILEGE(CAP_DAC_READ_SEARCH) | PRIVILEGE(CAP_SYS_PTRACE);
        const Sets before = get();
        Sets after;

        (void)userdata;
        ck_assert_int_eq(privilege_keep(wanted, PRIVILEGE(CAP_SYS_PTRACE)), 0);
        after = get();
        ck_assert_uint_eq(after.permitted, before.permitted & wanted);
        ck_assert_uint_eq(after.effective, before.permitted & PRIVILEGE(CAP_SYS_PTRACE));
        ck_assert_uint_eq(after.inheritable, 0);
        ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
        /* Asking for more brings nothing back. */
        ck_assert_int_eq(privilege_keep(UINT64_MAX, UINT64_MAX), 0);
        ck_assert_uint_eq(get().permitted, before.permitted & wanted);
        ck_assert_uint_eq(get().effective, before.permitted & wanted);
        return NULL;
}

static void *keep_none(void *userdata) {
        (void)userdata;
        ck_assert_int_eq(privilege_keep(0, 0), 0);
        ck_assert_uint_eq(get().permitted, 0);
        ck_assert_uint_eq(get().effective, 0);
        return NULL;
}

static void run(void *(*function)(void *)) {
        const Sets before = get();
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, function, NULL), 0);
        pthread_join(thread, NULL);
        /* It is the thread's own affair. */
        ck_assert_uint_eq(get().permitted, before.permitted);
        ck_assert_uint_eq(get().effective, before.effective);
}

START_TEST(test_some) {
        run(keep_some);
}
END_TEST

START_TEST(test_none) {
        run(keep_none);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("privilege");

        tcase_add_test(tcase, test_some);
        tcase_add_test(tcase, test_none);
        return unit_run("privilege", tcase);
}
