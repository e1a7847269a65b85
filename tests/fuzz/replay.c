/* SPDX-License-Identifier: MIT */

/*
 * Runs a fuzz target without libFuzzer: over each file of a corpus directory, and over each prefix
 * of each file, in copies of exactly that size.  So what a fuzzer once found stays found with any
 * compiler and in any build, and each fixture is run cut at each byte.
 *
 * Usage: fuzz_x CORPUS-DIRECTORY; TAP on standard output.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "fuzz.h"

/* Larger files are run whole only, or the square of their size would be felt. */
#define PREFIXES_MAX 4096

static int is_visible(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static int read_file(int directory_fd, const char *name, uint8_t **ret_bytes, size_t *ret_n_bytes) {
        _cleanup_free_ uint8_t *bytes = NULL;
        _cleanup_close_ int fd = -1;
        size_t n = 0, n_bytes;
        struct stat st;

        fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;

        n_bytes = (size_t)st.st_size;
        bytes = malloc(n_bytes + 1);
        if (!bytes)
                return -ENOMEM;

        while (n < n_bytes) {
                ssize_t l = read(fd, bytes + n, n_bytes - n);

                if (l < 0)
                        return -errno;
                if (l == 0)
                        return -EIO;
                n += (size_t)l;
        }

        *ret_bytes = TAKE_PTR(bytes);
        *ret_n_bytes = n_bytes;
        return 0;
}

static int run(const uint8_t *bytes, size_t n_bytes) {
        size_t n = n_bytes <= PREFIXES_MAX ? 0 : n_bytes;

        for (; n <= n_bytes; n++) {
                _cleanup_free_ uint8_t *copy = malloc(n);

                if (!copy && n > 0)
                        return -ENOMEM;
                if (n > 0)
                        memcpy(copy, bytes, n);
                LLVMFuzzerTestOneInput(copy, n);
        }
        return 0;
}

static int replay(int directory_fd, const char *name) {
        _cleanup_free_ uint8_t *bytes = NULL;
        size_t n_bytes = 0;
        int r;

        r = read_file(directory_fd, name, &bytes, &n_bytes);
        if (r < 0)
                return r;
        return run(bytes, n_bytes);
}

int main(int argc, char **argv) {
        _cleanup_close_ int fd = -1;
        struct dirent **entries;
        int n_entries, n_failed = 0;

        if (argc != 2) {
                fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
                return EXIT_FAILURE;
        }

        fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        n_entries = fd >= 0 ? scandir(argv[1], &entries, is_visible, alphasort) : -1;
        if (n_entries < 0) {
                printf("Bail out! cannot read %s: %s\n", argv[1], strerror(errno));
                return EXIT_FAILURE;
        }

        printf("1..%d\n", n_entries);
        for (int i = 0; i < n_entries; i++) {
                int r;

                /* An abort must not take the name of the file with it. */
                printf("# %s\n", entries[i]->d_name);
                fflush(stdout);
                r = replay(fd, entries[i]->d_name);
                if (r < 0) {
                        printf("not ok %d - %s # %s\n", i + 1, entries[i]->d_name, strerror(-r));
                        n_failed++;
                } else
                        printf("ok %d - %s\n", i + 1, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return n_failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
