/* SPDX-License-Identifier: MIT */

/* whodunlink: who deleted my file? */

#include <locale.h>

#include "command/verbs.h"

int main(int argc, char **argv) {
        /* For the width of characters on a terminal, and nothing else. */
        setlocale(LC_CTYPE, "");
        return verbs_main(argc, argv);
}
