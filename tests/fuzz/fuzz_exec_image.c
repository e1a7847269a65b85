/* SPDX-License-Identifier: MIT */

/* The beginning of a program's file: whatever it is, what comes out is in it. */

#include "fuzz.h"
#include "identify/exec_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        ExecImage image;
        size_t n_interpreter, n_argument;

        memset(&image, 0x5a, sizeof(image));
        exec_image_parse(bytes, n_bytes, &image);
        n_interpreter = strnlen(image.interpreter, sizeof(image.interpreter));
        n_argument = strnlen(image.argument, sizeof(image.argument));
        fuzz_check(n_interpreter < EXEC_IMAGE_BYTES && n_argument < EXEC_IMAGE_BYTES);
        if (image.kind != EXEC_IMAGE_SCRIPT) {
                fuzz_check(n_interpreter == 0 && n_argument == 0 && !image.has_argument);
                return 0;
        }
        fuzz_check(n_bytes >= 2 && memcmp(bytes, "#!", 2) == 0);
        fuzz_check(memmem(bytes, n_bytes, image.interpreter, n_interpreter) != NULL);
        fuzz_check(strcspn(image.interpreter, " \t\n") == n_interpreter);
        fuzz_check(memmem(bytes, n_bytes, image.argument, n_argument) != NULL);
        fuzz_check(image.has_argument || n_argument == 0);
        fuzz_check(strcspn(image.argument, "\n") == n_argument);
        if (n_argument > 0)
                fuzz_check(image.argument[0] != ' ' && image.argument[0] != '\t');
        return 0;
}
