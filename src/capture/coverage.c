/* SPDX-License-Identifier: MIT */

/* From the mount table to the filesystems to be marked.  Pure. */

#include "capture/coverage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

static bool is_one_of(const char *fstype, const char *const *types) {
        for (; *types; types++)
                if (strcmp(fstype, *types) == 0)
                        return true;
        return false;
}

bool coverage_is_pseudo(const char *fstype) {
        /* cgroup2 and devtmpfs can be marked; what vanishes in cgroup2 is no file of a user's. */
        static const char *const types[] = {
                "autofs",     "binfmt_misc", "bpf",    "cgroup",   "cgroup2",
                "configfs",   "debugfs",     "devpts", "efivarfs", "fusectl",
                "mqueue",     "nsfs",        "proc",   "pstore",   "rpc_pipefs",
                "securityfs", "selinuxfs",   "sysfs",  "tracefs",  NULL,
        };

        return is_one_of(fstype, types);
}

bool coverage_is_remote(const char *fstype) {
        /* fuse.TYPE is whatever the server calls itself: those that are known to reach out. */
        static const char *const types[] = {
                "9p",           "acfs",         "afs",         "beegfs",       "ceph",
                "cifs",         "coda",         "davfs",       "fuse.ceph",    "fuse.curlftpfs",
                "fuse.gcsfuse", "fuse.gluster", "fuse.goofys", "fuse.juicefs", "fuse.rclone",
                "fuse.s3fs",    "fuse.sshfs",   "gfs2",        "glusterfs",    "lustre",
                "ncpfs",        "nfs",          "nfs4",        "ocfs2",        "orangefs",
                "smb3",         "smbfs",        "virtiofs",    "fuse.davfs",   "fuse.glusterfs",
                NULL,
        };

        return is_one_of(fstype, types);
}

void coverage_plan_done(CoveragePlan *p) {
        for (size_t i = 0; i < p->n_filesystems; i++)
                scope_set_done(&p->filesystems[i].scopes);
        free(p->filesystems);
        *p = (CoveragePlan){0};
}

static CoverageFilesystem *plan_find(const CoveragePlan *p, dev_t device) {
        for (size_t i = 0; i < p->n_filesystems; i++)
                if (p->filesystems[i].device == device)
                        return &p->filesystems[i];
        return NULL;
}

static int plan_get(CoveragePlan *p, dev_t device, CoverageFilesystem **ret) {
        CoverageFilesystem *f = plan_find(p, device);

        if (!f) {
                f = reallocarray(p->filesystems, p->n_filesystems + 1, sizeof(*f));
                if (!f)
                        return -ENOMEM;
                p->filesystems = f;
                f = &f[p->n_filesystems++];
                *f = (CoverageFilesystem){.device = device};
        }
        *ret = f;
        return 0;
}

static bool is_below_target(const Mount *m, const ScopeTarget *targets, size_t n_targets) {
        for (size_t i = 0; i < n_targets; i++)
                if (path_is_within(m->point, strlen(m->point), targets[i].path, targets[i].n_path))
                        return true;
        return false;
}

/* For each mount of the table, whether a target lies on it; NULL without memory. */
static bool *find_holders(const MountTable *table, const ScopeTarget *targets, size_t n_targets) {
        bool *holds = calloc(table->n_mounts + 1, sizeof(*holds));

        if (!holds)
                return NULL;
        for (size_t i = 0; i < n_targets; i++) {
                const Mount *m = mount_table_find(table, targets[i].path);

                if (m)
                        holds[m - table->mounts] = true;
        }
        return holds;
}

/* A mount of the whole filesystem resolves all its handles; of a part, only those below it. */
static void choose_mount(CoverageFilesystem *f, const Mount *m) {
        if (!f->mount || (strcmp(f->mount->root, "/") != 0 && strcmp(m->root, "/") == 0))
                f->mount = m;
}

int coverage_plan_make(const MountTable *table, const ScopeTarget *targets, size_t n_targets,
                       CoveragePlan *ret_plan) {
        _cleanup_coverage_plan_ CoveragePlan p = {0};
        _cleanup_free_ bool *holds = NULL;
        int r;

        /* Once: each look for a target goes through the table, which may hold thousands. */
        holds = find_holders(table, targets, n_targets);
        if (!holds)
                return -ENOMEM;

        for (size_t i = 0; i < table->n_mounts; i++) {
                const Mount *m = &table->mounts[i];
                CoverageFilesystem *f;

                if (!holds[i] &&
                    (coverage_is_pseudo(m->fstype) || !is_below_target(m, targets, n_targets) ||
                     !mount_table_is_visible(table, m)))
                        continue;
                r = plan_get(&p, m->device, &f);
                if (r < 0)
                        return r;
                f->is_asked_for = f->is_asked_for || holds[i];
                r = scope_set_add_mount(&f->scopes, m->root, m->point, m->fstype, m->source,
                                        mount_subvolume(m));
                if (r < 0)
                        return r;
                f->scopes.targets = targets;
                f->scopes.n_targets = n_targets;
                choose_mount(f, m);
        }
        /* Further mounts of the same filesystems: for handles, and for where a move went. */
        for (size_t i = 0; i < table->n_mounts; i++) {
                const Mount *m = &table->mounts[i];
                CoverageFilesystem *f = plan_find(&p, m->device);

                if (!f || holds[i] || is_below_target(m, targets, n_targets) ||
                    !mount_table_is_visible(table, m))
                        continue;
                r = scope_set_add_mount(&f->scopes, m->root, m->point, m->fstype, m->source,
                                        mount_subvolume(m));
                if (r < 0)
                        return r;
                choose_mount(f, m);
        }
        *ret_plan = p;
        p = (CoveragePlan){0};
        return 0;
}
