/* SPDX-License-Identifier: MIT */

/* Read by json-c, which bounds how deep it goes. */

#include "explain/container_state.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "explain/small_file.h"

#define DEPTH_MAX 32
/* Containerd's namespaces looked into. */
#define NAMESPACES_MAX 32

ContainerState *container_state_free(ContainerState *s) {
        if (s) {
                free(s->name);
                free(s->image);
                free(s->source);
                free(s->bundle);
                free(s);
        }
        return NULL;
}

static const char *text_at(json_object *o, const char *key) {
        json_object *value = NULL;

        if (!json_object_is_type(o, json_type_object) ||
            !json_object_object_get_ex(o, key, &value) ||
            !json_object_is_type(value, json_type_string) || json_object_get_string_len(value) == 0)
                return NULL;
        return json_object_get_string(value);
}

static json_object *object_at(json_object *o, const char *key) {
        json_object *value = NULL;

        if (json_object_is_type(o, json_type_object))
                (void)json_object_object_get_ex(o, key, &value);
        return value;
}

static int set(char **to, const char *text) {
        char *copy;

        if (!text)
                return 0;
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        free(*to);
        *to = copy;
        return 1;
}

/* Return: 0 something was said, -ENODATA, -ENOMEM. */
static int set_both(ContainerState *s, const char *name, const char *image) {
        int a = set(&s->name, name), b = set(&s->image, image);

        if (a < 0 || b < 0)
                return -ENOMEM;
        return a + b > 0 ? 0 : -ENODATA;
}

static json_object *parse(const char *text, size_t n_bytes) {
        struct json_tokener *t = json_tokener_new_ex(DEPTH_MAX);
        json_object *o;

        if (!t || n_bytes > INT_MAX) {
                json_tokener_free(t);
                return NULL;
        }
        o = json_tokener_parse_ex(t, text, (int)n_bytes);
        json_tokener_free(t);
        return o;
}

static int take_docker(json_object *o, ContainerState *s) {
        const char *name = text_at(o, "Name");

        return set_both(s, name && name[0] == '/' ? name + 1 : name,
                        text_at(object_at(o, "Config"), "Image"));
}

/* "metadata" is JSON in a string. */
static int take_storage(json_object *list, const char *id, ContainerState *s) {
        for (size_t i = 0;
             json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
             i++) {
                json_object *o = json_object_array_get_idx(list, i), *metadata = NULL;
                const char *own = text_at(o, "id"), *text = text_at(o, "metadata");
                json_object *names = object_at(o, "names"), *first = NULL;
                int r;

                if (!own || strcmp(own, id) != 0)
                        continue;
                if (text)
                        metadata = parse(text, strlen(text));
                if (json_object_is_type(names, json_type_array) &&
                    json_object_array_length(names) > 0)
                        first = json_object_array_get_idx(names, 0);
                r = set_both(s,
                             json_object_is_type(first, json_type_string)
                                     ? json_object_get_string(first)
                                     : NULL,
                             text_at(metadata, "image-name"));
                json_object_put(metadata);
                return r;
        }
        return -ENODATA;
}

static int take_oci(json_object *o, ContainerState *s) {
        static const char *const names[] = {"io.kubernetes.cri.container-name", "nerdctl/name",
                                            "io.kubernetes.container.name", NULL};
        static const char *const images[] = {"io.kubernetes.cri.image-name",
                                             "io.kubernetes.cri-o.ImageName",
                                             "org.opencontainers.image.ref.name", NULL};
        json_object *annotations = object_at(o, "annotations");
        const char *name = NULL, *image = NULL;

        for (size_t i = 0; names[i] && !name; i++)
                name = text_at(annotations, names[i]);
        for (size_t i = 0; images[i] && !image; i++)
                image = text_at(annotations, images[i]);
        return set_both(s, name, image);
}

/* runc: {"config":{"labels":["bundle=/x"]}}, crun: {"bundle":"/x"} */
static int take_runtime(json_object *o, ContainerState *s) {
        json_object *labels = object_at(object_at(o, "config"), "labels");
        int r = set(&s->bundle, text_at(o, "bundle"));

        for (size_t i = 0; r == 0 && json_object_is_type(labels, json_type_array) &&
                           i < json_object_array_length(labels);
             i++) {
                json_object *label = json_object_array_get_idx(labels, i);

                if (json_object_is_type(label, json_type_string) &&
                    strncmp(json_object_get_string(label), "bundle=/", 8) == 0)
                        r = set(&s->bundle, json_object_get_string(label) + 7);
        }
        return r < 0 ? r : r > 0 ? 0 : -ENODATA;
}

