/* SPDX-License-Identifier: MIT */

/*
 * A whole configuration: as one file, as the output of --cat-config without its files, and with a
 * file for each name, which is the input itself.
 */

#include <errno.h>

#include "explain/tmpfiles_config.h"
#include "fuzz.h"

typedef struct Input {
        const char *bytes;
        size_t n;
} Input;

static int read_input(void *userdata, const char *file, const char **ret_bytes,
                      size_t *ret_n_bytes) {
        const Input *input = userdata;

        /* Half of it, so that the output can hold it. */
        fuzz_check(file[0] == '/');
        *ret_bytes = input->bytes + input->n / 2;
        *ret_n_bytes = input->n - input->n / 2;
        return strlen(file) % 2 == 0 ? 0 : -ENOENT;
}

static void check_config(TmpfilesConfig *c) {
        unsigned number = 0;
        const char *file = NULL;

        for (size_t i = 0; i < c->n_rules; i++) {
                const TmpfilesRule *rule = &c->rules[i];

                fuzz_check(rule->text && rule->file && rule->number > 0);
                fuzz_check(rule->file != file || rule->number > number);
                fuzz_check(!rule->fault == !!rule->line.path);
                file = rule->file;
                number = rule->number;
        }
        tmpfiles_config_done(c);
        fuzz_check(c->n_rules == 0 && !c->rules && !c->files);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        Input input = {(const char *)bytes, n_bytes};
        const TmpfilesFiles files = {.read = read_input, .userdata = &input};
        const TmpfilesWorld world = {.is_graceful = true};
        TmpfilesConfig c = {0};
        int r;

        fuzz_check(tmpfiles_config_add_file(&c, "/x.conf", input.bytes, n_bytes, &world) == 0);
        check_config(&c);
        r = tmpfiles_config_add_output(&c, input.bytes, n_bytes, NULL, &world);
        fuzz_check(r == 0 || r == -EBADMSG);
        check_config(&c);
        r = tmpfiles_config_add_output(&c, input.bytes, n_bytes, &files, &world);
        fuzz_check(r == 0 || r == -EBADMSG);
        check_config(&c);
        return 0;
}
