/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A service manager for one program, as systemd is one: it listens on NOTIFY_SOCKET, keeps the
 * descriptors that it is sent, and starts the program again with them.
 *
 * Each instance writes into files of its own, so that a line that a kill cut off stays the last.
 *
 * Source: sd_notify(3), sd_pid_notify_with_fds(3), sd_listen_fds(3), systemd.service(5).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "monitor.h"

#define MANAGER_FDS_MAX 64
#define MANAGER_INSTANCES_MAX 128

typedef struct ManagerFd {
        char name[256];
        int fd;
} ManagerFd;

typedef struct Manager {
        int socket_fd;
        char *socket_path;
        const char *watchdog_usec; /* NULL: no watchdog */
        const char *const *args;   /* of the program */
        ManagerFd fds[MANAGER_FDS_MAX];
        size_t n_fds;
        pid_t pid; /* of the latest instance */
        char *output_paths[MANAGER_INSTANCES_MAX], *error_paths[MANAGER_INSTANCES_MAX];
        size_t n_instances;
        /* What the latest instance has said. */
        unsigned n_ready, n_watchdogs, n_reloading, n_stopping, n_removed;
        char status[512];
} Manager;

/* @args: behind the program's name; borrowed */
Manager manager_new(const char *const *args);
/* Lets go of what it keeps, as systemd does when a service is stopped. */
void manager_drop(Manager *m);

/* Starts an instance, with what is kept, and waits until it is ready. */
void manager_start(Manager *m);
/* Without waiting. */
void manager_spawn(Manager *m);
void manager_wait_ready(Manager *m);
/* Takes messages for so long, or until nothing has come for it. */
void manager_pump(Manager *m, double timeout_sec);
/* SIGTERM or SIGKILL, and takes messages until it has ended. Return: its exit status. */
int manager_end(Manager *m, int signal);
/* manager_end() and manager_start(). */
void manager_restart(Manager *m, int signal);
/* Is a descriptor kept whose name begins so? */
bool manager_keeps(const Manager *m, const char *prefix);
int manager_fd(const Manager *m, const char *prefix);
/* stderr of the latest instance; newly allocated. */
char *manager_errors(const Manager *m);
