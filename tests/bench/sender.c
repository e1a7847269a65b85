/* SPDX-License-Identifier: MIT */

/*
 * sender DIRECTORY send MATCH - sends every entry with MATCH again by sd_journal_sendv(3), one
 * after the other, as fast as the journal takes them; DELETION_ACTION becomes "again", then "last".
 * sender DIRECTORY wait MATCH - waits until there is an entry with MATCH.
 *
 * What a program costs that has nothing to do but to send the same fields.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define FIELDS_MAX 64

typedef struct Entry {
        struct iovec fields[FIELDS_MAX];
        int n_fields;
} Entry;

static sd_journal *open_journal(const char *directory, const char *match) {
        sd_journal *j;

        if (sd_journal_open_directory(&j, directory, 0) < 0 ||
            sd_journal_add_match(j, match, 0) < 0) {
                fprintf(stderr, "sender: cannot read %s\n", directory);
                exit(1);
        }
        sd_journal_set_data_threshold(j, 0);
        return j;
}

static void read_entry(sd_journal *j, Entry *e) {
        const void *data;
        size_t n;

        SD_JOURNAL_FOREACH_DATA(j, data, n) {
                const char *field = data;

                if (field[0] == '_' || strncmp(field, "DELETION_ACTION=", 16) == 0 ||
                    e->n_fields == FIELDS_MAX - 1)
                        continue;
                e->fields[e->n_fields] = (struct iovec){.iov_base = malloc(n), .iov_len = n};
                if (!e->fields[e->n_fields].iov_base)
                        exit(1);
                memcpy(e->fields[e->n_fields++].iov_base, data, n);
        }
}

static int send_again(const char *directory, const char *match) {
        static char again[] = "DELETION_ACTION=again", last[] = "DELETION_ACTION=last";
        sd_journal *j = open_journal(directory, match);
        Entry *entries = NULL;
        size_t n = 0;

        while (sd_journal_next(j) > 0) {
                Entry *grown = reallocarray(entries, n + 1, sizeof(*entries));

                if (!grown)
                        return 1;
                entries = grown;
                entries[n] = (Entry){.n_fields = 0};
                read_entry(j, &entries[n++]);
        }
        sd_journal_close(j);
        printf("ready\n");
        fflush(stdout);
        (void)getchar();
        for (size_t i = 0; i < n; i++) {
                Entry *e = &entries[i];

                e->fields[e->n_fields] = i + 1 < n ? (struct iovec){again, sizeof(again) - 1}
                                                   : (struct iovec){last, sizeof(last) - 1};
                if (sd_journal_sendv(e->fields, e->n_fields + 1) < 0)
                        return 1;
        }
        printf("%zu\n", n);
        return 0;
}

int main(int argc, char **argv) {
        if (argc != 4)
                return 2;
        if (strcmp(argv[2], "send") == 0)
                return send_again(argv[1], argv[3]);
        for (;;) {
                sd_journal *j = open_journal(argv[1], argv[3]);
                int r = sd_journal_seek_tail(j);

                if (r >= 0)
                        r = sd_journal_previous(j);
                sd_journal_close(j);
                if (r > 0)
                        return 0;
                usleep(20 * 1000);
        }
}
