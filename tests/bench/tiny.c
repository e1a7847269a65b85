/* SPDX-License-Identifier: MIT */

/* A program that lives as short as one can: unlinks its argument, if it has one, and ends. */

#include <unistd.h>

int main(int argc, char **argv) {
        return argc > 1 && unlink(argv[1]) < 0;
}
