/* SPDX-License-Identifier: MIT */

/*
 * Decoding of the small text files of /proc/PID.
 *
 * A number counts only when something that is not a digit stands behind it: text that was cut off
 * by a short buffer never gives a wrong number, it gives -EBADMSG.
 *
 * Limits: a name of more than 63 bytes is cut; the kernel writes no longer ones (it did, escaped,
 * before 4.18).
 *
 * Source: proc_pid_stat(5), proc_pid_status(5); fs/proc/array.c (do_task_stat, task_state) of
 * Linux 6.18.
 */

#include "identify/proc_stat.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/span.h"

#define PF_EXITING 0x00000004

static bool take_char(Span *t, char c) {
        if (t->n == 0 || *t->at != c)
                return false;
        t->at++;
        t->n--;
        return true;
}

static bool is_letter(char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool take_int(Span *t, int *ret) {
        bool is_negative = take_char(t, '-');
        uint64_t v;

        if (!span_take_u64(t, 10, is_negative ? (uint64_t)INT_MAX + 1 : INT_MAX, &v))
                return false;
        *ret = (int)(is_negative ? -(int64_t)v : (int64_t)v);
        return true;
}

/* Goes on at a place of the text. */
static void advance(Span *t, const char *at) {
        t->n -= (size_t)(at - t->at);
        t->at = at;
}

/* Passes over one field of a line and the space behind it. */
static bool skip_field(Span *t) {
        const char *space = t->n > 0 ? memchr(t->at, ' ', t->n) : NULL;

        if (!space)
                return false;
        advance(t, space + 1);
        return true;
}

/* Takes "(name) " whose name may itself hold ") ". */
static bool take_comm(Span *t, char ret_comm[static 64]) {
        const char *close;
        size_t n_comm;

        if (!take_char(t, '('))
                return false;

        close = t->n > 0 ? memrchr(t->at, ')', t->n) : NULL;
        if (!close)
                return false;

        n_comm = (size_t)(close - t->at);
        if (memchr(t->at, '\0', n_comm))
                return false;
        if (n_comm > 63)
                n_comm = 63;
        memcpy(ret_comm, t->at, n_comm);
        ret_comm[n_comm] = '\0';

        advance(t, close + 1);
        return take_char(t, ' ');
}

int proc_stat_parse(const char *text, size_t n_bytes, ProcStat *ret_stat) {
        Span t = {text, n_bytes};
        ProcStat stat = {0};
        int process_group;
        uint64_t flags;

        if (n_bytes == 0)
                return -EBADMSG;

        if (!take_int(&t, &stat.pid) || stat.pid < 0 || !take_char(&t, ' ') ||
            !take_comm(&t, stat.comm))
                return -EBADMSG;

        if (t.n == 0 || !is_letter(*t.at))
                return -EBADMSG;
        stat.state = *t.at;
        advance(&t, t.at + 1);

        if (!take_char(&t, ' ') || !take_int(&t, &stat.ppid) || !take_char(&t, ' ') ||
            !take_int(&t, &process_group) || !take_char(&t, ' ') || !take_int(&t, &stat.session) ||
            !take_char(&t, ' ') || !take_int(&t, &stat.tty) || !take_char(&t, ' '))
                return -EBADMSG;

        if (!skip_field(&t) || !span_take_u64(&t, 10, UINT32_MAX, &flags) || !take_char(&t, ' '))
                return -EBADMSG;
        stat.is_exiting = flags & PF_EXITING;

        for (size_t i = 10; i < 22; i++)
                if (!skip_field(&t))
                        return -EBADMSG;

        if (!span_take_u64(&t, 10, UINT64_MAX, &stat.start_ticks))
                return -EBADMSG;
        if (!take_char(&t, ' ') && !take_char(&t, '\n'))
                return -EBADMSG;

        *ret_stat = stat;
        return 0;
}

/* Finds the line that starts with a key and gives what stands behind it. */
static bool find_line(Span t, const char *key, Span *ret) {
        const char *newline;

        while (t.n > 0 && (newline = memchr(t.at, '\n', t.n))) {
                Span line = {t.at, (size_t)(newline - t.at)};

                if (span_take_head(&line, key)) {
                        *ret = line;
                        return true;
                }
                advance(&t, newline + 1);
        }
        return false;
}

/* Takes the four ids of a line: real, effective, saved, filesystem. */
static bool take_ids(Span t, uint32_t ret[static 4]) {
        for (size_t i = 0; i < 4; i++) {
                uint64_t v;

                if (!take_char(&t, '\t') || !span_take_u64(&t, 10, UINT32_MAX, &v))
                        return false;
                ret[i] = (uint32_t)v;
        }
        return t.n == 0;
}

int proc_status_parse(const char *text, size_t n_bytes, ProcIds *ret_ids) {
        uint32_t uids[4], gids[4];
        Span t = {text, n_bytes}, line;

        if (n_bytes == 0)
                return -EBADMSG;

        if (!find_line(t, "Uid:", &line) || !take_ids(line, uids) || !find_line(t, "Gid:", &line) ||
            !take_ids(line, gids))
                return -EBADMSG;

        *ret_ids = (ProcIds){
                .real_uid = uids[0],
                .effective_uid = uids[1],
                .real_gid = gids[0],
                .effective_gid = gids[1],
        };
        return 0;
}

int proc_status_vpid_parse(const char *text, size_t n_bytes, pid_t *ret_vpid) {
        Span t = {text, n_bytes}, line;
        uint64_t v = 0;

        if (n_bytes == 0 || !find_line(t, "NSpid:", &line))
                return -EBADMSG;
        do
                if (!take_char(&line, '\t') || !span_take_u64(&line, 10, INT_MAX, &v))
                        return -EBADMSG;
        while (line.n > 0);

        *ret_vpid = (pid_t)v;
        return 0;
}

int proc_status_tgid_parse(const char *text, size_t n_bytes, uint32_t *ret_pid) {
        Span t = {text, n_bytes}, line;
        uint64_t v;

        if (n_bytes == 0)
                return -EBADMSG;

        if (!find_line(t, "Tgid:", &line) || !take_char(&line, '\t') ||
            !span_take_u64(&line, 10, INT_MAX, &v) || line.n > 0)
                return -EBADMSG;

        *ret_pid = (uint32_t)v;
        return 0;
}

int proc_u32_parse(const char *text, size_t n_bytes, uint32_t *ret) {
        Span t = {text, n_bytes};
        uint64_t v;

        if (n_bytes == 0 || !span_take_u64(&t, 10, UINT32_MAX, &v))
                return -EBADMSG;

        (void)take_char(&t, '\n');
        if (t.n > 0)
                return -EBADMSG;

        *ret = (uint32_t)v;
        return 0;
}
