/* SPDX-License-Identifier: MIT */

/* Who has a deleted file open: looked for in the real /proc, and in ones that lie. */

#include "identify/holders.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "unit.h"

#define ENOUGH_NSEC (UINT64_C(10) * 1000 * 1000 * 1000)

static char path[] = "/tmp/whodunlink-holders-XXXXXX";
static int file_fd, proc_fd;

static void setup(void) {
        strcpy(path + strlen(path) - 6, "XXXXXX");
        file_fd = mkstemp(path);
        ck_assert_int_ge(file_fd, 0);
        proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(proc_fd, 0);
}

static void teardown(void) {
        unlink(path);
        close(file_fd);
        close(proc_fd);
}

static HolderSearch search_for(int fd, pid_t self, uint64_t budget_nsec) {
        HolderSearch s = {.proc_fd = proc_fd, .self = self, .budget_nsec = budget_nsec};
        struct stat st;

        ck_assert_int_eq(fstat(fd, &st), 0);
        s.device = st.st_dev;
        s.inode = st.st_ino;
        return s;
}

START_TEST(test_own_descriptor) {
        HolderSearch s = search_for(file_fd, 0, ENOUGH_NSEC);
        int copy = fcntl(file_fd, F_DUPFD_CLOEXEC, 100);

        ck_assert_int_eq(unlink(path), 0);
        holders_find(&s, NULL, 0);
        ck_assert_uint_eq(s.n_found, 1);
        ck_assert_int_eq(s.found[0].pid, getpid());
        ck_assert_int_eq(s.found[0].fd, file_fd);
        ck_assert_int_eq(strncmp(s.found[0].name, "test_holders", HOLDER_NAME_BYTES), 0);
        ck_assert_uint_gt(s.used_nsec, 0);
        close(copy);
        /* We are not asked about ourselves. */
        s.self = getpid();
        holders_find(&s, NULL, 0);
        ck_assert_uint_eq(s.n_found, 0);
}
END_TEST

/* What still has a name is not looked for, nor is another file of that name. */
START_TEST(test_not_deleted) {
        HolderSearch s = search_for(file_fd, 0, ENOUGH_NSEC);
        HolderSearch other = search_for(proc_fd, 0, ENOUGH_NSEC);

        holders_find(&s, NULL, 0);
        ck_assert_uint_eq(s.n_found, 0);
        ck_assert_int_eq(unlink(path), 0);
        holders_find(&other, NULL, 0);
        ck_assert_uint_eq(other.n_found, 0);
}
END_TEST

START_TEST(test_no_time) {
        HolderSearch s = search_for(file_fd, 0, 0);

        ck_assert_int_eq(unlink(path), 0);
        holders_find(&s, (const pid_t[]){getpid()}, 1);
        ck_assert_uint_eq(s.n_found, 0);
}
END_TEST

/* More than fit, and each of them once; if the first has it nobody else is asked. */
START_TEST(test_many) {
        HolderSearch s = search_for(file_fd, 0, ENOUGH_NSEC);
        pid_t children[HOLDERS_MAX + 2];

        ck_assert_int_eq(unlink(path), 0);
        for (size_t i = 0; i < HOLDERS_MAX + 2; i++) {
                children[i] = fork();
                if (children[i] == 0)
                        for (;;)
                                pause();
                ck_assert_int_gt(children[i], 0);
        }
        holders_find(&s, NULL, 0);
        ck_assert_uint_eq(s.n_found, HOLDERS_MAX);
        for (size_t i = 0; i < s.n_found; i++)
                for (size_t k = 0; k < i; k++)
                        ck_assert_int_ne(s.found[i].pid, s.found[k].pid);
        holders_find(&s, (const pid_t[]){-1, 0, children[3], children[3]}, 4);
        ck_assert_uint_eq(s.n_found, 1);
        ck_assert_int_eq(s.found[0].pid, children[3]);
        for (size_t i = 0; i < HOLDERS_MAX + 2; i++) {
                kill(children[i], SIGKILL);
                waitpid(children[i], NULL, 0);
        }
}
END_TEST

/* A /proc with nothing in it, and one that is no directory. */
START_TEST(test_no_proc) {
        HolderSearch s = search_for(file_fd, 0, ENOUGH_NSEC);

        ck_assert_int_eq(unlink(path), 0);
        s.proc_fd = file_fd;
        holders_find(&s, (const pid_t[]){1}, 1);
        ck_assert_uint_eq(s.n_found, 0);
        s.proc_fd = -1;
        holders_find(&s, NULL, 0);
        ck_assert_uint_eq(s.n_found, 0);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("holders");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_own_descriptor);
        tcase_add_test(tcase, test_not_deleted);
        tcase_add_test(tcase, test_no_time);
        tcase_add_test(tcase, test_many);
        tcase_add_test(tcase, test_no_proc);
        return unit_run("holders", tcase);
}
