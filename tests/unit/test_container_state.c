/* SPDX-License-Identifier: MIT */

/* Where runtimes write down what a container is. */

#include "explain/container_state.h"

#include "fixtures_explain.h"

static const struct {
        const char *path, *text, *runtime;
        const char *name, *image;
} cases[] = {
        {"/var/lib/docker/containers/abc/config.v2.json",
         "{\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1.25\"}}", "docker", "web",
         "nginx:1.25"},
        {"/var/lib/containers/storage/overlay-containers/containers.json",
         "[{\"id\":\"ab\",\"names\":[\"x\"]},{\"id\":\"abc\",\"names\":[\"web\",\"y\"],"
         "\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/nginx\\\"}\"}]",
         "podman", "web", "docker.io/nginx"},
        {"/run/containerd/io.containerd.runtime.v2.task/k8s.io/abc/config.json",
         "{\"annotations\":{\"io.kubernetes.cri.image-name\":\"nginx\","
         "\"io.kubernetes.cri.container-name\":\"web\"}}",
         "containerd", "web", "nginx"},
};

START_TEST(test_find) {
        ContainerState *s = NULL;

        tree_write(cases[_i].path, cases[_i].text);
        ck_assert_int_eq(container_state_find(tree_fd, cases[_i].runtime, "abc", &s), 0);
        ck_assert_str_eq(s->name, cases[_i].name);
        ck_assert_str_eq(s->image, cases[_i].image);
        ck_assert_str_eq(s->source, cases[_i].path);
        container_state_free(s);
        ck_assert_int_eq(container_state_find(tree_fd, cases[_i].runtime, "abd", &s), -ENODATA);
        ck_assert_int_eq(container_state_find(tree_fd, NULL, "abc", &s), 0);
        container_state_free(s);
}
END_TEST

/* runc and crun only say where their bundle is, and that may say what it is. */
START_TEST(test_runtimes) {
        char text[1024], path[512];
        ContainerState *s = NULL;

        tree_write("/bundle/config.json",
                   "{\"annotations\":{\"org.opencontainers.image.ref.name\":\"x:1\"}}");
        snprintf(text, sizeof(text), "{\"config\":{\"labels\":[\"a=b\",\"bundle=/bundle\"]}}");
        tree_write("/run/runc/one/state.json", text);
        ck_assert_int_eq(container_state_find(tree_fd, NULL, "one", &s), 0);
        ck_assert_str_eq(s->image, "x:1");
        ck_assert_str_eq(s->bundle, "/bundle");
        snprintf(path, sizeof(path), "/bundle/config.json");
        ck_assert_str_eq(s->source, path);
        container_state_free(s);
        tree_write("/run/crun/two/status", "{\"bundle\":\"/nowhere\"}");
        ck_assert_int_eq(container_state_find(tree_fd, NULL, "two", &s), 0);
        ck_assert_ptr_null(s->image);
        ck_assert_str_eq(s->source, "/run/crun/two/status");
        container_state_free(s);
}
END_TEST

/* An id is a name of a directory, and no way to another. */
START_TEST(test_hostile) {
        ContainerState *s = NULL;

        tree_write("/x/config.v2.json", "{\"Name\":\"y\"}");
        tree_write("/var/lib/docker/containers/odd/config.v2.json", "{\"Name\":[1],\"Config\":3}");
        tree_write("/var/lib/docker/containers/cut/config.v2.json", "{\"Name\":\"x");
        ck_assert_int_eq(container_state_find(tree_fd, NULL, "../../../../x", &s), -ENODATA);
        ck_assert_int_eq(container_state_find(tree_fd, NULL, "..", &s), -ENODATA);
        ck_assert_int_eq(container_state_find(tree_fd, NULL, "odd", &s), -ENODATA);
        ck_assert_int_eq(container_state_find(tree_fd, NULL, "cut", &s), -ENODATA);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("container_state");

        tcase_add_checked_fixture(t, tree_setup, tree_teardown);
        tcase_add_loop_test(t, test_find, 0, sizeof(cases) / sizeof(cases[0]));
        tcase_add_test(t, test_runtimes);
        tcase_add_test(t, test_hostile);
        return unit_run("container_state", t);
}
