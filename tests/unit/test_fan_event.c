/* SPDX-License-Identifier: MIT */

/*
 * What fan_event.c makes of events that Linux 6.18 wrote, and of the same bytes cut, stretched and
 * shuffled.
 *
 * Each test works on a copy of exactly the right size, so that a sanitizer sees a read past the
 * end.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "capture/fan_event.h"
#include "fixtures_fan_event.h"
#include "unit.h"

static uint8_t *copy_bytes(const void *bytes, size_t n_bytes) {
        uint8_t *copy = malloc(n_bytes);

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, bytes, n_bytes);
        return copy;
}

static void put_u16(uint8_t *at, uint16_t v) {
        memcpy(at, &v, sizeof(v));
}

static void put_u32(uint8_t *at, uint32_t v) {
        memcpy(at, &v, sizeof(v));
}

static uint16_t get_u16(const uint8_t *at) {
        uint16_t v;

        memcpy(&v, at, sizeof(v));
        return v;
}

static uint32_t get_u32(const uint8_t *at) {
        uint32_t v;

        memcpy(&v, at, sizeof(v));
        return v;
}

static void check_borrowed(const void *p, size_t n, const uint8_t *bytes, size_t n_bytes) {
        const uint8_t *at = p;

        if (at)
                ck_assert(at >= bytes && at <= bytes + n_bytes &&
                          n <= (size_t)(bytes + n_bytes - at));
}

static void check_inside(const FanEvent *e, const uint8_t *bytes, size_t n_bytes) {
        const FanName *names[] = {&e->name, &e->old_name, &e->new_name};

        check_borrowed(e->target.bytes, e->target.n_bytes, bytes, n_bytes);
        for (size_t i = 0; i < 3; i++) {
                check_borrowed(names[i]->directory.bytes, names[i]->directory.n_bytes, bytes,
                               n_bytes);
                check_borrowed(names[i]->name, names[i]->n_name, bytes, n_bytes);
        }
}

static void check_name(const FanName *name, const char *expected) {
        if (!expected) {
                ck_assert_ptr_null(name->directory.bytes);
                ck_assert_ptr_null(name->name);
                ck_assert_uint_eq(name->n_name, 0);
                return;
        }
        ck_assert_uint_eq(name->directory.n_bytes, 12);
        ck_assert_int_eq(name->directory.type, 1);
        ck_assert_ptr_nonnull(name->directory.bytes);
        ck_assert_uint_eq(name->n_name, strlen(expected));
        ck_assert_mem_eq(name->name, expected, name->n_name);
}

static void check_event(const FanEvent *e, const Expected *x) {
        ck_assert_uint_eq(e->mask, x->mask);
        ck_assert_int_eq(e->pid == 0, x->mask == FAN_Q_OVERFLOW);
        ck_assert_int_eq(e->fd, -1);
        ck_assert_int_eq(e->pidfd, -1);
        ck_assert_int_eq(e->pidfd_state, x->pidfd_state);
        check_name(&e->name, x->name);
        check_name(&e->old_name, x->old_name);
        check_name(&e->new_name, x->new_name);
        ck_assert_int_eq(e->target.bytes != NULL, x->has_target);
        ck_assert_uint_eq(e->target.n_bytes, x->has_target ? 12 : 0);
}

/* Decodes all of it.  Return: what ended it, 0 or -EBADMSG. */
static int decode_all(const uint8_t *bytes, size_t n_bytes, size_t *ret_n_events) {
        FanEventIter it;
        FanEvent e;
        int r;

        fan_event_iter_init(&it, bytes, n_bytes);
        for (*ret_n_events = 0; (r = fan_event_next(&it, &e)) > 0; ++*ret_n_events)
                check_inside(&e, bytes, n_bytes);
        ck_assert_uint_eq(it.n_left, 0);
        ck_assert_int_eq(fan_event_next(&it, &e), 0);
        return r;
}

