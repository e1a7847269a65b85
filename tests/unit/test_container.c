/* SPDX-License-Identifier: MIT */

/*
 * The container that a cgroup path names.  Where a row says from where, the path is as it stands
 * there, with the mount point of the hierarchy taken off.
 */

#include <string.h>

#include "base/cleanup.h"
#include "identify/container.h"
#include "unit.h"

#define ID "a2bc7b153f034b17f358cde43a7f8c7475147e8a0d1b2573c26473244ec44ce4"
#define OTHER_ID "788e0c1f2b3a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70819223344174"
#define POD "5759a1ae-36ca-48a8-b20a-b0b5c8a90fb8"
#define POD_SLICE "kubepods-besteffort-pod5759a1ae_36ca_48a8_b20a_b0b5c8a90fb8.slice"

typedef struct Row {
        const char *path;
        const char *runtime, *id, *pod_uid;
} Row;

static const Row real[] = {
        /* ctrsploit/ctrsploit#280, docker's cgroupfs driver */
        {"/docker/2403ccfe427f1dc7b6120dccb9ac58c2f8456950380d587a9f33ea7f00dd303d", "docker",
         "2403ccfe427f1dc7b6120dccb9ac58c2f8456950380d587a9f33ea7f00dd303d", NULL},
        /* neuvector/neuvector, share/system/cgroup_test.go */
        {"/system.slice/"
         "docker-9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d.scope",
         "docker", "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d", NULL},
        /* docker/docs#14545, rootless */
        {"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope", "docker",
         ID, NULL},
        /* neuvector, the same file: docker of Debian with no parent at all */
        {"/4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970", NULL,
         "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970", NULL},
        /* moby/moby#12985, docker in docker */
        {"/docker/bd6b01baed26da2908c6b676c41060e63717007a647de6e6139846e7a89f4990/docker/"
         "ea530a3d6b4c1db55dba6c9c8815eafdb0c4acbd475cefb32102a8fef43865a4",
         "docker", "ea530a3d6b4c1db55dba6c9c8815eafdb0c4acbd475cefb32102a8fef43865a4", NULL},
        /* jpetazzo/dind#87, with the ids written out */
        {"/system.slice/docker-" ID ".scope/docker/" OTHER_ID, "docker", OTHER_ID, NULL},
        /* falcosecurity/libs#1613 */
        {"/machine.slice/libpod-" ID ".scope/container", "podman", ID, NULL},
        {"/machine.slice/libpod-conmon-" ID ".scope", NULL, NULL, NULL},
        /* containers/podman#20423, root's own user manager */
        {"/user.slice/user-0.slice/user@0.service/machine.slice/"
         "libpod-cf21d19260ace8544fe8b769fc2638bf2c0873dfbfff0b6253f0569b26a1d5eb.scope/container",
         "podman", "cf21d19260ace8544fe8b769fc2638bf2c0873dfbfff0b6253f0569b26a1d5eb", NULL},
        /* containers/podman#6400, rootless in a pod */
        {"/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_" OTHER_ID
         ".slice/libpod-" ID ".scope/container",
         "podman", ID, NULL},
        /* containers/podman#20910 and containers/crun#376: podman itself, no container */
        {"/user.slice/user-10000.slice/user@10000.service/user.slice/podman-239302.scope", NULL,
         NULL, NULL},
        /* containers/podman#16589, quadlet */
        {"/system.slice/quadlet-minimal.service/libpod-payload-"
         "91c57c2ae87a8d57123bbb3083b3e158b911c4fd485da131f636f83f979b092c",
         "podman", "91c57c2ae87a8d57123bbb3083b3e158b911c4fd485da131f636f83f979b092c", NULL},
        {"/system.slice/quadlet-minimal.service/runtime", NULL, NULL, NULL},
        /* "CgroupPath" of podman inspect, cgroupfs driver; containers/podman#21877 for conmon */
        {"/libpod_parent/libpod-cf594798841275880f780c2aa55954b2d218b92a7c82df039aef02e2f4fe83f1",
         "podman", "cf594798841275880f780c2aa55954b2d218b92a7c82df039aef02e2f4fe83f1", NULL},
        {"/libpod_parent/conmon", NULL, NULL, NULL},
        /* tkestack/vcuda-controller#19 */
        {"/kubepods.slice/kubepods-pod019c1fe8_0d92_4aa0_b61c_4df58bdde71c.slice/"
         "cri-containerd-9e073649debeec6d511391c9ec7627ee67ce3a3fb508b0fa0437a97f8e58ba98.scope",
         "containerd", "9e073649debeec6d511391c9ec7627ee67ce3a3fb508b0fa0437a97f8e58ba98",
         "019c1fe8-0d92-4aa0-b61c-4df58bdde71c"},
        /* netdata/netdata#4868, a static pod */
        {"/kubepods.slice/kubepods-burstable.slice/"
         "kubepods-burstable-pod187bff14cccb94f179e943eacce55bb3.slice/"
         "cri-containerd-c203a2647ef1ad78e990157c50331f3b6ef0b33336cf08535d6bf7faa5421415.scope",
         "containerd", "c203a2647ef1ad78e990157c50331f3b6ef0b33336cf08535d6bf7faa5421415",
         "187bff14cccb94f179e943eacce55bb3"},
        /* containerd/nri#227, kind */
        {"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
         "kubelet-kubepods-besteffort-pod1e597579_417e_482f_bf65_5fe170c3aebd.slice/"
         "cri-containerd-d7dfb4a21fe1703a8537e60d5af248af729315d187b24a538102d14874c8117d.scope",
         "containerd", "d7dfb4a21fe1703a8537e60d5af248af729315d187b24a538102d14874c8117d",
         "1e597579-417e-482f-bf65-5fe170c3aebd"},
        /* open-telemetry/opentelemetry-java#4507 */
        {"/kubepods-besteffort-pod0125ec2f_b64a_4868_8f5b_94b56cbab864.slice:cri-containerd:"
         "ee4b20e90ac7f42a10bd004d05646b13d8ab5e2c5e7cbc01abf8006bac016459",
         "containerd", "ee4b20e90ac7f42a10bd004d05646b13d8ab5e2c5e7cbc01abf8006bac016459",
         "0125ec2f-b64a-4868-8f5b-94b56cbab864"},
        /* elastic/apm-agent-nodejs#3550 */
        {"/system.slice/containerd.service/"
         "kubepods-burstable-podff49d0be_16b7_4a49_bb9e_8ec1f1f4e27f.slice:cri-containerd:"
         "0f99ad5f45163ed14ab8eaf92ed34bb4a631d007f8755a7d79be614bcb0df0ef",
         "containerd", "0f99ad5f45163ed14ab8eaf92ed34bb4a631d007f8755a7d79be614bcb0df0ef",
         "ff49d0be-16b7-4a49-bb9e-8ec1f1f4e27f"},
        /* containerd/cri#290, a pod without the kubelet */
        {"/system.slice/system-getty.slice/"
         "cri-containerd-0e768f8db752fcd648adb264498daa1d8f31562320e881d6a9ec593d24b1f779.scope",
         "containerd", "0e768f8db752fcd648adb264498daa1d8f31562320e881d6a9ec593d24b1f779", NULL},
        /* falcosecurity/plugins#1378 */
        {"/system.slice/nerdctl-" ID ".scope", "containerd", ID, NULL},
        /* containerd/containerd#1617, "ctr run" in its default namespace; and in one called "to" */
        {"/default/redis", "containerd", "redis", NULL},
        {"/to/redis", NULL, NULL, NULL},
        /* duckdb/duckdb#16608 with docker, kinvolk/traceloop#34 with containerd: no telling */
        {"/kubepods/burstable/podc101fead-5fa2-4525-97af-5894973b336e/"
         "2b7a2f7fb72575bb50a46d68cceaf43a12a597184714cb33af2f6420f5314293",
         NULL, "2b7a2f7fb72575bb50a46d68cceaf43a12a597184714cb33af2f6420f5314293",
         "c101fead-5fa2-4525-97af-5894973b336e"},
        {"/kubepods/besteffort/pod91a8fc3a-0ecf-48b4-81bf-78a7275d348c/"
         "f75aff467357c5d0ddd47cb7ad87ed38746e018992586ff66198a5c11218f634",
         NULL, "f75aff467357c5d0ddd47cb7ad87ed38746e018992586ff66198a5c11218f634",
         "91a8fc3a-0ecf-48b4-81bf-78a7275d348c"},
        /* cri-o/cri-o#842, docker with the kubelet */
        {"/kubepods.slice/kubepods-burstable.slice/"
         "kubepods-burstable-pod90d81341_92de_11e7_8cf2_507b9d4141fa.slice/"
         "docker-2227daf62df6694645fee5df53c1f91271546a9560e8600a525690ae252b7f63.scope/",
         "docker", "2227daf62df6694645fee5df53c1f91271546a9560e8600a525690ae252b7f63",
         "90d81341-92de-11e7-8cf2-507b9d4141fa"},
        /* opencontainers/runc#4620 */
        {"/kubepods.slice/kubepods-burstable.slice/"
         "kubepods-burstable-poda5c1f8d5_1919_434d_add7_4afaafdaef89.slice/"
         "crio-5eed917563583925ffdbd40a64efb2aaffe58638e57add8becaf460fe74f5b1c.scope",
         "cri-o", "5eed917563583925ffdbd40a64efb2aaffe58638e57add8becaf460fe74f5b1c",
         "a5c1f8d5-1919-434d-add7-4afaafdaef89"},
        {"/kubepods.slice/kubepods-burstable.slice/"
         "kubepods-burstable-pod207aaad1_659f_4db8_88e0_46e0cdcc3004.slice/crio-conmon-"
         "32da98c8522068be05a7510a3eddb09cad6ed2f03286180d0e931d0d0b6224a6.scope",
         NULL, NULL, "207aaad1-659f-4db8-88e0-46e0cdcc3004"},
        /* openshift/microshift#697 */
        {"/system.slice/"
         "crio-conmon-e0c85fe7644a858988d9687c2e0736a7d31922740d0f3e001c6b2e0aa7e5f528.scope",
         NULL, NULL, NULL},
        /* cri-o/cri-o#812, its cgroupfs driver */
        {"/kubepods/besteffort/pod" POD "/crio-" ID, "cri-o", ID, POD},
        {"/kubepods/besteffort/pod" POD "/crio-conmon-" ID, NULL, NULL, POD},
        /* kubernetes/minikube#11280, cri-o in docker */
        {"/docker/d6701ec289c56e4391acb11d07474b3139466857a305490575508a8b7a9fcf22/kubepods.slice/"
         "kubepods-besteffort.slice/"
         "kubepods-besteffort-pod2ca4a155_3599_498d_bb9d_4446693fa3ea.slice/"
         "crio-0ba8ac17e4e7a31fb82279503552fe94e64bab4745bf6fd2ff231e7c8ca8bed0.scope",
         "cri-o", "0ba8ac17e4e7a31fb82279503552fe94e64bab4745bf6fd2ff231e7c8ca8bed0",
         "2ca4a155-3599-498d-bb9d-4446693fa3ea"},
        {"/docker/d6701ec289c56e4391acb11d07474b3139466857a305490575508a8b7a9fcf22/system.slice/"
         "crio.service",
         "docker", "d6701ec289c56e4391acb11d07474b3139466857a305490575508a8b7a9fcf22", NULL},
        /* systemd/systemd#38440; #18104 for payload */
        {"/machine.slice/machine-TEST\\x2d13\\x2dNSPAWN.machinectl\\x2dbind.7ye.scope/payload",
         "systemd-nspawn", "TEST\\x2d13\\x2dNSPAWN.machinectl\\x2dbind.7ye", NULL},
        /* systemd.special(7), systemd-nspawn(1); systemd/systemd#30352 for what is inside */
        {"/machine.slice/systemd-nspawn@testarch.service/payload/system.slice/dbus.service",
         "systemd-nspawn", "testarch", NULL},
        {"/machine.slice/systemd-nspawn@testarch.service/supervisor", NULL, NULL, NULL},
        /* libvirt, docs/cgroups.rst */
        {"/machine.slice/machine-qemu\\x2d1\\x2ddemo.scope/libvirt/emulator", NULL, NULL, NULL},
        {"/machine.slice/machine-lxc\\x2d12345\\x2ddemo.scope/libvirt", "libvirt-lxc",
         "lxc\\x2d12345\\x2ddemo", NULL},
        /* canonical/lxd#9134 */
        {"/lxc.payload.ns2/system.slice/cron.service", "lxc", "ns2", NULL},
        {"/lxc.monitor.ns2", NULL, NULL, NULL},
        /* lxc/lxc#3373, lxc-attach */
        {"/lxc.payload.test/.lxc", "lxc", "test", NULL},
        /* netdata/netdata#3199; draios/sysdig#1344 for LXC 3.1 */
        {"/lxc/deloittedigi/system.slice/php7.1-fpm.service", "lxc", "deloittedigi", NULL},
        {"/lxc.payload/deloittedigi/init.scope", "lxc", "deloittedigi", NULL},
        {"/lxc.monitor/deloittedigi", NULL, NULL, NULL},
        /* Proxmox VE, pve-container: "ns" is made for the container's own cgroups */
        {"/lxc/101/ns/init.scope", "lxc", "101", NULL},
        /* lxc/lxc#2301, LXC in docker */
        {"/docker/19c8414ae5278d14bcf9e8b25b44012ac696f4626867e47b749caa237d489a0b/lxc/u1", "lxc",
         "u1", NULL},
};

