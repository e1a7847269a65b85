/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Paths as components.  Names are bytes; '/' and NUL are the only ones with a meaning.
 */

#include <stdbool.h>
#include <stddef.h>

/* Limit of symlinks followed by path_resolve(), as the kernel's own (fs/namei.c MAXSYMLINKS). */
#define PATH_SYMLINKS_MAX 40

/*
 * path_is_within() - is `path` the same as `prefix` or below it, by whole components
 *
 * Both absolute and normal (no "//", no trailing '/' except the root itself).
 */
bool path_is_within(const char *path, size_t n_path, const char *prefix, size_t n_prefix);

/* Length of the directory part of a normal absolute path: "/a/b" 2, "/a" 1 ("/"), "/" 1. */
size_t path_directory_length(const char *path, size_t n_path);

/*
 * path_length_less_deleted() - length of what /proc calls a thing, without " (deleted)" behind it
 *
 * The kernel puts that behind the name of what is gone; but a thing may be called so, and only its
 * link count tells the two apart.
 *
 * Return: n_path when it does not end so, or is nothing else.
 */
size_t path_length_less_deleted(const char *path, size_t n_path);

/*
 * path_resolve() - make a path absolute and free of symlinks, "." and ".."
 * @path:     absolute, or relative to the working directory
 * @ret_path: newly allocated
 *
 * Like realpath(3), but a tail that does not exist yet is kept as it is written (its ".." taken
 * textually); the target of a dangling symlink counts as such a tail.
 *
 * Return: 0, -ENOENT empty path, -ELOOP, -ENOTDIR a non-directory has components below it,
 * -ENAMETOOLONG, -EACCES and others as lstat(2) and readlink(2) give them, -ENOMEM.
 */
int path_resolve(const char *path, char **ret_path);