START_TEST(test_fixture) {
        const Fixture *f = &fixtures[_i];
        FanEvent e = {.pid = 4711};
        FanEventIter it;

        fan_event_iter_init(&it, f->bytes, f->n_bytes);
        for (size_t i = 0; i < f->n_events; i++) {
                ck_assert_int_eq(fan_event_next(&it, &e), 1);
                check_event(&e, &f->events[i]);
        }
        e.pid = 4711;
        ck_assert_int_eq(fan_event_next(&it, &e), 0);
        ck_assert_int_eq(e.pid, 4711);
}
END_TEST

/* The object that an rmdir names is the directory of the self event before it. */
START_TEST(test_rmdir_target_is_self) {
        FanEvent self, gone;
        FanEventIter it;

        fan_event_iter_init(&it, rmdir_bytes, sizeof(rmdir_bytes));
        ck_assert_int_eq(fan_event_next(&it, &self), 1);
        ck_assert_int_eq(fan_event_next(&it, &gone), 1);
        ck_assert(file_handle_equal(&self.name.directory, &gone.target));
        ck_assert(!file_handle_equal(&gone.name.directory, &gone.target));
        ck_assert(!file_handle_equal(&self.target, &self.target));
}
END_TEST

START_TEST(test_truncated) {
        const Fixture *f = &fixtures[_i];
        size_t n_first = get_u32(f->bytes);

        for (size_t n = 0; n < f->n_bytes; n++) {
                uint8_t *copy = copy_bytes(f->bytes, n);
                size_t n_events;
                int r = decode_all(copy, n, &n_events);

                ck_assert_int_eq(r, n == 0 || n == n_first ? 0 : -EBADMSG);
                ck_assert_uint_eq(n_events, n < n_first ? 0 : 1);
                free(copy);
        }
}
END_TEST

/* Puts a value into one 16 or 32 bit field of a copy. */
static void check_bad(const Fixture *f, size_t offset, size_t n_field, uint32_t value,
                      int expected) {
        uint8_t *copy = copy_bytes(f->bytes, f->n_bytes);
        size_t n_events;
        int r;

        if (n_field == 2)
                put_u16(copy + offset, (uint16_t)value);
        else
                put_u32(copy + offset, value);
        r = decode_all(copy, f->n_bytes, &n_events);
        if (expected <= 0)
                ck_assert_int_eq(r, expected);
        free(copy);
}

START_TEST(test_bad_lengths) {
        const Fixture *f = &fixtures[_i];

        for (size_t event = 0; event < f->n_bytes; event += get_u32(f->bytes + event)) {
                uint32_t n_event = get_u32(f->bytes + event);
                uint32_t n_after = (uint32_t)(f->n_bytes - event);
                uint32_t lengths[] = {0, 1, 23, n_after + 1, n_after + 4, INT32_MAX, UINT32_MAX};

                for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
                        check_bad(f, event, 4, lengths[i], -EBADMSG);
                for (uint32_t n = 0; n <= UINT16_MAX; n += n < 64 ? 1 : 63)
                        if (n < 24 || n > n_event)
                                check_bad(f, event + 6, 2, n, -EBADMSG);
                        else
                                check_bad(f, event + 6, 2, n, 1);

                for (size_t at = event + 24; at < event + n_event;
                     at += get_u16(f->bytes + at + 2)) {
                        uint32_t n_left = (uint32_t)(event + n_event - at);

                        for (uint32_t n = 0; n <= UINT16_MAX; n += n < 64 ? 1 : 63)
                                check_bad(f, at + 2, 2, n, n < 4 || n > n_left ? -EBADMSG : 1);
                        if (f->bytes[at] == 4)
                                continue;
                        for (uint32_t n = 0; n < 64; n++)
                                check_bad(f, at + 12, 4, n, n > n_left ? -EBADMSG : 1);
                        check_bad(f, at + 12, 4, INT32_MAX, -EBADMSG);
                        check_bad(f, at + 12, 4, UINT32_MAX, -EBADMSG);
                        check_bad(f, at + 12, 4, UINT32_MAX - 20, -EBADMSG);
                }
        }
}
END_TEST

