/* SPDX-License-Identifier: MIT */

/*
 * Records of a path.
 *
 * Limit: no more than MESSAGES_MAX of the journal are read.  Those are of the path, of the
 * directories above it, and folded records, of which each may or may not have been about it;
 * and as many again of overwrites, if those say nothing for certain.
 */

#include "command/why_records.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "query/journal_query.h"
#include "query/line_reader.h"

/* Messages of the journal that are read; the newest. */
#define MESSAGES_MAX 100000

static int read_file(const WhyRecords *w, History *h, WhyLooked *l) {
        _cleanup_line_reader_ LineReader lines = {0};
        _cleanup_close_ int own_fd = -1;
        int fd = STDIN_FILENO;
        const char *line;
        size_t n_line;
        int r;

        if (strcmp(w->file, "-") != 0) {
                own_fd = open(w->file, O_RDONLY | O_CLOEXEC);
                if (own_fd < 0)
                        return -errno;
                fd = own_fd;
        }
        line_reader_init(&lines, fd, RECORD_PARSE_LINE_MAX);
        while ((r = line_reader_next(&lines, &line, &n_line)) > 0) {
                r = n_line > 0 ? history_add(h, line, n_line) : 1;
                if (r < 0)
                        break;
        }
        h->n_strange += lines.n_too_long;
        l->last_nsec = h->last_nsec;
        return r;
}

static int read_matches(JournalQuery *q, History *h) {
        const char *line;
        size_t n_line;
        int r = 1;

        for (size_t i = 0; r > 0 && i < MESSAGES_MAX; i++) {
                r = journal_query_previous(q, &line, &n_line);
                if (r > 0)
                        r = history_add(h, line, n_line);
        }
        return r < 0 ? r : 0;
}

static bool is_certain(const History *h) {
        for (size_t i = 0; i < h->n_entries; i++)
                if (h->entries[i].match != HISTORY_IN_FOLD)
                        return true;
        return false;
}

/* Was it renamed over something else?  What is found is told instead of what is only possible. */
static int read_overwrites(JournalQuery *q, History *h) {
        _cleanup_history_ History overwrites = {0};
        int r = history_init(&overwrites, h->path, h->n_max, true);

        if (r >= 0)
                r = journal_query_match_overwrites(q);
        if (r >= 0)
                r = read_matches(q, &overwrites);
        if (r >= 0 && overwrites.n_entries > 0) {
                const History possible = *h;

                *h = overwrites;
                overwrites = possible;
        }
        return r;
}

static int read_journal(const WhyRecords *w, const char *path, History *h, WhyLooked *l) {
        JournalQuery *q;
        int r = journal_query_new(w->directory, &q);

        if (r < 0)
                return r;
        r = journal_query_match_path(q, path);
        if (r >= 0)
                r = read_matches(q, h);
        if (r >= 0 && !is_certain(h))
                r = read_overwrites(q, h);
        if (r >= 0)
                r = journal_query_since(q, &l->since_nsec);
        if (r >= 0)
                r = journal_query_last_record(q, &l->last_nsec);
        journal_query_free(q);
        return r < 0 ? r : 0;
}

/* Root reads all of the journal, and so do these groups; journald's manual page names them. */
static bool may_read_all(void) {
        static const char *const names[] = {"systemd-journal", "adm", "wheel"};
        gid_t groups[256];
        int n = getgroups(256, groups);

        if (geteuid() == 0)
                return true;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const struct group *g = getgrnam(names[i]);

                for (int k = 0; g && k < n; k++)
                        if (groups[k] == g->gr_gid)
                                return true;
        }
        return false;
}

int why_records_find(const WhyRecords *records, const char *path, History *ret_history,
                     WhyLooked *ret_looked) {
        WhyLooked l = {.file = records->file, .directory = records->directory};
        int r;

        *ret_looked = l;
        r = history_init(ret_history, path, records->n_max, !records->file);
        if (r < 0)
                return r;
        if (records->file)
                r = read_file(records, ret_history, &l);
        else
                r = read_journal(records, path, ret_history, &l);
        if (r == -ENOMEM)
                return r;
        l.error = r < 0 ? r : 0;
        l.is_partly = !records->file && !records->directory && !may_read_all();
        *ret_looked = l;
        return 0;
}
