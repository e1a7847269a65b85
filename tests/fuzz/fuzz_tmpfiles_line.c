/* SPDX-License-Identifier: MIT */

/* One line of tmpfiles.d: what comes out is whole, and reads the same again. */

#include <errno.h>

#include "explain/tmpfiles_line.h"
#include "fuzz.h"

static int specifier(void *userdata, char letter, const char **ret_text) {
        (void)userdata;
        if (letter == 'm')
                return -ENOMEDIUM;
        *ret_text = letter == 't' ? "/run" : "x";
        return letter == 'k' ? -EBADSLT : 0;
}

static void check_line(const char *text, size_t n, const TmpfilesWorld *world) {
        TmpfilesLine line = {0};
        TmpfilesFault fault = {""};
        char words[128];
        int r = tmpfiles_line_parse(text, n, world, &line, &fault);

        fuzz_check(r == 1 || r == 0 || r == -EBADMSG);
        if (r != 1) {
                fuzz_check(r == 0 || fault.text[0] != '\0');
                fuzz_check(strnlen(fault.text, sizeof(fault.text)) < sizeof(fault.text));
                fuzz_check(!line.path && !line.argument);
                return;
        }
        fuzz_check(strchr(TMPFILES_TYPES, line.type) && line.type != '\0');
        fuzz_check(line.path[0] == '/' && strlen(line.path) <= TMPFILES_PATH_BYTES_MAX);
        fuzz_check(!strstr(line.path, "//") && !strstr(line.path, "/./"));
        fuzz_check(line.path[1] == '\0' || line.path[strlen(line.path) - 1] != '/');
        fuzz_check(line.mode <= 07777);
        fuzz_check(line.times_of_file != 0 && line.times_of_directory != 0);
        fuzz_check(!line.is_age_set ? line.age_usec == 0 : true);
        fuzz_check(tmpfiles_age_text(line.age_usec, words, sizeof(words)) < (int)sizeof(words));
        tmpfiles_line_done(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        TmpfilesWorld world = {.specifier = specifier, .version = 252, .is_graceful = true};

        check_line((const char *)bytes, n_bytes, &world);
        world.version = 257;
        check_line((const char *)bytes, n_bytes, &world);
        world.specifier = NULL;
        world.is_graceful = false;
        check_line((const char *)bytes, n_bytes, &world);
        return 0;
}
