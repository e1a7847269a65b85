/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An io_uring by raw system calls, so that nothing stands between the test and the kernel.
 */

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>

#define RING_ENTRIES 64

typedef struct Ring {
        int fd;
        unsigned setup_flags;
        uint8_t *sq, *cq;
        struct io_uring_sqe *sqes;
        struct io_uring_params params;
        unsigned n_submitted;
} Ring;

/* Skips the test where there is none. */
Ring ring_new(unsigned setup_flags);
/* Puts one request in; the kernel's polling thread finds it, or it is submitted. */
void ring_submit(Ring *r, const struct io_uring_sqe *sqe);
/*
 * Waits for all that was submitted, of which nothing may fail. Return: false when this kernel knows
 * no such request.
 */
bool ring_complete(Ring *r);
