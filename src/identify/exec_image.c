/* SPDX-License-Identifier: MIT */

/*
 * ELF or "#!".
 *
 * The kernel's own steps, in its order, on a buffer that is padded with NULs like its own: what it
 * makes of odd lines is seen best by doing the same.
 */

#include "identify/exec_image.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
static const uint16_t native_machines[] = {EM_X86_64, EM_386};
#elif defined(__aarch64__)
static const uint16_t native_machines[] = {EM_AARCH64, EM_ARM};
#endif

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

/* Both look at *last, too. NULL: there is none. */
static const char *next_word(const char *at, const char *last) {
        for (; at <= last; at++)
                if (!is_blank(*at))
                        return at;
        return NULL;
}

static const char *word_end(const char *at, const char *last) {
        for (; at <= last; at++)
                if (is_blank(*at) || *at == '\0')
                        return at;
        return NULL;
}

static bool is_native(const char *bytes, size_t n_bytes) {
        uint16_t machine;

        if (n_bytes < EI_NIDENT + 2 * sizeof(machine) || memcmp(bytes, ELFMAG, SELFMAG) != 0)
                return false;
        memcpy(&machine, bytes + EI_NIDENT + sizeof(machine), sizeof(machine));
#if defined(__x86_64__) || defined(__aarch64__)
        for (size_t i = 0; i < sizeof(native_machines) / sizeof(native_machines[0]); i++)
                if (machine == native_machines[i])
                        return true;
        return false;
#else
        return true;
#endif
}

/* Where the line ends; NULL: no interpreter, or one that may be cut off. */
static const char *line_end(const char *line, const char *last) {
        const char *end = memchr(line, '\n', strnlen(line, EXEC_IMAGE_BYTES));

        if (!end) {
                end = next_word(line + 2, last);
                if (!end || !word_end(end, last))
                        return NULL;
                end = last;
        }
        while (is_blank(end[-1]))
                end--;
        return end;
}

/* Copies up to `end` or a NUL before it. */
static void copy(char ret[static EXEC_IMAGE_BYTES], const char *at, const char *end) {
        size_t n = strnlen(at, (size_t)(end - at));

        memcpy(ret, at, n);
        ret[n] = '\0';
}

static bool parse_script(const char line[static EXEC_IMAGE_BYTES], ExecImage *ret) {
        const char *last = &line[EXEC_IMAGE_BYTES - 1], *end, *name, *separator, *argument = NULL;

        if (line[0] != '#' || line[1] != '!')
                return false;
        end = line_end(line, last);
        if (!end)
                return false;
        name = next_word(line + 2, end);
        if (!name || name == end)
                return false;
        separator = word_end(name, end);
        if (separator && *separator != '\0')
                argument = next_word(separator, end);
        copy(ret->interpreter, name, separator ? separator : end);
        if (argument)
                copy(ret->argument, argument, end);
        ret->has_argument = argument != NULL;
        return true;
}

void exec_image_parse(const void *bytes, size_t n_bytes, ExecImage *ret_image) {
        char line[EXEC_IMAGE_BYTES] = {0};

        *ret_image = (ExecImage){.kind = EXEC_IMAGE_OTHER};
        if (n_bytes > sizeof(line))
                n_bytes = sizeof(line);
        if (n_bytes > 0)
                memcpy(line, bytes, n_bytes);
        if (is_native(line, n_bytes))
                ret_image->kind = EXEC_IMAGE_NATIVE;
        else if (parse_script(line, ret_image))
                ret_image->kind = EXEC_IMAGE_SCRIPT;
}
