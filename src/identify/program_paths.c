/* SPDX-License-Identifier: MIT */

/*
 * A ring of programs, found by inode.
 *
 * Asked for each exec on the machine, by the witness alone: known programs cost a look-up and a
 * comparison.
 */

#include "identify/program_paths.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "base/hash_table.h"
#include "capture/mountinfo.h"

/* Numbers of mounts and of devices without a disk are used again; this long they are believed. */
#define SUPERBLOCK_AGE_MAX_NSEC (10 * CLOCK_NSEC_PER_SEC)
/* Each container has a mount of its own, and one that is not found here costs a look at all. */
#define SUPERBLOCKS_MAX 256

typedef struct Program {
        HashLink link; /* by inode */
        dev_t device;  /* as statx(2) tells */
        dev_t superblock;
        uint64_t inode;
        char *path; /* NULL: unused */
        char comms[PROGRAM_PATHS_COMMS_MAX][PROCESS_COMM_MAX_BYTES + 1];
        size_t next_comm;
} Program;

typedef struct Superblock {
        dev_t device, superblock; /* superblock 0: not known */
        uint64_t mount_id, asked_nsec;
} Superblock;

struct ProgramPaths {
        int proc_fd;
        HashTable table;
        size_t next;
        Superblock superblocks[SUPERBLOCKS_MAX];
        size_t next_superblock;
        Program programs[PROGRAM_PATHS_MAX];
};

int program_paths_new(int proc_fd, ProgramPaths **ret_paths) {
        ProgramPaths *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        p->proc_fd = proc_fd;
        *ret_paths = p;
        return 0;
}

ProgramPaths *program_paths_free(ProgramPaths *p) {
        if (!p)
                return NULL;
        for (size_t i = 0; i < PROGRAM_PATHS_MAX; i++)
                free(p->programs[i].path);
        hash_table_done(&p->table);
        free(p);
        return NULL;
}

static dev_t find_mount(const MountTable *t, uint64_t mount_id) {
        for (size_t i = 0; i < t->n_mounts; i++)
                if (t->mounts[i].id >= 0 && (uint64_t)t->mounts[i].id == mount_id)
                        return t->mounts[i].device;
        return 0;
}

/* In our own mount namespace, or in the machine's: a service may have one of its own. */
static dev_t ask_mounts(int proc_fd, uint64_t mount_id) {
        _cleanup_mount_table_ MountTable own = {0}, machine = {0};
        dev_t device = 0;

        if (mount_table_read(proc_fd, &own) >= 0)
                device = find_mount(&own, mount_id);
        if (device == 0 && mount_table_read_of(proc_fd, 1, &machine) >= 0)
                device = find_mount(&machine, mount_id);
        return device;
}

/* Return: 0 not known. */
static dev_t superblock_of(ProgramPaths *p, const ProgramFile *file) {
        uint64_t now = clock_now_nsec(CLOCK_MONOTONIC);
        Superblock *s;

        if (major(file->device) != 0)
                return file->device;
        if (file->mount_id == 0)
                return 0;
        for (s = p->superblocks; s < p->superblocks + SUPERBLOCKS_MAX; s++)
                if (s->mount_id == file->mount_id && s->device == file->device &&
                    now - s->asked_nsec < SUPERBLOCK_AGE_MAX_NSEC)
                        return s->superblock;
        s = &p->superblocks[p->next_superblock++ % SUPERBLOCKS_MAX];
        *s = (Superblock){
                .device = file->device,
                .superblock = ask_mounts(p->proc_fd, file->mount_id),
                .mount_id = file->mount_id,
                .asked_nsec = now,
        };
        return s->superblock;
}

static Program *next_of_inode(HashLink *l, uint64_t inode) {
        for (; l; l = l->next)
                if (HASH_ENTRY(l, Program, link)->inode == inode)
                        return HASH_ENTRY(l, Program, link);
        return NULL;
}

static Program *first_of_inode(const ProgramPaths *p, uint64_t inode) {
        return next_of_inode(hash_table_first(&p->table, hash_u64(inode)), inode);
}

static void add_comm(Program *program, const char *comm) {
        size_t n = strnlen(comm, PROCESS_COMM_MAX_BYTES);

        for (size_t i = 0; i < PROGRAM_PATHS_COMMS_MAX; i++)
                if (strncmp(program->comms[i], comm, PROCESS_COMM_MAX_BYTES) == 0)
                        return;
        memcpy(program->comms[program->next_comm], comm, n);
        program->comms[program->next_comm][n] = '\0';
        program->next_comm = (program->next_comm + 1) % PROGRAM_PATHS_COMMS_MAX;
}

static void forget(ProgramPaths *p, Program *program) {
        if (!program->path)
                return;
        hash_table_remove(&p->table, &program->link);
        free(program->path);
        *program = (Program){0};
}

static Program *add(ProgramPaths *p, const ProgramFile *file, const char *path) {
        dev_t superblock = superblock_of(p, file);
        Program *program;

        if (superblock == 0)
                return NULL;
        program = &p->programs[p->next++ % PROGRAM_PATHS_MAX];
        forget(p, program);
        *program = (Program){
                .device = file->device,
                .superblock = superblock,
                .inode = file->inode,
                .path = strdup(path),
        };
        if (!program->path)
                return NULL;
        if (hash_table_insert(&p->table, &program->link, hash_u64(file->inode)) < 0) {
                free(program->path);
                program->path = NULL;
                return NULL;
        }
        return program;
}

void program_paths_learn(ProgramPaths *p, const ProcessFacts *facts) {
        const ProgramFile *file = &facts->program;
        Program *program;

        if (file->inode == 0 || !facts->executable || facts->is_executable_deleted)
                return;
        for (program = first_of_inode(p, file->inode); program;
             program = next_of_inode(program->link.next, file->inode))
                if (program->device == file->device)
                        break;
        if (program && strcmp(program->path, facts->executable) != 0) {
                /* Renamed, another one that got its inode, or a second name of it. */
                forget(p, program);
                program = NULL;
        }
        if (!program)
                program = add(p, file, facts->executable);
        if (program)
                add_comm(program, facts->comm);
}

static bool is_named(const Program *program, const char *comm) {
        if (strnlen(comm, PROCESS_COMM_MAX_BYTES) == 0)
                return false;
        if (strncmp(basename(program->path), comm, PROCESS_COMM_MAX_BYTES) == 0)
                return true;
        for (size_t i = 0; i < PROGRAM_PATHS_COMMS_MAX; i++)
                if (strncmp(program->comms[i], comm, PROCESS_COMM_MAX_BYTES) == 0)
                        return true;
        return false;
}

const char *program_paths_find(const ProgramPaths *p, dev_t superblock, uint64_t inode,
                               const char *comm) {
        const char *path = NULL;

        for (const Program *program = first_of_inode(p, inode); program;
             program = next_of_inode(program->link.next, inode)) {
                if (program->superblock != superblock || !is_named(program, comm))
                        continue;
                /* In a snapshot of a btrfs all has the inodes of what it was taken of. */
                if (path && strcmp(path, program->path) != 0)
                        return NULL;
                path = program->path;
        }
        return path;
}
