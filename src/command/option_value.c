/* SPDX-License-Identifier: MIT */

/* Values of options that are numbers or words. */

#include "command/option_value.h"

#include <errno.h>
#include <string.h>

int option_value_u64(const char *text, uint64_t max, uint64_t *ret) {
        uint64_t v = 0;

        if (!*text)
                return -EINVAL;
        for (; *text; text++) {
                unsigned digit = (unsigned)(unsigned char)*text - '0';

                if (digit > 9 || digit > max || v > (max - digit) / 10)
                        return -EINVAL;
                v = v * 10 + digit;
        }
        *ret = v;
        return 0;
}

int option_value_word(const char *const *words, const char *value, size_t n_value) {
        for (int i = 0; words[i]; i++)
                if (strlen(words[i]) == n_value && memcmp(words[i], value, n_value) == 0)
                        return i;
        return -EINVAL;
}