/* What nobody's machine has shown, but someone may make, or that runs next to a container. */
static const Row hostile[] = {
        {"", NULL, NULL, NULL},
        {"/", NULL, NULL, NULL},
        {"///", NULL, NULL, NULL},
        {"/init.scope", NULL, NULL, NULL},
        {"/user.slice/user-1000.slice/session-3.scope", NULL, NULL, NULL},
        {"/system.slice/docker.service", NULL, NULL, NULL},
        {"/system.slice/docker.socket", NULL, NULL, NULL},
        {"/system.slice/containerd.service", NULL, NULL, NULL},
        {"/docker", NULL, NULL, NULL},
        {"/docker/buildkit", NULL, NULL, NULL},
        /* almost an id */
        {"/docker/2403ccfe427f", NULL, NULL, NULL},
        {"/docker/" ID "0", NULL, NULL, NULL},
        {"/docker/A2BC7B153F034B17F358CDE43A7F8C7475147E8A0D1B2573C26473244EC44CE4", NULL, NULL,
         NULL},
        {"/docker/g2bc7b153f034b17f358cde43a7f8c7475147e8a0d1b2573c26473244ec44ce4", NULL, NULL,
         NULL},
        {"/system.slice/docker-.scope", NULL, NULL, NULL},
        {"/system.slice/docker-" ID, NULL, NULL, NULL},
        {"/system.slice/docker-" ID ".scope.d", NULL, NULL, NULL},
        {"/system.slice/xdocker-" ID ".scope", NULL, NULL, NULL},
        {"/system.slice/docker-" ID " .scope", NULL, NULL, NULL},
        {"/machine.slice/libpod-conmon-" ID ".scope/container", NULL, NULL, NULL},
        {"/machine.slice/libpod-libpod-" ID ".scope", NULL, NULL, NULL},
        {"/x:cri-containerd", NULL, NULL, NULL},
        {"/:cri-containerd:" ID, "containerd", ID, NULL},
        {"/" ID ":" ID, NULL, NULL, NULL},
        {"/x:unheard-of:" ID, NULL, NULL, NULL},
        {"/x:cri-containerd-:" ID, NULL, NULL, NULL},
        {"/x:cri-containerd:" ID ":", NULL, NULL, NULL},
        {"/:::::", NULL, NULL, NULL},
        /* almost a pod */
        {"/kubepods/podx/" ID, NULL, ID, NULL},
        {"/kubepods/pod5759a1ae_36ca_48a8_b20a_b0b5c8a90fb8/" ID, NULL, ID, NULL},
        {"/kubepods.slice/kubepods-pod" POD ".slice/crio-" ID ".scope", "cri-o", ID, NULL},
        {"/kubepods.slice/xpod5759a1ae_36ca_48a8_b20a_b0b5c8a90fb8.slice", NULL, NULL, NULL},
        {"/pod", NULL, NULL, NULL},
        {"/pod.slice/-pod.slice/.slice", NULL, NULL, NULL},
        {"/" POD_SLICE, NULL, NULL, POD},
        {"/kubepods/pod" POD, NULL, NULL, POD},
        /* the next pod takes over, what is below a container keeps its pod */
        {"/pod" POD "/" OTHER_ID "/pod187bff14cccb94f179e943eacce55bb3/" ID, NULL, ID,
         "187bff14cccb94f179e943eacce55bb3"},
        {"/" POD_SLICE "/crio-" ID ".scope/docker/" OTHER_ID, "docker", OTHER_ID, POD},
        /* conmon of a container that runs in another one */
        {"/docker/" OTHER_ID "/libpod_parent/libpod-conmon-" ID, "docker", OTHER_ID, NULL},
        {"/docker/" OTHER_ID "/libpod_parent/libpod-" ID "/conmon", "docker", OTHER_ID, NULL},
        {"/libpod_parent/libpod-" ID "/x/conmon", "podman", ID, NULL},
        {"/docker/" ID "/conmon", "docker", ID, NULL},
        {"/docker/" ID "/supervisor", "docker", ID, NULL},
        {"/" ID "/supervisor", NULL, ID, NULL},
        {"/lxc/web/systemd-nspawn@x.service/supervisor/y", "lxc", "web", NULL},
        {"/machine.slice/machine-x.scope/supervisor", NULL, NULL, NULL},
        {"/machine.slice/machine-x.scope/payload/supervisor", "systemd-nspawn", "x", NULL},
        /* names */
        {"/machine.slice/machine-.scope", NULL, NULL, NULL},
        {"/machine.slice/machine-libpod_pod_" ID ".slice", NULL, NULL, NULL},
        {"/machine.slice/machine-\033[2J.scope", NULL, NULL, NULL},
        {"/machine.slice/machine-\xff.scope", NULL, NULL, NULL},
        {"/machine.slice/machine-qemu.scope", "systemd-nspawn", "qemu", NULL},
        {"/machine.slice/machine-qemu\\x2dx\\x2dy.scope", "systemd-nspawn", "qemu\\x2dx\\x2dy",
         NULL},
        {"/machine.slice/machine-qemu\\x2d1.scope", "systemd-nspawn", "qemu\\x2d1", NULL},
        {"/machine.slice/systemd-nspawn@.service", NULL, NULL, NULL},
        {"/machine.slice/systemd-nspawn@lxc\\x2d1\\x2dx.service", "systemd-nspawn",
         "lxc\\x2d1\\x2dx", NULL},
        {"/lxc", NULL, NULL, NULL},
        {"/lxc/..", NULL, NULL, NULL},
        {"/lxc/a b", NULL, NULL, NULL},
        {"/lxc/lxc/init.scope", "lxc", "lxc", NULL},
        {"/lxc.payload.", NULL, NULL, NULL},
        {"/lxc.payload./x", NULL, NULL, NULL},
        {"/lxc.payload", NULL, NULL, NULL},
        {"/lxc.payloadx/y", NULL, NULL, NULL},
        {"/lxc.payload.lxc.payload.a", "lxc", "lxc.payload.a", NULL},
        {"/default/..", NULL, NULL, NULL},
        {"/../default/redis", NULL, NULL, NULL},
        {"/x/default/" ID, "containerd", ID, NULL},
        /* a claim of the user's, which nothing tells from rootless docker */
        {"/user.slice/user-1000.slice/user@1000.service/app.slice/docker-" ID ".scope", "docker",
         ID, NULL},
};

