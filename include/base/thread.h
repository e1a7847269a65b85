/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What all threads of the house have in common.
 */

#include <pthread.h>

/*
 * thread_start() - start a thread that takes no signals: those are the main loop's
 * @attr: NULL: as they are
 * @name: 15 bytes at most, for ps and debuggers
 *
 * Return: 0, errors of pthread_create(3).
 */
int thread_start(pthread_t *ret_thread, const pthread_attr_t *attr, const char *name,
                 void *(*function)(void *userdata), void *userdata);

/* One whose holder runs at the priority of whoever waits for it. */
void thread_mutex_init(pthread_mutex_t *mutex);

/*
 * thread_unshare_descriptors() - give the calling thread a descriptor table of its own
 *
 * Threads that open and close many would wait for each other.
 *
 * Return: 1 it has, 0 it shares the process's under ThreadSanitizer, which takes equal numbers in
 * two tables for one descriptor, errors of unshare(2).
 */
int thread_unshare_descriptors(void);