int container_state_parse(ContainerFormat format, const char *text, size_t n_bytes, const char *id,
                          ContainerState *s) {
        json_object *o = parse(text, n_bytes);
        int r = -EBADMSG;

        if (!o)
                return r;
        switch (format) {
        case CONTAINER_DOCKER:
                r = take_docker(o, s);
                break;
        case CONTAINER_STORAGE:
                r = take_storage(o, id, s);
                break;
        case CONTAINER_OCI:
                r = take_oci(o, s);
                break;
        case CONTAINER_RUNTIME:
                r = take_runtime(o, s);
                break;
        }
        json_object_put(o);
        return r;
}

/* Return: as container_state_parse(), and -errno of reading. */
static int try_file(int root_fd, ContainerFormat format, const char *path, const char *id,
                    ContainerState *s) {
        _cleanup_buffer_ Buffer text = {0};
        int r = small_file_read(root_fd, path, CONTAINER_STATE_BYTES_MAX, &text);

        if (r >= 0)
                r = container_state_parse(format, text.bytes, text.n_bytes, id, s);
        if (r >= 0 && set(&s->source, path) < 0)
                r = -ENOMEM;
        return r;
}

static int try_format(int root_fd, ContainerFormat kind, const char *id, ContainerState *s,
                      const char *format) {
        char path[PATH_MAX];
        const char *at = strstr(format, "ID");
        int n = snprintf(path, sizeof(path), "%.*s%s%s", (int)(at - format), format, id, at + 2);

        return (size_t)n < sizeof(path) ? try_file(root_fd, kind, path, id, s) : -ENAMETOOLONG;
}

/* /run/containerd/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json */
static int try_containerd(int root_fd, const char *id, ContainerState *s) {
        static const char tasks[] = "/run/containerd/io.containerd.runtime.v2.task";
        _cleanup_small_file_names_ SmallFileNames l = {0};
        char path[PATH_MAX];
        int r = small_file_list(root_fd, tasks, &l);

        for (size_t i = 0; i < l.n && i < NAMESPACES_MAX; i++) {
                int n = snprintf(path, sizeof(path), "%s/%s/%s/config.json", tasks, l.names[i], id);

                if ((size_t)n < sizeof(path))
                        r = try_file(root_fd, CONTAINER_OCI, path, id, s);
                if (r >= 0 || r == -ENOMEM)
                        return r;
        }
        return -ENODATA;
}

/* Where the runtime itself says where its bundle is. */
static int try_runtimes(int root_fd, const char *id, ContainerState *s) {
        static const char *const formats[] = {"/run/runc/ID/state.json", "/run/crun/ID/status"};
        int r = -ENODATA;

        for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]) && r < 0; i++)
                r = try_format(root_fd, CONTAINER_RUNTIME, id, s, formats[i]);
        if (r >= 0) {
                char path[PATH_MAX];

                if ((size_t)snprintf(path, sizeof(path), "%s/config.json", s->bundle) <
                    sizeof(path))
                        (void)try_file(root_fd, CONTAINER_OCI, path, id, s);
        }
        return r;
}

int container_state_find(int root_fd, const char *runtime, const char *id,
                         ContainerState **ret_state) {
        ContainerState *s = calloc(1, sizeof(*s));
        int r = -ENODATA;

        if (!s)
                return -ENOMEM;
        if (strchr(id, '/') || id[0] == '.') {
                container_state_free(s);
                return -ENODATA;
        }
        if (!runtime || strcmp(runtime, "docker") == 0)
                r = try_format(root_fd, CONTAINER_DOCKER, id, s,
                               "/var/lib/docker/containers/ID/config.v2.json");
        if (r < 0 && r != -ENOMEM)
                r = try_file(root_fd, CONTAINER_STORAGE,
                             "/var/lib/containers/storage/overlay-containers/containers.json", id,
                             s);
        if (r < 0 && r != -ENOMEM)
                r = try_containerd(root_fd, id, s);
        if (r < 0 && r != -ENOMEM)
                r = try_runtimes(root_fd, id, s);
        if (r < 0) {
                container_state_free(s);
                return r == -ENOMEM ? r : -ENODATA;
        }
        *ret_state = s;
        return 0;
}
