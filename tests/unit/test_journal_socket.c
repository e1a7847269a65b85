/* SPDX-License-Identifier: MIT */

/* Entries to a socket of our own: whole, never waited for, and large ones in a sealed memfd. */

#include "sink/journal_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "unit.h"

static char directory[] = "/tmp/test_journal_socket.XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static JournalSocket *s;
static int listener;

static void listen_there(void) {
        listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(listener, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void stop_listening(void) {
        cleanup_close(&listener);
        listener = -1;
}

static void setup(void) {
        strcpy(directory + strlen(directory) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
        ck_assert_int_eq(journal_socket_new(address.sun_path, &s), 0);
        listener = -1;
}

static void teardown(void) {
        s = journal_socket_free(s);
        stop_listening();
        (void)unlink(address.sun_path);
        (void)rmdir(directory);
        ck_assert_ptr_null(journal_socket_free(NULL));
}

static int send_text(const char *a, const char *b) {
        const struct iovec iov[] = {
                {.iov_base = (void *)(uintptr_t)a, .iov_len = strlen(a)},
                {.iov_base = (void *)(uintptr_t)b, .iov_len = strlen(b)},
        };

        return journal_socket_send(s, iov, 2);
}

static void expect(const char *text) {
        char bytes[256];
        ssize_t n = recv(listener, bytes, sizeof(bytes), MSG_DONTWAIT);

        ck_assert_int_eq(n, (ssize_t)strlen(text));
        ck_assert_mem_eq(bytes, text, (size_t)n);
}

START_TEST(test_whole) {
        listen_there();
        ck_assert_int_eq(journal_socket_fd(s), -1);
        ck_assert(journal_socket_is_drained(s));
        ck_assert_int_eq(send_text("A=1\n", "B=2\n"), 0);
        ck_assert_int_ge(journal_socket_fd(s), 0);
        ck_assert(!journal_socket_is_drained(s));
        expect("A=1\nB=2\n");
        ck_assert(journal_socket_is_drained(s));
}
END_TEST

START_TEST(test_nobody_listens) {
        ck_assert_int_eq(send_text("A=1\n", ""), -ENOENT);
        listen_there();
        ck_assert_int_eq(send_text("A=2\n", ""), 0);
        expect("A=2\n");
        stop_listening();
        ck_assert_int_eq(send_text("A=3\n", ""), -ECONNREFUSED);
        ck_assert_int_eq(send_text("A=3\n", ""), -ECONNREFUSED);
        ck_assert_int_eq(unlink(address.sun_path), 0);
        ck_assert_int_eq(send_text("A=3\n", ""), -ENOENT);
        /* Another one in its place. */
        listen_there();
        ck_assert_int_eq(send_text("A=4\n", ""), 0);
        expect("A=4\n");
}
END_TEST

START_TEST(test_full) {
        struct pollfd p = {.events = POLLOUT};
        size_t n = 0;
        char text[32];

        listen_there();
        for (int r = 0; r == 0; n += r == 0) {
                snprintf(text, sizeof(text), "A=%zu\n", n);
                r = send_text(text, "");
                ck_assert(r == 0 || r == -EAGAIN);
                ck_assert_uint_lt(n, 1000 * 1000);
        }
        ck_assert_uint_gt(n, 5);
        p.fd = journal_socket_fd(s);
        ck_assert_int_eq(poll(&p, 1, 0), 0);
        ck_assert(!journal_socket_is_drained(s));
        for (size_t i = 0; i < n; i++) {
                snprintf(text, sizeof(text), "A=%zu\n", i);
                expect(text);
        }
        ck_assert_int_eq(poll(&p, 1, 0), 1);
        ck_assert(p.revents & POLLOUT);
        ck_assert_int_eq(send_text("A=last\n", ""), 0);
        expect("A=last\n");
}
END_TEST

/* The descriptor that came in the place of bytes. */
static int receive_fd(void) {
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        char byte;
        struct iovec iov = {.iov_base = &byte, .iov_len = 1};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control)};
        int fd;

        ck_assert_int_eq(recvmsg(listener, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT), 0);
        ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&message));
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
        return fd;
}

START_TEST(test_large) {
        const size_t n = (size_t)20 * 1024 * 1024;
        char *text = malloc(n + 1), *back = malloc(n + 4);
        const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
        struct stat st;
        int fd;

        listen_there();
        memset(text, 'x', n);
        text[n] = '\0';
        ck_assert_int_eq(send_text("A=1\n", text), 0);
        fd = receive_fd();
        ck_assert_int_eq(fcntl(fd, F_GET_SEALS), seals);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_int_eq(st.st_size, (off_t)n + 4);
        ck_assert_int_eq(pread(fd, back, n + 4, 0), (ssize_t)n + 4);
        ck_assert_mem_eq(back, "A=1\n", 4);
        ck_assert_mem_eq(back + 4, text, n);
        close(fd);
        free(text);
        free(back);
}
END_TEST

START_TEST(test_errors) {
        char path[200];
        JournalSocket *none = NULL;

        memset(path, 'a', sizeof(path) - 1);
        path[sizeof(path) - 1] = '\0';
        ck_assert_int_eq(journal_socket_new(path, &none), -ENAMETOOLONG);
        ck_assert_ptr_null(none);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("journal_socket");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_whole);
        tcase_add_test(tcase, test_nobody_listens);
        tcase_add_test(tcase, test_full);
        tcase_add_test(tcase, test_large);
        tcase_add_test(tcase, test_errors);
        return unit_run("journal_socket", tcase);
}
