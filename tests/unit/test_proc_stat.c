/* SPDX-License-Identifier: MIT */

/* What proc_stat.c makes of the files of /proc/PID, whole, cut and forged. */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "identify/proc_stat.h"
#include "unit.h"

/* Linux 6.18. */
static const char cat_stat[] =
        "24038 (cat) R 24023 24023 3006 34816 -1 4194304 98 0 0 0 0 0 0 0 20 0 1 0 277614 3133440 "
        "360 "
        "18446744073709551615 94843932839936 94843932859817 140730321249632 0 0 0 0 0 0 0 0 0 17 1 "
        "0 "
        "0 0 0 0 94843932875824 94843932877440 94844032634880 140730321255044 140730321255064 "
        "140730321255064 140730321256427 0\n";

#define REST " 4194304 98 0 0 0 0 0 0 0 20 0 1 0 277614 3133440\n"

static const struct {
        const char *text;
        ProcStat expected;
} stats[] = {
        {cat_stat, {24038, 24023, 3006, "cat", 'R', 34816, 277614, false}},
        {"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 25 0 0 18446744073709551615\n",
         {2, 0, 0, "kthreadd", 'S', 0, 25, false}},
        {"7 (foo) S 1 (x) R) Z 3 4 5 0 -1" REST,
         {7, 3, 5, "foo) S 1 (x) R", 'Z', 0, 277614, false}},
        {"7 (a\nb) S 3 4 5 0 -1" REST, {7, 3, 5, "a\nb", 'S', 0, 277614, false}},
        {"7 () S 3 4 5 0 -1" REST, {7, 3, 5, "", 'S', 0, 277614, false}},
        {"7 ()) S 3 4 5 0 -1" REST, {7, 3, 5, ")", 'S', 0, 277614, false}},
        {"7 (\xff\x1b[m) S 3 4 5 0 -1" REST, {7, 3, 5, "\xff\x1b[m", 'S', 0, 277614, false}},
        {"7 (kworker/R-123456789012345678901234567890) I 2 0 0 0 -1" REST,
         {7, 2, 0, "kworker/R-123456789012345678901234567890", 'I', 0, 277614, false}},
        {"7 (0123456789012345678901234567890123456789012345678901234567890123456) I 2 0 0 0 "
         "-1" REST,
         {7, 2, 0, "012345678901234567890123456789012345678901234567890123456789012", 'I', 0,
          277614, false}},
        {"7 (a) Z 3 4 5 0 -1 4228108 98 0 0 0 0 0 0 0 20 0 1 0 277614 0\n",
         {7, 3, 5, "a", 'Z', 0, 277614, true}},
        {"7 (a) R 3 4 5 0 -1 4 98 0 0 0 0 0 0 0 20 0 1 0 277614 0\n",
         {7, 3, 5, "a", 'R', 0, 277614, true}},
        {"7 (a) R 3 4 5 0 -1 4294967291 98 0 0 0 0 0 0 0 20 0 1 0 277614 0\n",
         {7, 3, 5, "a", 'R', 0, 277614, false}},
        /* a task that is being reaped has no session any more */
        {"7 (a) X 0 -1 -1 0 -1" REST, {7, 0, -1, "a", 'X', 0, 277614, false}},
        {"7 (a) S 1 1 1 -2147483648 -1 0 0 0 0 0 0 0 0 0 0 0 1 0 18446744073709551615 0",
         {7, 1, 1, "a", 'S', INT32_MIN, UINT64_MAX, false}},
};

static const char *const bad_stats[] = {
        "x (a) S 3 4 5 0 -1" REST,
        "-7 (a) S 3 4 5 0 -1" REST,
        "7(a) S 3 4 5 0 -1" REST,
        "7 a S 3 4 5 0 -1" REST,
        "7 (a S 3 4 5 0 -1" REST,
        "7 (a)S 3 4 5 0 -1" REST,
        "7 (a) 1 3 4 5 0 -1" REST,
        "7 (a) SS 3 4 5 0 -1" REST,
        "7 (a) S - 4 5 0 -1" REST,
        "7 (a) S 3 4 5x 0 -1" REST,
        "7 (a) S 3 4  0 -1" REST,
        "4294967296 (a) S 3 4 5 0 -1" REST,
        "7 (a) S 2147483648 4 5 0 -1" REST,
        "7 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 0 0 1 0 18446744073709551616 0\n",
        "7 (a) S 3 4 5 0 -1 4294967296 0 0 0 0 0 0 0 0 0 0 1 0 5 0\n",
        "7 (a) S 3 4 5 0 -1 - 0 0 0 0 0 0 0 0 0 0 1 0 5 0\n",
        "7 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 0 0 1 0 -5 0\n",
        "7 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 0 0 1 0 5",
        "7 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 0 0 1 0\n",
};

