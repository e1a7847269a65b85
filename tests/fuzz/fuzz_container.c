/* SPDX-License-Identifier: MIT */

/* A cgroup path. */

#include "fuzz.h"
#include "identify/container.h"

static bool is_hex(const char *at, size_t n) {
        for (size_t i = 0; i < n; i++)
                if ((at[i] < '0' || at[i] > '9') && (at[i] < 'a' || at[i] > 'f'))
                        return false;
        return true;
}

static bool is_free_name(const char *runtime) {
        return runtime &&
               (strcmp(runtime, "lxc") == 0 || strcmp(runtime, "libvirt-lxc") == 0 ||
                strcmp(runtime, "systemd-nspawn") == 0 || strcmp(runtime, "containerd") == 0);
}

static void check_container(const ContainerRef *c, const char *path, size_t n_path) {
        char uid[CONTAINER_POD_UID_BYTES], name[CONTAINER_NAME_BYTES];

        fuzz_check_borrowed(c->id, c->n_id, path, n_path);
        fuzz_check_borrowed(c->pod_uid, c->n_pod_uid, path, n_path);
        fuzz_check(!c->runtime || c->id);

        if (c->id) {
                fuzz_check(c->n_id > 0);
                if (!is_free_name(c->runtime))
                        fuzz_check(c->n_id == 64 && is_hex(c->id, c->n_id));
                /* What is a name can be printed as it is. */
                for (size_t i = 0; i < c->n_id; i++)
                        fuzz_check(c->id[i] > ' ' && c->id[i] < 0x7f && c->id[i] != '/');
        }

        if (c->pod_uid)
                fuzz_check(c->n_pod_uid == 36 || c->n_pod_uid == 32);
        container_pod_uid(c, uid);
        fuzz_check(strlen(uid) == c->n_pod_uid);
        fuzz_check(!strchr(uid, '_'));
        container_name(c, name);
        fuzz_check((name[0] != '\0') == (c->id != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
        ContainerRef c;

        container_parse((const char *)bytes, n_bytes, &c);
        check_container(&c, (const char *)bytes, n_bytes);
        return 0;
}
