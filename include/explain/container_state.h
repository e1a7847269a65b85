/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a container runtime has written down of a container: its name and its image.
 *
 * Source: moby daemon/ config.v2.json; containers/storage containers.json; containerd's CRI plugin
 * and nerdctl: annotations in config.json of the bundle; runc state.json, crun status.
 */

#include <stddef.h>

#define CONTAINER_STATE_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* Each owned; NULL unknown. */
typedef struct ContainerState {
        char *name, *image;
        char *source; /* the file that says so */
        char *bundle; /* directory of its config.json */
} ContainerState;

ContainerState *container_state_free(ContainerState *s);

typedef enum ContainerFormat {
        CONTAINER_DOCKER,  /* config.v2.json */
        CONTAINER_STORAGE, /* containers.json, of all containers */
        CONTAINER_OCI,     /* config.json of a bundle */
        CONTAINER_RUNTIME, /* runc's state.json, crun's status */
} ContainerFormat;

/*
 * container_state_parse() - pure
 * @id: which of them, for CONTAINER_STORAGE
 * @s:  what the text says is put into it
 *
 * Return: 0 it says something, -ENODATA it does not, -EBADMSG no such text, -ENOMEM.
 */
int container_state_parse(ContainerFormat format, const char *text, size_t n_bytes, const char *id,
                          ContainerState *s);

/*
 * container_state_find() - look where runtimes keep their state
 * @runtime: as container_parse() has it; NULL unknown: all are tried
 *
 * Return: 0, -ENODATA, -ENOMEM.
 */
int container_state_find(int root_fd, const char *runtime, const char *id,
                         ContainerState **ret_state);
