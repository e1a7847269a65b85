/* SPDX-License-Identifier: MIT */

/* A crontab, behind a job on its first line: words, or "c" and a command. */

#include "explain/crontab.h"
#include "fuzz.h"

#define WORDS_MAX 16

static size_t split(char *text, const char **ret_words) {
        size_t n = 0;
        char *word;

        while (n < WORDS_MAX && (word = strsep(&text, " ")))
                ret_words[n++] = word;
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        const uint8_t *end = n_bytes > 0 ? memchr(bytes, '\n', n_bytes) : NULL;
        const size_t n_first = end ? (size_t)(end - bytes) : n_bytes;
        const size_t n_text = end ? n_bytes - n_first - 1 : 0;
        _cleanup_free_ char *first = fuzz_string(bytes, n_first);
        _cleanup_free_ char *text = malloc(n_text + 1);
        const char *words[WORDS_MAX];
        CrontabJob job = {.args = words};
        size_t n_lines = 1;
        CrontabLine line;

        fuzz_check(text != NULL);
        if (n_text > 0)
                memcpy(text, end + 1, n_text);
        for (size_t i = 0; i < n_text; i++)
                n_lines += text[i] == '\n';
        if (first[0] == 'c')
                job.command = first + 1;
        else
                job.n_args = split(first, words);
        for (CrontabKind kind = CRONTAB_OF_USER; kind <= CRONTAB_ANACRON; kind++) {
                if (crontab_find(text, n_text, kind, &job, &line) < 0)
                        continue;
                fuzz_check(line.number > 0 && line.number <= n_lines);
                fuzz_check(line.is_exact == (job.command != NULL));
                fuzz_check(!job.command || strcmp(line.command, job.command) == 0 ||
                           memchr(text, '\0', n_text));
                free(line.command);
        }
        return 0;
}
