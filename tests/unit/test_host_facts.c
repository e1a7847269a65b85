/* SPDX-License-Identifier: MIT */

/* The machine and the run: as the machine says, or unknown. */

#include "record/host_facts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static const char *host_name;

/* Stands before libc's: the library that is tested is linked statically. NULL: it fails. */
int gethostname(char *buf, size_t n_buf) {
        size_t n;

        if (!host_name) {
                errno = EPERM;
                return -1;
        }
        /* As POSIX allows: a name that does not fit is cut without a NUL. */
        n = strlen(host_name) + 1;
        memcpy(buf, host_name, n < n_buf ? n : n_buf);
        return 0;
}

/* 32 hexadecimal digits, or nothing where nothing is an answer. */
static void expect_id(const char *id, bool may_be_empty) {
        if (may_be_empty && id[0] == '\0')
                return;
        ck_assert_uint_eq(strlen(id), 32);
        ck_assert_uint_eq(strspn(id, "0123456789abcdef"), 32);
}

START_TEST(test_ids) {
        char boot[64] = "", plain[64] = "";
        HostFacts a, b;
        FILE *f;

        host_name = "box";
        memset(&a, 0xff, sizeof(a));
        host_facts_read(&a);
        host_facts_read(&b);
        expect_id(a.machine_id, true);
        expect_id(a.boot_id, true);
        expect_id(a.run_id, false);
        ck_assert_str_eq(a.machine_id, b.machine_id);
        ck_assert_str_eq(a.boot_id, b.boot_id);
        ck_assert_str_ne(a.run_id, b.run_id);

        f = fopen("/proc/sys/kernel/random/boot_id", "re");
        if (!f || !fgets(boot, sizeof(boot), f))
                boot[0] = '\0';
        if (f)
                fclose(f);
        for (size_t i = 0, n = 0; boot[i]; i++)
                if (strchr("0123456789abcdef", boot[i]))
                        plain[n++] = boot[i];
        if (a.boot_id[0] != '\0')
                ck_assert_str_eq(a.boot_id, plain);
}
END_TEST

START_TEST(test_name) {
        char longest[257];
        HostFacts f;

        host_name = "box";
        host_facts_read(&f);
        ck_assert_str_eq(f.name, "box");
        host_name = NULL;
        host_facts_read(&f);
        ck_assert_str_eq(f.name, "");
        memset(longest, 'x', sizeof(longest));
        longest[255] = '\0';
        host_name = longest;
        host_facts_read(&f);
        ck_assert_str_eq(f.name, longest);
        /* Half a name is another host. */
        longest[255] = 'x';
        longest[256] = '\0';
        host_facts_read(&f);
        ck_assert_str_eq(f.name, "");
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("host_facts");

        tcase_add_test(tcase, test_ids);
        tcase_add_test(tcase, test_name);
        return unit_run("host_facts", tcase);
}
