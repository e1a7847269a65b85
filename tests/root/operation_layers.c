/* SPDX-License-Identifier: MIT */

/*
 * See operation.h: what is done to an overlay's lower layer, of which the kernel keeps whiteouts,
 * copies and marks in the upper one; whoever looks at the overlay sees it go as anything else.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "harness.h"
#include "operation.h"

/* In the directory of the operation, in the lower layer: d/1 to d/3 and e/1 to e/3. */
void operation_fill_layer(const char *lower, const Operation *list) {
        static const char *const directories[] = {"d", "e"};

        for (; list->name; list++) {
                _cleanup_free_ char *row = harness_format("%s/%s", lower, list->name);

                harness_mkdir(row);
                for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
                        _cleanup_free_ char *d = harness_format("%s/%s", row, directories[i]);

                        harness_mkdir(d);
                        for (int k = 1; k <= 3; k++) {
                                _cleanup_free_ char *file = harness_format("%s/%d", d, k);

                                harness_touch(file);
                        }
                }
        }
}

static void copy_up(const OperationPlace *p, const char *name) {
        _cleanup_free_ char *path = operation_path(p, name);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

        harness_assert(fd >= 0 && write(fd, "x", 1) == 1, "%s: %m", path);
}

/* Until what was deleted has been read. */
#define READING_SEC 0.1

/*
 * Of a lower directory of an overlay that is marked as a whole, the kernel does not say which one
 * was removed, only its name: what was in it can be located only as long as it is there.
 */
static void remove_directory(OperationPlace *p, const char *name) {
        char *path = operation_path(p, name);
        struct stat was = operation_look(path);

        if (p->fs.kind == FS_OVERLAY_EXPORT)
                harness_sleep(READING_SEC);
        harness_assert(rmdir(path) == 0, "rmdir %s: %m", path);
        operation_expect(p, "rmdir", path, &was, &p->own);
}

static void unlink_all(OperationPlace *p, const char *name) {
        for (int i = 1; i <= 3; i++) {
                _cleanup_free_ char *file = harness_format("%s/%d", name, i);

                operation_unlink(p, operation_path(p, file));
        }
}

static void unlink_lower_files(OperationPlace *p) {
        unlink_all(p, "d");
}

static void unlink_files_that_were_copied_up(OperationPlace *p) {
        copy_up(p, "d/1");
        copy_up(p, "d/3");
        unlink_all(p, "d");
}

static void unlink_what_hides_a_whiteout(OperationPlace *p) {
        operation_unlink(p, operation_path(p, "d/1"));
        operation_unlink(p, operation_file(p, "d/1"));
}

static void remove_a_lower_directory(OperationPlace *p) {
        unlink_all(p, "d");
        remove_directory(p, "d");
        copy_up(p, "e/2");
        unlink_all(p, "e");
        remove_directory(p, "e");
}

/* Made again, it hides what is below: an opaque directory. */
static void remove_an_opaque_directory(OperationPlace *p) {
        unlink_all(p, "d");
        remove_directory(p, "d");
        operation_directory(p, "d");
        operation_unlink(p, operation_file(p, "d/1"));
        operation_file(p, "d/new");
        operation_unlink(p, operation_path(p, "d/new"));
        remove_directory(p, "d");
}

static void move_a_lower_file(OperationPlace *p) {
        char *from = operation_path(p, "d/1"), *to = operation_path(p, "e/moved");
        struct stat was = operation_look(from);

        harness_assert(rename(from, to) == 0, "rename %s: %m", from);
        operation_expect_move(p, from, to, &was, &p->own);
        operation_unlink(p, to);
}

static void move_over_a_lower_file(OperationPlace *p) {
        char *lost = operation_path(p, "d/1"), *from = operation_file(p, "new");
        struct stat was = operation_look(lost);

        harness_assert(rename(from, lost) == 0, "rename %s: %m", from);
        operation_expect_overwrite(p, lost, from, &was, &p->own);
}

/* With redirect_dir=on it may keep its files where they are, below another name. */
static void move_a_lower_directory(OperationPlace *p) {
        char *from = operation_path(p, "d"), *to = operation_path(p, "moved");
        struct stat was = operation_look(from);

        harness_assert(rename(from, to) == 0, "rename %s: %m", from);
        operation_expect_move(p, from, to, &was, &p->own);
        unlink_all(p, "moved");
        remove_directory(p, "moved");
}

#define ROW(name)                                                                                  \
        { #name, name }

const Operation operations_on_layers[] = {
        ROW(unlink_lower_files),
        ROW(unlink_files_that_were_copied_up),
        ROW(unlink_what_hides_a_whiteout),
        ROW(remove_a_lower_directory),
        ROW(remove_an_opaque_directory),
        ROW(move_a_lower_file),
        ROW(move_over_a_lower_file),
        ROW(move_a_lower_directory),
        {0},
};