static const char status_text[] = "Name:\tx\\nUid:\t7\t7\t7\t7\nUmask:\t0022\nState:\tR (running)\n"
                                  "Pid:\t24039\nUid:\t1000\t0\t5\t4294967295\n"
                                  "Gid:\t100\t27\t6\t7\nFDSize:\t256\n";

static const char *const bad_statuses[] = {
        "Name:\tx\nUid:\t0\t0\t0\t0\n",          "Name:\tx\nGid:\t0\t0\t0\t0\n",
        "Uid:\t0\t0\t0\nGid:\t0\t0\t0\t0\n",     "Uid:\t0\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
        "Uid: 0 0 0 0\nGid:\t0\t0\t0\t0\n",      "Uid:\t0\t0\t0\t0\nGid:\t0\t4294967296\t0\t0\n",
        "Uid:\t0\t0\t0\t0\nGid:\t0\t-1\t0\t0\n", "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0",
        " Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n", "Uid:\n\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
};

static const struct {
        const char *text;
        int r;
        uint32_t expected;
} numbers[] = {
        {"0", 0, 0},
        {"1000", 0, 1000},
        {"1000\n", 0, 1000},
        {"4294967295", 0, UINT32_MAX},
        {"007", 0, 7},
        {"4294967296", -EBADMSG, 0},
        {"99999999999999999999999", -EBADMSG, 0},
        {"", -EBADMSG, 0},
        {"\n", -EBADMSG, 0},
        {"-1", -EBADMSG, 0},
        {"+1", -EBADMSG, 0},
        {" 1", -EBADMSG, 0},
        {"1 ", -EBADMSG, 0},
        {"1\n\n", -EBADMSG, 0},
        {"1x", -EBADMSG, 0},
};

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))

/* Of exactly that size, so that a sanitizer sees a read past the end. */
static char *copy_bytes(const char *text, size_t n_bytes) {
        char *copy = malloc(n_bytes);

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, n_bytes);
        return copy;
}

static int parse_stat(const char *text, size_t n_bytes, ProcStat *ret) {
        _cleanup_free_ char *copy = copy_bytes(text, n_bytes);

        return proc_stat_parse(copy, n_bytes, ret);
}

/* Its line stands before the others. */
static const struct {
        const char *text;
        int r;
        uint32_t expected;
} tgids[] = {
        {"Name:\tx\nState:\tR (running)\nTgid:\t4711\nPid:\t4712\n", 0, 4711},
        {"Tgid:\t1\n", 0, 1},
        {"Tgid:\t1", -EBADMSG, 0},
        {"Tgid:\t\n", -EBADMSG, 0},
        {"Tgid:\t-1\n", -EBADMSG, 0},
        {"Tgid: 1\n", -EBADMSG, 0},
        {"Tgid:\t1\t2\n", -EBADMSG, 0},
        {"Tgid:\t2147483648\n", -EBADMSG, 0},
        {"Pid:\t1\n", -EBADMSG, 0},
        {"", -EBADMSG, 0},
};

static int parse_status(const char *text, size_t n_bytes, ProcIds *ret) {
        _cleanup_free_ char *copy = copy_bytes(text, n_bytes);

        return proc_status_parse(copy, n_bytes, ret);
}

START_TEST(test_stat) {
        const ProcStat *x = &stats[_i].expected;
        ProcStat s;

        ck_assert_int_eq(parse_stat(stats[_i].text, strlen(stats[_i].text), &s), 0);
        ck_assert_int_eq(s.pid, x->pid);
        ck_assert_int_eq(s.ppid, x->ppid);
        ck_assert_int_eq(s.session, x->session);
        ck_assert_str_eq(s.comm, x->comm);
        ck_assert_int_eq(s.state, x->state);
        ck_assert_int_eq(s.tty, x->tty);
        ck_assert_uint_eq(s.start_ticks, x->start_ticks);
        ck_assert_int_eq(s.is_exiting, x->is_exiting);
}
END_TEST

START_TEST(test_bad_stat) {
        ProcStat s = {.pid = 4711};

        ck_assert_int_eq(parse_stat(bad_stats[_i], strlen(bad_stats[_i]), &s), -EBADMSG);
        ck_assert_int_eq(s.pid, 4711);
}
END_TEST

