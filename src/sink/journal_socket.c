/* SPDX-License-Identifier: MIT */

/*
 * A connected datagram socket: connected, because only then poll(2) says when the other side has
 * room again.
 *
 * Limits: what lies in the journal's queue when that is closed for good, is lost without a word;
 * where systemd holds the socket it outlives journald.
 */

#include "sink/journal_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

/* As libsystemd asks for; what is larger goes by memfd. */
#define SEND_BUFFER_BYTES (8 * 1024 * 1024)

struct JournalSocket {
        struct sockaddr_un address;
        int fd;
};

int journal_socket_new(const char *path, JournalSocket **ret_socket) {
        JournalSocket *s;

        if (strlen(path) >= sizeof(s->address.sun_path))
                return -ENAMETOOLONG;
        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->address.sun_family = AF_UNIX;
        strcpy(s->address.sun_path, path);
        s->fd = -1;
        *ret_socket = s;
        return 0;
}

JournalSocket *journal_socket_free(JournalSocket *s) {
        if (s) {
                cleanup_close(&s->fd);
                free(s);
        }
        return NULL;
}

/* It will have room, memory or fewer descriptors on their way; others want a new connection. */
static bool is_for_a_while(int error) {
        return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM || error == -ETOOMANYREFS;
}

static int connect_socket(JournalSocket *s) {
        const int bytes = SEND_BUFFER_BYTES;
        _cleanup_close_ int fd = -1;

        if (s->fd >= 0)
                return 0;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        /* The first needs a privilege, the second is cut to a limit. */
        if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
                (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
        if (connect(fd, (const struct sockaddr *)&s->address, sizeof(s->address)) < 0)
                return -errno;
        s->fd = take_fd(&fd);
        return 0;
}

static int send_message(int fd, const struct msghdr *message) {
        ssize_t n;

        do {
                n = sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
        } while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

static int make_memfd(const struct iovec *iov, size_t n_iov, int *ret_fd) {
        _cleanup_close_ int fd = memfd_create("whodunlink-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0)
                return -errno;
        for (size_t i = 0; i < n_iov; i++) {
                size_t n_written = 0;

                while (n_written < iov[i].iov_len) {
                        ssize_t n = write(fd, (const char *)iov[i].iov_base + n_written,
                                          iov[i].iov_len - n_written);

                        if (n < 0 && errno != EINTR)
                                return -errno;
                        n_written += n > 0 ? (size_t)n : 0;
                }
        }
        /* The journal takes no other. */
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return -errno;
        *ret_fd = take_fd(&fd);
        return 0;
}

static int send_by_memfd(int socket_fd, const struct iovec *iov, size_t n_iov) {
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof(control)};
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        _cleanup_close_ int fd = -1;
        int r;

        r = make_memfd(iov, n_iov, &fd);
        if (r < 0)
                return r;
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
        return send_message(socket_fd, &message);
}

int journal_socket_send(JournalSocket *s, const struct iovec *iov, size_t n_iov) {
        /* sendmsg(2) changes neither. */
        const struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iov,
                                       .msg_iovlen = n_iov};
        int r;

        r = connect_socket(s);
        if (r < 0)
                return r;
        r = send_message(s->fd, &message);
        /* ENOBUFS: the kernel has no such large piece of memory; EMSGSIZE: more than its bound. */
        if (r == -EMSGSIZE || r == -ENOBUFS)
                r = send_by_memfd(s->fd, iov, n_iov);
        /* Whoever listened there has gone: the next one has another socket. */
        if (r < 0 && !is_for_a_while(r)) {
                cleanup_close(&s->fd);
                s->fd = -1;
        }
        return r;
}

int journal_socket_fd(const JournalSocket *s) {
        return s->fd;
}

bool journal_socket_is_drained(const JournalSocket *s) {
        int n_bytes = 0;

        return s->fd < 0 || ioctl(s->fd, SIOCOUTQ, &n_bytes) < 0 || n_bytes == 0;
}