#define RECORDS_MAX 4

typedef struct Records {
        const uint8_t *at[RECORDS_MAX];
        size_t n;
} Records;

/* Heap's algorithm; each order is decoded and must say the same. */
static void check_orders(Records *records, size_t n, const uint8_t *event, const Expected *x) {
        uint8_t *copy;
        FanEventIter it;
        FanEvent e;
        size_t at = 24;

        for (size_t i = 0; n > 1 && i < n; i++) {
                size_t j = n % 2 == 0 ? i : 0;
                const uint8_t *swap;

                check_orders(records, n - 1, event, x);
                swap = records->at[j];
                records->at[j] = records->at[n - 1];
                records->at[n - 1] = swap;
        }
        if (n > 1)
                return;

        copy = copy_bytes(event, get_u32(event));
        for (size_t i = 0; i < records->n; at += get_u16(records->at[i++] + 2))
                memcpy(copy + at, records->at[i], get_u16(records->at[i] + 2));
        fan_event_iter_init(&it, copy, get_u32(event));
        ck_assert_int_eq(fan_event_next(&it, &e), 1);
        check_event(&e, x);
        free(copy);
}

START_TEST(test_every_order) {
        const Fixture *f = &fixtures[_i];
        const uint8_t *event = f->bytes;

        for (size_t i = 0; i < f->n_events; event += get_u32(event), i++) {
                Records records = {.n = 0};

                for (size_t at = 24; at < get_u32(event); at += get_u16(event + at + 2))
                        records.at[records.n++] = event + at;
                check_orders(&records, records.n, event, &f->events[i]);
        }
}
END_TEST

/* Where the pidfd of the last event of each of these stands: the last four bytes. */
START_TEST(test_pidfd) {
        static const struct {
                int32_t value;
                FanPidfd state;
                int pidfd;
        } cases[] = {
                {0, FAN_PIDFD_OPEN, 0},
                {7, FAN_PIDFD_OPEN, 7},
                {-1, FAN_PIDFD_REAPED, -1},
                {-ESRCH, FAN_PIDFD_REAPED, -1},
                {-2, FAN_PIDFD_FAILED, -1},
                {-EMFILE, FAN_PIDFD_FAILED, -1},
                {INT32_MIN, FAN_PIDFD_FAILED, -1},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                uint8_t *copy = copy_bytes(overflow_bytes, sizeof(overflow_bytes));
                FanEventIter it;
                FanEvent e;

                put_u32(copy + sizeof(overflow_bytes) - 4, (uint32_t)cases[i].value);
                fan_event_iter_init(&it, copy, sizeof(overflow_bytes));
                ck_assert_int_eq(fan_event_next(&it, &e), 1);
                ck_assert_int_eq(e.pidfd_state, cases[i].state);
                ck_assert_int_eq(e.pidfd, cases[i].pidfd);
                free(copy);
        }
}
END_TEST

/* Each of the ways to be malformed that still leaves a descriptor to be closed. */
START_TEST(test_malformed_keeps_descriptors) {
        enum {
                HANDLE,
                EVENT_LENGTH,
                TWICE,
                NO_NUL,
                META_LENGTH,
                VERSION,
                N_WAYS
        };

        for (int way = 0; way < N_WAYS; way++) {
                size_t n = sizeof(unlink_bytes) - 64; /* the second event: DFID_NAME, FID, PIDFD */
                uint8_t *copy = copy_bytes(unlink_bytes + 64, n);
                FanEventIter it;
                FanEvent e;

                put_u32(copy + 16, 11);
                put_u32(copy + n - 4, 12);
                if (way == HANDLE)
                        put_u32(copy + 24 + 12, 4096);
                else if (way == EVENT_LENGTH)
                        put_u32(copy, (uint32_t)n + 8);
                else if (way == TWICE)
                        copy[24] = 1;
                else if (way == NO_NUL)
                        memset(copy + 24 + 32, 'x', 8);
                else if (way == META_LENGTH)
                        put_u16(copy + 6, 8);
                else
                        copy[4] = 4;

                fan_event_iter_init(&it, copy, n);
                ck_assert_int_eq(fan_event_next(&it, &e), -EBADMSG);
                ck_assert_int_eq(e.fd, way == VERSION ? -1 : 11);
                ck_assert_int_eq(e.pidfd, way == VERSION || way == META_LENGTH ? -1 : 12);
                ck_assert_uint_eq(e.mask, 0);
                ck_assert_ptr_null(e.target.bytes);
                ck_assert_ptr_null(e.name.name);
                ck_assert_int_eq(fan_event_next(&it, &e), 0);
                free(copy);
        }
}
END_TEST

