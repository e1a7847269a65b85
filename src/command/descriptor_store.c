/* SPDX-License-Identifier: MIT */

/*
 * The store is the manager's.  A copy of each descriptor is held here, so that the next instance
 * can also be started by an exec of our own: for a reload.
 */

#include "command/descriptor_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"

/* Where sd_listen_fds(3) begins to count. */
#define FIRST_FD 3

typedef struct Entry {
        char *name;
        int fd;
        bool is_taken; /* somebody knows what to do with it */
} Entry;

struct DescriptorStore {
        Entry *entries;
        size_t n_entries;
};

static Entry *find(DescriptorStore *s, const char *name) {
        for (size_t i = 0; i < s->n_entries; i++)
                if (strcmp(s->entries[i].name, name) == 0)
                        return &s->entries[i];
        return NULL;
}

/* Takes the descriptor, also on failure. */
static int add(DescriptorStore *s, const char *name, int consumed_fd, bool is_taken) {
        _cleanup_close_ int fd = consumed_fd;
        Entry *entries;
        char *copy;

        entries = reallocarray(s->entries, s->n_entries + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        s->entries = entries;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        entries[s->n_entries++] = (Entry){.name = copy, .fd = take_fd(&fd), .is_taken = is_taken};
        return 0;
}

/* They are above all that we open, so that an exec can put them where the next one looks. */
static int copy_fd(int fd) {
        int r = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);

        return r < 0 ? -errno : r;
}

static int take_over(DescriptorStore *s) {
        char **names = NULL;
        int n, r = 0;

        n = sd_listen_fds_with_names(true, &names);
        for (int i = 0; i < n; i++) {
                const char *name = names && names[i] ? names[i] : "";

                if (r < 0 || find(s, name))
                        close(FIRST_FD + i);
                else
                        r = add(s, name, FIRST_FD + i, false);
        }
        for (int i = 0; names && names[i]; i++)
                free(names[i]);
        free(names);
        return n < 0 ? n : r;
}

int descriptor_store_new(DescriptorStore **ret_store) {
        DescriptorStore *s;
        int r;

        *ret_store = NULL;
        if (!getenv("NOTIFY_SOCKET"))
                return 0;
        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        r = take_over(s);
        if (r < 0) {
                descriptor_store_free(s);
                return r;
        }
        *ret_store = s;
        return 0;
}

DescriptorStore *descriptor_store_free(DescriptorStore *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_entries; i++) {
                close(s->entries[i].fd);
                free(s->entries[i].name);
        }
        free(s->entries);
        free(s);
        return NULL;
}

int descriptor_store_take(DescriptorStore *s, const char *name) {
        Entry *e = s ? find(s, name) : NULL;

        if (!e || e->is_taken)
                return -ENOENT;
        e->is_taken = true;
        return copy_fd(e->fd);
}

int descriptor_store_put(DescriptorStore *s, const char *name, int fd) {
        _cleanup_buffer_ Buffer b = {0};
        int r;

        if (!s)
                return 0;
        if (find(s, name))
                return -EEXIST;
        buffer_append_format(&b, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
        if (b.is_failed)
                return -ENOMEM;
        r = copy_fd(fd);
        if (r >= 0)
                r = add(s, name, r, true);
        if (r >= 0)
                r = sd_pid_notify_with_fds(0, 0, buffer_terminate(&b), &fd, 1);
        return r < 0 ? r : 0;
}

void descriptor_store_remove(DescriptorStore *s, const char *name) {
        Entry *e = s ? find(s, name) : NULL;

        if (!e)
                return;
        (void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
        close(e->fd);
        free(e->name);
        *e = s->entries[--s->n_entries];
}

void descriptor_store_give_back(DescriptorStore *s, const char *name) {
        Entry *e = s ? find(s, name) : NULL;

        if (e)
                e->is_taken = false;
}

size_t descriptor_store_count(const DescriptorStore *s) {
        return s ? s->n_entries : 0;
}

const char *descriptor_store_name(const DescriptorStore *s, size_t i) {
        return s->entries[i].name;
}

const char *descriptor_store_untaken(const DescriptorStore *s) {
        for (size_t i = 0; s && i < s->n_entries; i++)
                if (!s->entries[i].is_taken)
                        return s->entries[i].name;
        return NULL;
}

/* Out of the way of the numbers that they are to get. */
static int move_up(DescriptorStore *s) {
        for (size_t i = 0; i < s->n_entries; i++) {
                int fd = fcntl(s->entries[i].fd, F_DUPFD_CLOEXEC, FIRST_FD + (int)s->n_entries);

                if (fd < 0)
                        return -errno;
                close(s->entries[i].fd);
                s->entries[i].fd = fd;
        }
        return 0;
}

static int set_environment(const DescriptorStore *s) {
        _cleanup_buffer_ Buffer names = {0};
        char number[32];

        /* sd_listen_fds(3) takes none at all for a mistake. */
        if (s->n_entries == 0)
                return 0;
        for (size_t i = 0; i < s->n_entries; i++)
                buffer_append_format(&names, "%s%s", i == 0 ? "" : ":", s->entries[i].name);
        snprintf(number, sizeof(number), "%d", (int)getpid());
        if (names.is_failed || setenv("LISTEN_PID", number, 1) < 0)
                return -ENOMEM;
        snprintf(number, sizeof(number), "%zu", s->n_entries);
        if (setenv("LISTEN_FDS", number, 1) < 0 ||
            setenv("LISTEN_FDNAMES", buffer_terminate(&names), 1) < 0)
                return -ENOMEM;
        return 0;
}

int descriptor_store_exec(DescriptorStore *s, char *const *argv) {
        int r;

        r = set_environment(s);
        if (r >= 0)
                r = move_up(s);
        for (size_t i = 0; i < s->n_entries && r >= 0; i++)
                if (dup2(s->entries[i].fd, FIRST_FD + (int)i) < 0)
                        r = -errno;
        if (r < 0)
                return r;
        execv("/proc/self/exe", argv);
        return -errno;
}
