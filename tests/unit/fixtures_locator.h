/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A locator over a filesystem of a few numbered directories.
 *
 * A real LiveMount needs CAP_SYS_ADMIN. The library is linked statically, so the functions of
 * live_mount.h that are defined here stand in its place: what open_by_handle_at(2) would say is
 * said by .parent, .name and .error of a directory. Directory 0 is the root, mounted at /mnt.
 * A handle beyond the last directory is one more of its kind: they count modulo DIRECTORIES_MAX.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "locate/locator.h"
#include "unit.h"

#define DIRECTORIES_MAX 64

typedef struct Directory {
        uint32_t id;
        uint32_t parent;
        const char *name;
        int error; /* what asking for it gives; 0 it lives */
} Directory;

struct LiveMount {
        unsigned n_walks;
};

static Directory directories[DIRECTORIES_MAX];
static LiveMount *mount;
static Locator *locator;
static ScopeSet scopes;
static ScopeTarget target;
static uint64_t n_events; /* read */
static const DirPlace *place;
static PathSource source;

static inline FileHandle handle(uint32_t id) {
        directories[id].id = id;
        return (FileHandle){.type = 1,
                            .n_bytes = sizeof(uint32_t),
                            .bytes = (const uint8_t *)&directories[id].id};
}

LiveMount *live_mount_free(LiveMount *m) {
        free(m);
        return NULL;
}

FileHandle live_mount_root(const LiveMount *m) {
        (void)m;
        return handle(0);
}

int live_mount_walk(LiveMount *m, const FileHandle *directory, LiveStopFunction stop,
                    void *userdata, LiveChain *ret_chain) {
        uint32_t at;

        m->n_walks++;
        memcpy(&at, directory->bytes, sizeof(at));
        if (directories[at % DIRECTORIES_MAX].error < 0)
                return directories[at % DIRECTORIES_MAX].error;
        ret_chain->n_steps = 0;
        for (;;) {
                FileHandle parent = handle(directories[at % DIRECTORIES_MAX].parent);
                LiveStep *s;

                ret_chain->steps = reallocarray(ret_chain->steps, ++ret_chain->n_steps, sizeof(*s));
                s = &ret_chain->steps[ret_chain->n_steps - 1];
                *s = (LiveStep){.n_child = sizeof(at),
                                .n_parent = sizeof(at),
                                .child_type = 1,
                                .parent_type = 1};
                memcpy(s->child, &at, sizeof(at));
                memcpy(s->parent, parent.bytes, sizeof(at));
                snprintf(s->name, sizeof(s->name), "%s", directories[at % DIRECTORIES_MAX].name);
                at = directories[at % DIRECTORIES_MAX].parent;
                if (at == 0 || stop(userdata, &parent))
                        return 0;
        }
}

static inline void setup(void) {
        memset(directories, 0, sizeof(directories));
        for (size_t i = 1; i < DIRECTORIES_MAX; i++)
                directories[i].error = -ESTALE;
        n_events = 0;
        target = (ScopeTarget){.path = strdup("/mnt/a"), .n_path = 6, .is_directory = true};
        scopes.targets = &target;
        scopes.n_targets = 1;
        ck_assert_int_eq(scope_set_add_mount(&scopes, "/", "/mnt", "ext4", "/dev/sda1", NULL), 0);
        mount = calloc(1, sizeof(*mount));
        ck_assert_int_eq(locator_new(mount, "/", &scopes, &locator), 0);
}

static inline void teardown(void) {
        locator = locator_free(locator);
        scope_set_done(&scopes);
        free(target.path);
}

static inline void mkdir_at(uint32_t id, uint32_t parent, const char *name) {
        directories[id] = (Directory){.id = id, .parent = parent, .name = name};
}

static inline FanName name_in(uint32_t parent, const char *name) {
        return (FanName){.directory = handle(parent), .name = name, .n_name = strlen(name)};
}

/* The event is read: noted at the next position. */
static inline FlightEvent note(FanEvent fan) {
        FlightEvent e = {.fan = fan, .position = n_events++};

        ck_assert_int_eq(locator_note(locator, &e), 0);
        return e;
}

static inline FlightEvent note_rmdir(uint32_t id, uint32_t parent, const char *name) {
        directories[id].error = -ESTALE;
        return note((FanEvent){.mask = FAN_DELETE | FAN_ONDIR,
                               .name = name_in(parent, name),
                               .target = handle(id)});
}

static inline FlightEvent note_rename(uint32_t id, uint32_t from, const char *old_name, uint32_t to,
                                      const char *new_name) {
        directories[id].parent = to;
        directories[id].name = new_name;
        return note((FanEvent){.mask = FAN_RENAME | FAN_ONDIR,
                               .old_name = name_in(from, old_name),
                               .new_name = name_in(to, new_name),
                               .target = handle(id)});
}

static inline int find(uint32_t id, bool is_read_on) {
        FileHandle h = handle(id);

        return locator_find(locator, &h, is_read_on, &place, &source);
}

/* As the pipeline asks when nothing more is in the queue. */
static inline int find_to_the_end(uint32_t id) {
        int r = find(id, false);

        for (int i = 0; r == -EAGAIN && i < 100; i++)
                r = find(id, true);
        return r;
}

static inline void expect_place(uint32_t id, const char *path, PathSource expected_source) {
        ck_assert_int_eq(find_to_the_end(id), 0);
        ck_assert_str_eq(place->path, path);
        ck_assert_uint_eq(place->n_path, strlen(path));
        ck_assert_str_eq(path_source_to_string(source), path_source_to_string(expected_source));
}