/* Types of later kernels, and those of other masks, are passed over. */
START_TEST(test_unknown_record) {
        static const uint8_t types[] = {0, 5, 6, 7, 8, 11, 13, 31, 32, 64, 255};

        for (size_t i = 0; i < sizeof(types); i++) {
                uint8_t *copy = copy_bytes(unlink_bytes, sizeof(unlink_bytes));
                FanEventIter it;
                FanEvent e;

                copy[24] = types[i];
                fan_event_iter_init(&it, copy, sizeof(unlink_bytes));
                ck_assert_int_eq(fan_event_next(&it, &e), 1);
                ck_assert_ptr_null(e.target.bytes);
                ck_assert_int_eq(fan_event_next(&it, &e), 1);
                check_event(&e, &fixtures[0].events[1]);
                free(copy);
        }
}
END_TEST

/* A record that says which directory, but not which name in it. */
START_TEST(test_dfid) {
        uint8_t *copy = copy_bytes(rmdir_bytes, sizeof(rmdir_bytes));
        FanEventIter it;
        FanEvent e;

        copy[24] = 3;
        fan_event_iter_init(&it, copy, sizeof(rmdir_bytes));
        ck_assert_int_eq(fan_event_next(&it, &e), 1);
        ck_assert_ptr_nonnull(e.name.directory.bytes);
        ck_assert_uint_eq(e.name.n_name, 0);
        free(copy);
}
END_TEST

/* FILEID_INVALID: the kernel could not make a handle; the name is still good. */
START_TEST(test_empty_handle) {
        static const uint8_t event[] = {48, 0, 0,  0, 3,   0,   24,  0,   0,   2,   0, 0,
                                        0,  0, 0,  0, 255, 255, 255, 255, 9,   0,   0, 0,
                                        2,  0, 24, 0, 1,   2,   3,   4,   5,   6,   7, 8,
                                        0,  0, 0,  0, 255, 0,   0,   0,   'a', 'b', 0, 0};
        FanEventIter it;
        FanEvent e;

        fan_event_iter_init(&it, event, sizeof(event));
        ck_assert_int_eq(fan_event_next(&it, &e), 1);
        ck_assert_ptr_null(e.name.directory.bytes);
        ck_assert_uint_eq(e.name.n_name, 2);
        ck_assert(!file_handle_equal(&e.name.directory, &e.name.directory));
}
END_TEST

int main(void) {
        TCase *t = tcase_create("fan_event");

        tcase_add_loop_test(t, test_fixture, 0, N_FIXTURES);
        tcase_add_test(t, test_rmdir_target_is_self);
        tcase_add_loop_test(t, test_truncated, 0, N_FIXTURES);
        tcase_add_loop_test(t, test_bad_lengths, 0, N_FIXTURES);
        tcase_add_loop_test(t, test_every_order, 0, N_FIXTURES);
        tcase_add_test(t, test_pidfd);
        tcase_add_test(t, test_malformed_keeps_descriptors);
        tcase_add_test(t, test_unknown_record);
        tcase_add_test(t, test_dfid);
        tcase_add_test(t, test_empty_handle);
        return unit_run("fan_event", t);
}