#define N(x) ((int)(sizeof(x) / sizeof((x)[0])))

static void check_span(const char *at, size_t n, const char *expected) {
        if (!expected) {
                ck_assert_ptr_null(at);
                ck_assert_uint_eq(n, 0);
                return;
        }
        ck_assert_ptr_nonnull(at);
        ck_assert_uint_eq(n, strlen(expected));
        ck_assert_mem_eq(at, expected, n);
}

static void check_row(const Row *row) {
        size_t n_path = strlen(row->path);
        /* Of exactly that size, so that a sanitizer sees a read past the end. */
        _cleanup_free_ char *path = malloc(n_path);
        char uid[CONTAINER_POD_UID_BYTES];
        ContainerRef c;

        ck_assert_ptr_nonnull(path);
        memcpy(path, row->path, n_path);
        container_parse(path, n_path, &c);
        check_span(c.id, c.n_id, row->id);
        ck_assert_pstr_eq(c.runtime, row->runtime);
        ck_assert((c.pod_uid != NULL) == (row->pod_uid != NULL));
        container_pod_uid(&c, uid);
        ck_assert_str_eq(uid, row->pod_uid ? row->pod_uid : "");
}

START_TEST(test_real) {
        check_row(&real[_i]);
}
END_TEST

START_TEST(test_hostile) {
        check_row(&hostile[_i]);
}
END_TEST

