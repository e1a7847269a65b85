/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From a process's control group to the container that it runs in.  Pure.
 *
 * Source: those that name the groups: docker (moby, daemon/oci_linux.go), podman
 * (libpod/container_internal_linux.go), containerd's CRI plugin and nerdctl, cri-o
 * (internal/config/cgmgr), the kubelet (pkg/kubelet/cm), systemd-nspawn and machined, LXC
 * (src/lxc/cgroups/cgfsng.c).
 */

#include <stddef.h>

/* Pieces of a cgroup path; each borrowed from it, NULL when it names none. */
typedef struct ContainerRef {
        const char *runtime; /* static string; NULL also where the path has the id alone */
        const char *id;      /* nspawn: a machine's name, escaped as a unit's, see unit_name.h */
        size_t n_id;
        const char *pod_uid; /* of Kubernetes; see container_pod_uid() */
        size_t n_pod_uid;
} ContainerRef;

/*
 * container_parse() - the innermost container that a cgroup path names
 *
 * Understood: docker, podman, containerd (CRI, nerdctl, ctr), cri-o, with the kubelet's pods by
 * both of its cgroup drivers; systemd-nspawn, libvirt-lxc, LXC (also LXD, Incus, Proxmox).  Those
 * that watch over a container (conmon, LXC's monitor, nspawn's supervisor) are not in it, but in
 * the one around it, if any.
 *
 * Limits: what is below a container or a user's manager is named by whoever lives there, so a
 * process with cgroups of its own can claim to be in a container that does not exist.  Below a pod
 * of the kubelet's cgroupfs driver docker and containerd use the same names: then there is no
 * runtime.  So it is with an id below a parent of the administrator's (docker run
 * --cgroup-parent).  A container without a group of its own (podman run --cgroups=disabled) is not
 * seen, nor is one by "ctr run" in a namespace other than "default" and "k8s.io".
 */
void container_parse(const char *path, size_t n_path, ContainerRef *ret_container);

/* Bytes of a pod's uid, with the NUL. */
#define CONTAINER_POD_UID_BYTES 37

/*
 * container_pod_uid() - the pod's uid as kubectl shows it
 *
 * In the name of a slice its dashes are underscores.  Empty when the path names no pod.
 */
void container_pod_uid(const ContainerRef *c, char ret_uid[static CONTAINER_POD_UID_BYTES]);

/* Bytes of a container's id or name, with the NUL: a directory's name at most. */
#define CONTAINER_NAME_BYTES 256

/*
 * container_name() - the id, or of systemd-nspawn the machine's name as machinectl shows it
 *
 * An unescaped name can hold any byte but NUL.  Empty when the path names no container.
 */
void container_name(const ContainerRef *c, char ret_name[static CONTAINER_NAME_BYTES]);