/* A cut text is refused, or says the same as the whole one. */
START_TEST(test_stat_truncated) {
        size_t n_needed = (size_t)(strstr(cat_stat, " 277614 ") - cat_stat) + 8;

        for (size_t n = 0; n < sizeof(cat_stat); n++) {
                ProcStat s = {0};

                ck_assert_int_eq(parse_stat(cat_stat, n, &s), n < n_needed ? -EBADMSG : 0);
                ck_assert_uint_eq(s.start_ticks, n < n_needed ? 0 : 277614);
        }
}
END_TEST

START_TEST(test_stat_nul) {
        static const char text[] = "7 (a\0b) S 3 4 5 0 -1" REST;
        ProcStat s;

        ck_assert_int_eq(parse_stat(text, sizeof(text) - 1, &s), -EBADMSG);
}
END_TEST

START_TEST(test_status) {
        ProcIds ids;

        ck_assert_int_eq(parse_status(status_text, sizeof(status_text) - 1, &ids), 0);
        ck_assert_uint_eq(ids.real_uid, 1000);
        ck_assert_uint_eq(ids.effective_uid, 0);
        ck_assert_uint_eq(ids.real_gid, 100);
        ck_assert_uint_eq(ids.effective_gid, 27);
}
END_TEST

START_TEST(test_tgid) {
        size_t n_bytes = strlen(tgids[_i].text);
        _cleanup_free_ char *copy = copy_bytes(tgids[_i].text, n_bytes);
        uint32_t pid = 0;

        ck_assert_int_eq(proc_status_tgid_parse(copy, n_bytes, &pid), tgids[_i].r);
        ck_assert_uint_eq(pid, tgids[_i].expected);
}
END_TEST

START_TEST(test_bad_status) {
        ProcIds ids = {.real_uid = 4711};

        ck_assert_int_eq(parse_status(bad_statuses[_i], strlen(bad_statuses[_i]), &ids), -EBADMSG);
        ck_assert_uint_eq(ids.real_uid, 4711);
}
END_TEST

typedef struct Vpid {
        const char *text;
        int result;
        pid_t vpid;
} Vpid;

static const Vpid vpids[] = {
        {"NSpid:\t7\n", 0, 7},
        {"Name:\tx\nNSpid:\t4711\t12\t3\nNSpgid:\t1\t1\t1\n", 0, 3},
        {"NSpid:\t4711\t0\n", 0, 0},
        {"NSpid:\n", -EBADMSG, 0},
        {"NSpid:\t\n", -EBADMSG, 0},
        {"NSpid:\t7 8\n", -EBADMSG, 0},
        {"NSpid:\t7\t\n", -EBADMSG, 0},
        {"NSpid:\t7\t2147483648\n", -EBADMSG, 0},
        {"NSpid:\t7\t8", -EBADMSG, 0},
        {"NStgid:\t7\n", -EBADMSG, 0},
        {"", -EBADMSG, 0},
};

START_TEST(test_vpid) {
        const Vpid *v = &vpids[_i];
        size_t n = strlen(v->text);
        _cleanup_free_ char *copy = malloc(n + 1);
        pid_t vpid = -7;

        memcpy(copy, v->text, n);
        ck_assert_int_eq(proc_status_vpid_parse(copy, n, &vpid), v->result);
        ck_assert_int_eq(vpid, v->result < 0 ? -7 : v->vpid);
}
END_TEST

START_TEST(test_status_truncated) {
        size_t n_needed = (size_t)(strstr(status_text, "FDSize") - status_text);

        for (size_t n = 0; n < sizeof(status_text); n++) {
                ProcIds ids;

                ck_assert_int_eq(parse_status(status_text, n, &ids), n < n_needed ? -EBADMSG : 0);
        }
}
END_TEST

START_TEST(test_number) {
        size_t n_bytes = strlen(numbers[_i].text);
        _cleanup_free_ char *copy = copy_bytes(numbers[_i].text, n_bytes);
        uint32_t v = 4711;

        ck_assert_int_eq(proc_u32_parse(copy, n_bytes, &v), numbers[_i].r);
        ck_assert_uint_eq(v, numbers[_i].r == 0 ? numbers[_i].expected : 4711);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("proc_stat");

        tcase_add_loop_test(t, test_stat, 0, N(stats));
        tcase_add_loop_test(t, test_bad_stat, 0, N(bad_stats));
        tcase_add_test(t, test_stat_truncated);
        tcase_add_test(t, test_stat_nul);
        tcase_add_test(t, test_status);
        tcase_add_loop_test(t, test_bad_status, 0, N(bad_statuses));
        tcase_add_test(t, test_status_truncated);
        tcase_add_loop_test(t, test_vpid, 0, N(vpids));
        tcase_add_loop_test(t, test_tgid, 0, N(tgids));
        tcase_add_loop_test(t, test_number, 0, N(numbers));
        return unit_run("proc_stat", t);
}