/* Cut anywhere, nothing is read behind the end, and a name is never without its id. */
START_TEST(test_truncated) {
        for (size_t n = 0; n < strlen(real[_i].path); n++) {
                _cleanup_free_ char *path = malloc(n);
                char uid[CONTAINER_POD_UID_BYTES];
                ContainerRef c;

                ck_assert_ptr_nonnull(path);
                memcpy(path, real[_i].path, n);
                container_parse(path, n, &c);
                container_pod_uid(&c, uid);
                ck_assert(!c.runtime || c.id);
                ck_assert_uint_le(c.n_id + c.n_pod_uid, n);
        }
}
END_TEST

/* As its own tools call it; one that cannot be unescaped stays as it is. */
START_TEST(test_name) {
        static const struct {
                const char *path, *name;
        } names[] = {
                {"/docker/" ID, ID},
                {"/machine.slice/machine-my\\x2dweb.scope", "my-web"},
                {"/machine.slice/machine-a\\x1b.scope", "a\033"},
                {"/machine.slice/machine-a\\x.scope", "a\\x"},
                {"/lxc.payload.a\\x2db", "a\\x2db"},
                {"/system.slice/cron.service", ""},
        };
        char name[CONTAINER_NAME_BYTES];
        ContainerRef c;

        container_parse(names[_i].path, strlen(names[_i].path), &c);
        container_name(&c, name);
        ck_assert_str_eq(name, names[_i].name);
}
END_TEST

/* Of any length, whatever the kernel allows for a directory. */
START_TEST(test_long_name) {
        char path[1024] = "/lxc.payload.", name[CONTAINER_NAME_BYTES];
        ContainerRef c;

        memset(path + strlen(path), 'x', 900);
        container_parse(path, strlen(path), &c);
        container_name(&c, name);
        ck_assert_uint_eq(strspn(name, "x"), CONTAINER_NAME_BYTES - 1);
        ck_assert_uint_eq(strlen(name), CONTAINER_NAME_BYTES - 1);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("container");

        tcase_add_loop_test(t, test_real, 0, N(real));
        tcase_add_loop_test(t, test_hostile, 0, N(hostile));
        tcase_add_loop_test(t, test_truncated, 0, N(real));
        tcase_add_loop_test(t, test_name, 0, 6);
        tcase_add_test(t, test_long_name);
        return unit_run("container", t);
}
