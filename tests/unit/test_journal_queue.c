/* SPDX-License-Identifier: MIT */

/* Entries in the order of sending: none vanishes but those that are dropped. */

#include "sink/journal_queue.h"

#include <string.h>

#include "unit.h"

static JournalQueue q;

static void setup(void) {
        q = (JournalQueue){0};
}

static void teardown(void) {
        journal_queue_done(&q);
        ck_assert_ptr_null(q.first);
        ck_assert_uint_eq(q.n_bytes, 0);
}

static void append(uint64_t from, uint64_t to) {
        for (uint64_t i = from; i <= to; i++)
                ck_assert_int_eq(journal_queue_append(&q, i, &i, sizeof(i)), 0);
}

static void send_next(size_t n) {
        for (size_t i = 0; i < n; i++)
                journal_queue_sent(&q, 1);
}

/* Walks the whole list: sequences as given, ended by 0; how many of them are sent. */
static void expect(const uint64_t *sequences, size_t n_sent) {
        const JournalItem *item = q.first, *last = NULL;
        size_t n = 0, n_bytes = 0;

        for (; item; item = item->next, n++) {
                ck_assert_uint_eq(item->sequence, sequences[n]);
                ck_assert_int_eq(item->sent_usec > 0, n < n_sent);
                ck_assert_mem_eq(item->bytes, &item->sequence, sizeof(item->sequence));
                if (n == n_sent)
                        ck_assert_ptr_eq(q.unsent, item);
                n_bytes += sizeof(*item) + item->n_bytes;
                last = item;
        }
        ck_assert_uint_eq(sequences[n], 0);
        if (n == n_sent)
                ck_assert_ptr_null(q.unsent);
        ck_assert_ptr_eq(q.last, last);
        ck_assert_uint_eq(q.n_sent, n_sent);
        ck_assert_uint_eq(q.n_bytes, n_bytes);
}

#define EXPECT(n_sent, ...) expect((const uint64_t[]){__VA_ARGS__ __VA_OPT__(, ) 0}, (n_sent))

START_TEST(test_send_and_drop) {
        append(1, 4);
        EXPECT(0, 1, 2, 3, 4);
        ck_assert_uint_eq(journal_queue_find(&q, 1), 0);
        send_next(3);
        EXPECT(3, 1, 2, 3, 4);
        ck_assert_uint_eq(journal_queue_find(&q, 1), 1);
        ck_assert_uint_eq(journal_queue_find(&q, 3), 3);
        ck_assert_uint_eq(journal_queue_find(&q, 4), 0);
        journal_queue_drop(&q, 2);
        EXPECT(1, 3, 4);
        send_next(1);
        append(5, 5);
        EXPECT(2, 3, 4, 5);
        journal_queue_drop(&q, 2);
        EXPECT(0, 5);
        journal_queue_unsend(&q);
        EXPECT(0, 5);
        send_next(1);
        journal_queue_unsend(&q);
        EXPECT(0, 5);
        send_next(1);
        journal_queue_drop(&q, 1);
        EXPECT(0);
        append(6, 7);
        EXPECT(0, 6, 7);
}
END_TEST

/* Each subset of the sent ones. */
START_TEST(test_drop_stored) {
        const unsigned n_all = 6, n_sent = 4 + (unsigned)_i % 3;
        uint64_t left[7] = {0};
        size_t n = 0, n_left_sent = 0;

        for (unsigned set = 0; set < 1u << n_sent; set++) {
                append(1, n_all);
                send_next(n_sent);
                n = n_left_sent = 0;
                for (JournalItem *item = q.first; item; item = item->next) {
                        item->is_stored =
                                item->sequence <= n_sent && (set & 1u << (item->sequence - 1));
                        if (item->is_stored)
                                continue;
                        left[n++] = item->sequence;
                        n_left_sent += item->sequence <= n_sent;
                }
                left[n] = 0;
                journal_queue_drop_stored(&q);
                expect(left, n_left_sent);
                journal_queue_unsend(&q);
                expect(left, 0);
                journal_queue_done(&q);
        }
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("journal_queue");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_send_and_drop);
        tcase_add_loop_test(tcase, test_drop_stored, 0, 3);
        return unit_run("journal_queue", tcase);
}
