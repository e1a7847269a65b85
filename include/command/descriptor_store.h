/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Descriptors that outlive this process: the service manager keeps them and gives them to the next
 * instance.
 *
 * Names are [A-Za-z0-9._-], unique, and not longer than DESCRIPTOR_STORE_NAME_MAX.  All functions
 * take NULL: there is no service manager, nothing is kept.
 *
 * Source: sd_pid_notify_with_fds(3), sd_listen_fds_with_names(3); FDPOLL=0 since systemd 246.
 */

#include <stdbool.h>
#include <stddef.h>

#define DESCRIPTOR_STORE_NAME_MAX 255

typedef struct DescriptorStore DescriptorStore;

/*
 * descriptor_store_new() - take over what an earlier instance left
 * @ret_store: NULL when no service manager listens (NOTIFY_SOCKET)
 *
 * Two descriptors of one name, which systemd allows, are the first of them: the other is closed.
 * Return: 0, -ENOMEM, errors of sd_listen_fds_with_names(3).
 */
int descriptor_store_new(DescriptorStore **ret_store);
/* Our copies of the descriptors are closed, the manager's stay. */
DescriptorStore *descriptor_store_free(DescriptorStore *s);

/*
 * descriptor_store_take() - a descriptor that an earlier instance left
 *
 * Return: a descriptor of the caller's own, close-on-exec; -ENOENT there is none of that name;
 * errors of fcntl(2).
 */
int descriptor_store_take(DescriptorStore *s, const char *name);
/*
 * descriptor_store_put() - have one kept from now on
 * @fd: stays the caller's
 *
 * The manager does not say whether it has room: FileDescriptorStoreMax=.  Return: 0, -EEXIST one of
 * that name is there, errors of fcntl(2) and sd_pid_notify_with_fds(3), -ENOMEM.
 */
int descriptor_store_put(DescriptorStore *s, const char *name, int fd);
/* It is kept no longer. */
void descriptor_store_remove(DescriptorStore *s, const char *name);

/* It was looked at, and is not for who took it. */
void descriptor_store_give_back(DescriptorStore *s, const char *name);
/* All that are kept, in no order. */
size_t descriptor_store_count(const DescriptorStore *s);
const char *descriptor_store_name(const DescriptorStore *s, size_t i);
/* Of those that were left and nobody has taken: the first one's name, or NULL; valid until it is
 * taken or removed. */
const char *descriptor_store_untaken(const DescriptorStore *s);

/*
 * descriptor_store_exec() - begin anew in this process, with all that is kept
 * @argv: as main() got it
 *
 * Nothing else that is open may be needed any more.  Return: only on failure, a negative errno.
 */
int descriptor_store_exec(DescriptorStore *s, char *const *argv);
