/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "truth.h"

/*
 * Makes a tree of n_dirs directories below a new one at path, up to ten in each, with n_files
 * files spread over them, and writes down that `process` will remove all of it. Inodes included.
 */
void tree_make(const char *path, size_t n_dirs, size_t n_files, Truth *t, const Process *process);
