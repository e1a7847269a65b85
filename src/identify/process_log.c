/* SPDX-License-Identifier: MIT */

/*
 * A ring of entries that are never split: what is left at its end is padded.
 *
 * Offsets count up for ever; a place in the ring is an offset modulo its size.  The process may end
 * between any two instructions: what is to be written over is given up before, what was written
 * counts only afterwards.
 */

#include "identify/process_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "identify/proc_connector.h"
#include "identify/taskstats_socket.h"

#define MAGIC "whodunpr"
#define HEADER_BYTES 4096

typedef struct Header {
        char magic[8];
        uint32_t version;
        uint32_t n_facts_bytes, n_record_bytes; /* of the structures that entries hold */
        uint32_t n_events_bytes, n_exits_bytes; /* rooms */
        char program_version[32];
        uint64_t first, end; /* offsets */
        uint64_t n_dropped;
} Header;

struct ProcessLog {
        int fd;
        uint8_t *map;
        Header *header;
        uint8_t *ring;
};

static void barrier(void) {
        atomic_signal_fence(memory_order_seq_cst);
}

static size_t page_aligned(size_t n) {
        return (n + HEADER_BYTES - 1) / HEADER_BYTES * HEADER_BYTES;
}

static size_t ring_at(void) {
        return HEADER_BYTES + page_aligned(proc_connector_memory_bytes()) +
               page_aligned(taskstats_socket_memory_bytes());
}

static size_t map_bytes(void) {
        return ring_at() + PROCESS_LOG_RING_BYTES;
}

static Header expected(void) {
        return (Header){
                .magic = MAGIC,
                .version = PROCESS_LOG_VERSION,
                .n_facts_bytes = sizeof(ProcessFacts),
                .n_record_bytes = sizeof(TaskstatsRecord),
                .n_events_bytes = (uint32_t)proc_connector_memory_bytes(),
                .n_exits_bytes = (uint32_t)taskstats_socket_memory_bytes(),
                .program_version = PROJECT_VERSION,
        };
}

static int map(int fd, ProcessLog **ret_log) {
        ProcessLog *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        l->map = mmap(NULL, map_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (l->map == MAP_FAILED) {
                int r = -errno;

                free(l);
                return r;
        }
        l->fd = fd;
        l->header = (Header *)(void *)l->map;
        l->ring = l->map + ring_at();
        *ret_log = l;
        return 0;
}

int process_log_new(ProcessLog **ret_log) {
        _cleanup_close_ int fd = -1;
        int r;

        fd = memfd_create("whodunlink-processes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        if (ftruncate(fd, (off_t)map_bytes()) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
                return -errno;
        r = map(fd, ret_log);
        if (r < 0)
                return r;
        fd = -1;
        *(*ret_log)->header = expected();
        return 0;
}

/* Of hostile numbers, what is believed. */
static int check(const Header *h) {
        Header e = expected();

        if (memcmp(h->magic, e.magic, sizeof(e.magic)) != 0)
                return -EBADMSG;
        if (memcmp(h, &e, offsetof(Header, first)) != 0)
                return -EPROTO;
        if (h->first > h->end || h->end - h->first > PROCESS_LOG_RING_BYTES || h->first % 8 != 0 ||
            h->end % 8 != 0)
                return -EBADMSG;
        return 0;
}

int process_log_open(int fd, ProcessLog **ret_log) {
        int r, seals = fcntl(fd, F_GET_SEALS);
        ProcessLog *l;
        struct stat st;

        if (seals < 0 || !(seals & F_SEAL_SHRINK))
                return -EPERM;
        if (fstat(fd, &st) < 0)
                return -errno;
        if ((size_t)st.st_size != map_bytes())
                return -EPROTO;
        r = map(fd, &l);
        if (r < 0)
                return r;
        r = check(l->header);
        if (r < 0) {
                l->fd = -1;
                process_log_free(l);
                return r;
        }
        *ret_log = l;
        return 0;
}

ProcessLog *process_log_free(ProcessLog *l) {
        if (l) {
                munmap(l->map, map_bytes());
                cleanup_close(&l->fd);
                free(l);
        }
        return NULL;
}

int process_log_fd(const ProcessLog *l) {
        return l->fd;
}

void *process_log_events_room(const ProcessLog *l) {
        return l->map + HEADER_BYTES;
}

void *process_log_exits_room(const ProcessLog *l) {
        return l->map + HEADER_BYTES + page_aligned(proc_connector_memory_bytes());
}

uint64_t process_log_n_dropped(const ProcessLog *l) {
        return l->header->n_dropped;
}

static uint64_t left_in_round(uint64_t offset) {
        return PROCESS_LOG_RING_BYTES - offset % PROCESS_LOG_RING_BYTES;
}

/* Return: the length of the entry there, padding included; 0 none. */
static uint64_t parse_at(const ProcessLog *l, uint64_t at, ProcessLogEntry *ret_entry) {
        ssize_t n;

        /* Too little for a head: it is passed over, whatever it holds. */
        if (left_in_round(at) < process_log_entry_bytes(&(ProcessLogEntry){0}))
                return left_in_round(at);
        n = process_log_entry_parse(l->ring + at % PROCESS_LOG_RING_BYTES, left_in_round(at),
                                    ret_entry);
        if (n <= 0)
                return 0;
        return ret_entry->kind == PROCESS_LOG_PAD ? left_in_round(at) : (uint64_t)n;
}

/* Room for so many bytes behind the end, on the other side of which the oldest begin. */
static void make_room(ProcessLog *l, uint64_t n_bytes) {
        ProcessLogEntry e;

        while (l->header->end - l->header->first + n_bytes > PROCESS_LOG_RING_BYTES) {
                uint64_t n = parse_at(l, l->header->first, &e);

                /* Nothing of it can be read any more. */
                l->header->first = n > 0 ? l->header->first + n : l->header->end;
                l->header->n_dropped++;
        }
        barrier();
}

static void pad(ProcessLog *l) {
        const uint64_t n = left_in_round(l->header->end);
        const ProcessLogEntry e = {.kind = PROCESS_LOG_PAD};

        make_room(l, n);
        if (n >= process_log_entry_bytes(&e))
                process_log_entry_write(&e, l->ring + l->header->end % PROCESS_LOG_RING_BYTES);
        barrier();
        l->header->end += n;
}

void process_log_append(ProcessLog *l, const ProcessLogEntry *e) {
        const size_t n = process_log_entry_bytes(e);

        if (n > PROCESS_LOG_ENTRY_MAX_BYTES) {
                l->header->n_dropped++;
                return;
        }
        if (left_in_round(l->header->end) < n)
                pad(l);
        make_room(l, n);
        process_log_entry_write(e, l->ring + l->header->end % PROCESS_LOG_RING_BYTES);
        barrier();
        l->header->end += n;
}

int process_log_next(const ProcessLog *l, uint64_t *at, ProcessLogEntry *ret_entry) {
        if (*at < l->header->first)
                *at = l->header->first;
        while (*at < l->header->end) {
                uint64_t n;

                *ret_entry = (ProcessLogEntry){0};
                n = parse_at(l, *at, ret_entry);
                if (n == 0)
                        return 0;
                *at += n;
                if (ret_entry->kind != PROCESS_LOG_PAD)
                        return 1;
        }
        return 0;
}
