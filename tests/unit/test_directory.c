/* SPDX-License-Identifier: MIT */

/* A directory is listed, and nobody can tell afterwards. */

#include "base/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "unit.h"

static char root[] = "/tmp/whodunlink-directory-XXXXXX";

static void set_up(void) {
        strcpy(root + strlen(root) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
}

static void tear_down(void) {
        ck_assert_int_eq(rmdir(root), 0);
}

START_TEST(test_access_time_stays) {
        /* Older than the other times, so that relatime would change it. */
        const struct timespec times[2] = {{.tv_sec = 1000000}, {.tv_nsec = UTIME_OMIT}};
        _cleanup_close_ int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *d = NULL;
        struct stat st;
        size_t n = 0;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(utimensat(AT_FDCWD, root, times, 0), 0);
        d = directory_list(fd, ".");
        ck_assert_ptr_nonnull(d);
        while (readdir(d))
                n++;
        ck_assert_uint_eq(n, 2);
        ck_assert_int_eq(stat(root, &st), 0);
        ck_assert_int_eq(st.st_atime, 1000000);
}
END_TEST

START_TEST(test_errors) {
        _cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_ptr_null(directory_list(fd, "nothing"));
        ck_assert_int_eq(errno, ENOENT);
        ck_assert_int_eq(symlinkat("/", fd, "link"), 0);
        ck_assert_ptr_null(directory_list(fd, "link"));
        ck_assert_int_eq(unlinkat(fd, "link", 0), 0);
        ck_assert_ptr_null(directory_list(-1, "."));
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("directory");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, test_access_time_stays);
        tcase_add_test(tcase, test_errors);
        return unit_run("directory", tcase);
}
