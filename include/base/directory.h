/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Listing a directory without leaving a trace in it.
 */

#include <dirent.h>

/*
 * directory_list() - open a directory for readdir(3)
 * @directory_fd: any descriptor of it, O_PATH too; stays the caller's
 * @path:         below it; "." for itself; symlinks are not followed at its end
 *
 * Its access time stays as it is where that is allowed to us: what cleans up by age goes by it.
 * Return: to be closed by closedir(3); NULL with errno of openat(2) or fdopendir(3).
 */
DIR *directory_list(int directory_fd, const char *path);
