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

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "identify/proc_stat.h"

#define PF_EXITING 0x00000004

/* What is left of a text. */
typedef struct Text {
        const char *at;
        const char *end;
} Text;

static bool take_char(Text *t, char c) {
        if (t->at == t->end || *t->at != c)
                return false;
        t->at++;
        return true;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Takes a run of digits.  Whether it ended or was cut off is up to who reads on. */
static bool take_u64(Text *t, uint64_t max, uint64_t *ret) {
        uint64_t v = 0;

        if (t->at == t->end || !is_digit(*t->at))
                return false;

        for (; t->at < t->end && is_digit(*t->at); t->at++) {
                uint64_t digit = (uint64_t)(*t->at - '0');

                if (v > (max - digit) / 10)
                        return false;
                v = v * 10 + digit;
        }
        *ret = v;
        return true;
}

static bool take_int(Text *t, int *ret) {
        bool is_negative = take_char(t, '-');
        uint64_t v;

        if (!take_u64(t, is_negative ? (uint64_t)INT_MAX + 1 : INT_MAX, &v))
                return false;
        *ret = (int)(is_negative ? -(int64_t)v : (int64_t)v);
        return true;
}

/* Passes over one field of a line and the space behind it. */
static bool skip_field(Text *t) {
        const char *space = memchr(t->at, ' ', (size_t)(t->end - t->at));

        if (!space)
                return false;
        t->at = space + 1;
        return true;
}

/* Takes "(name) " whose name may itself hold ") ". */
static bool take_comm(Text *t, char ret_comm[static 64]) {
        const char *close;
        size_t n_comm;

        if (!take_char(t, '('))
                return false;

        close = memrchr(t->at, ')', (size_t)(t->end - t->at));
        if (!close)
                return false;

        n_comm = (size_t)(close - t->at);
        if (memchr(t->at, '\0', n_comm))
                return false;
        if (n_comm > 63)
                n_comm = 63;
        memcpy(ret_comm, t->at, n_comm);
        ret_comm[n_comm] = '\0';

        t->at = close + 1;
        return take_char(t, ' ');
}

int proc_stat_parse(const char *text, size_t n_bytes, ProcStat *ret_stat) {
        Text t = {.at = text, .end = text + n_bytes};
        ProcStat stat = {0};
        int process_group;
        uint64_t flags;

        if (n_bytes == 0)
                return -EBADMSG;

        if (!take_int(&t, &stat.pid) || stat.pid < 0 || !take_char(&t, ' ') ||
            !take_comm(&t, stat.comm))
                return -EBADMSG;

        if (t.at == t.end || !is_letter(*t.at))
                return -EBADMSG;
        stat.state = *t.at++;

        if (!take_char(&t, ' ') || !take_int(&t, &stat.ppid) || !take_char(&t, ' ') ||
            !take_int(&t, &process_group) || !take_char(&t, ' ') || !take_int(&t, &stat.session) ||
            !take_char(&t, ' ') || !take_int(&t, &stat.tty) || !take_char(&t, ' '))
                return -EBADMSG;

        if (!skip_field(&t) || !take_u64(&t, UINT32_MAX, &flags) || !take_char(&t, ' '))
                return -EBADMSG;
        stat.is_exiting = flags & PF_EXITING;

        for (size_t i = 10; i < 22; i++)
                if (!skip_field(&t))
                        return -EBADMSG;

        if (!take_u64(&t, UINT64_MAX, &stat.start_ticks))
                return -EBADMSG;
        if (!take_char(&t, ' ') && !take_char(&t, '\n'))
                return -EBADMSG;

        *ret_stat = stat;
        return 0;
}

/* Finds the line that starts with a key and gives what stands behind it. */
static bool find_line(Text t, const char *key, Text *ret) {
        size_t n_key = strlen(key);

        while (t.at < t.end) {
                const char *newline = memchr(t.at, '\n', (size_t)(t.end - t.at));

                if (!newline)
                        return false;
                if ((size_t)(newline - t.at) >= n_key && memcmp(t.at, key, n_key) == 0) {
                        *ret = (Text){.at = t.at + n_key, .end = newline};
                        return true;
                }
                t.at = newline + 1;
        }
        return false;
}

/* Takes the four ids of a line: real, effective, saved, filesystem. */
static bool take_ids(Text t, uint32_t ret[static 4]) {
        for (size_t i = 0; i < 4; i++) {
                uint64_t v;

                if (!take_char(&t, '\t') || !take_u64(&t, UINT32_MAX, &v))
                        return false;
                ret[i] = (uint32_t)v;
        }
        return t.at == t.end;
}

int proc_status_parse(const char *text, size_t n_bytes, ProcIds *ret_ids) {
        uint32_t uids[4], gids[4];
        Text t = {.at = text, .end = text + n_bytes}, line;

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
        Text t = {.at = text, .end = text + n_bytes}, line;
        uint64_t v = 0;

        if (n_bytes == 0 || !find_line(t, "NSpid:", &line))
                return -EBADMSG;
        do
                if (!take_char(&line, '\t') || !take_u64(&line, INT_MAX, &v))
                        return -EBADMSG;
        while (line.at != line.end);

        *ret_vpid = (pid_t)v;
        return 0;
}

int proc_status_tgid_parse(const char *text, size_t n_bytes, uint32_t *ret_pid) {
        Text t = {.at = text, .end = text + n_bytes}, line;
        uint64_t v;

        if (n_bytes == 0)
                return -EBADMSG;

        if (!find_line(t, "Tgid:", &line) || !take_char(&line, '\t') ||
            !take_u64(&line, INT_MAX, &v) || line.at != line.end)
                return -EBADMSG;

        *ret_pid = (uint32_t)v;
        return 0;
}

int proc_u32_parse(const char *text, size_t n_bytes, uint32_t *ret) {
        Text t = {.at = text, .end = text + n_bytes};
        uint64_t v;

        if (n_bytes == 0 || !take_u64(&t, UINT32_MAX, &v))
                return -EBADMSG;

        (void)take_char(&t, '\n');
        if (t.at != t.end)
                return -EBADMSG;

        *ret = (uint32_t)v;
        return 0;
}
