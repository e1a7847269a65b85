/* SPDX-License-Identifier: MIT */

/*
 * See ring.h.
 */

#include "ring.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"

static void *map(const Ring *r, off_t offset, size_t n) {
        void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd, offset);

        harness_assert(p != MAP_FAILED, "io_uring mmap: %m");
        return p;
}

Ring ring_new(unsigned setup_flags) {
        Ring r = {.setup_flags = setup_flags,
                  .params = {.flags = setup_flags, .sq_thread_idle = 100}};

        r.fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &r.params);
        if (r.fd < 0 && (errno == ENOSYS || errno == EPERM))
                harness_skip("no io_uring here: %s", strerror(errno));
        harness_assert(r.fd >= 0, "io_uring_setup: %m");
        r.sq = map(&r, IORING_OFF_SQ_RING, r.params.sq_off.array + RING_ENTRIES * sizeof(uint32_t));
        r.cq = map(&r, IORING_OFF_CQ_RING,
                   r.params.cq_off.cqes + r.params.cq_entries * sizeof(struct io_uring_cqe));
        r.sqes = map(&r, IORING_OFF_SQES, RING_ENTRIES * sizeof(*r.sqes));
        return r;
}

static uint32_t *at(uint8_t *ring, uint32_t offset) {
        return (uint32_t *)(void *)(ring + offset);
}

static void enter(const Ring *r, unsigned n_submit, unsigned n_wait, unsigned flags) {
        long n;

        do
                n = syscall(SYS_io_uring_enter, r->fd, n_submit, n_wait, flags, NULL, 0);
        while (n < 0 && errno == EINTR);
        harness_assert(n >= 0, "io_uring_enter: %m");
}

void ring_submit(Ring *r, const struct io_uring_sqe *sqe) {
        uint32_t tail = *at(r->sq, r->params.sq_off.tail);
        uint32_t i = tail & *at(r->sq, r->params.sq_off.ring_mask);

        r->sqes[i] = *sqe;
        at(r->sq, r->params.sq_off.array)[i] = i;
        __atomic_store_n(at(r->sq, r->params.sq_off.tail), tail + 1, __ATOMIC_SEQ_CST);
        r->n_submitted++;
        if (!(r->setup_flags & IORING_SETUP_SQPOLL))
                enter(r, 1, 0, 0);
        else if (__atomic_load_n(at(r->sq, r->params.sq_off.flags), __ATOMIC_SEQ_CST) &
                 IORING_SQ_NEED_WAKEUP)
                enter(r, 0, 0, IORING_ENTER_SQ_WAKEUP);
}

bool ring_complete(Ring *r) {
        struct io_uring_cqe *cqes = (struct io_uring_cqe *)(void *)(r->cq + r->params.cq_off.cqes);
        uint32_t head = *at(r->cq, r->params.cq_off.head);

        for (; r->n_submitted > 0; r->n_submitted--) {
                const struct io_uring_cqe *cqe;

                while (__atomic_load_n(at(r->cq, r->params.cq_off.tail), __ATOMIC_ACQUIRE) == head)
                        enter(r, 0, 1, IORING_ENTER_GETEVENTS);
                cqe = &cqes[head & *at(r->cq, r->params.cq_off.ring_mask)];
                if (cqe->res == -EINVAL)
                        return false;
                harness_assert(cqe->res == 0, "io_uring: %s", strerror(-cqe->res));
                __atomic_store_n(at(r->cq, r->params.cq_off.head), ++head, __ATOMIC_RELEASE);
        }
        return true;
}
