/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The writable layer of an overlay, from its line in mountinfo, and names that overlayfs makes for
 * itself.  Pure.
 *
 * Source: ovl_show_options() in fs/overlayfs/params.c, ovl_tempname() in fs/overlayfs/dir.c of
 * Linux 6.18.
 */

#include <stdbool.h>
#include <stddef.h>

/* As the mounter wrote them: NULL when there is none or it is relative to a directory of his. */
typedef struct OverlayLayers {
        char *upper, *work;
} OverlayLayers;

/*
 * overlay_layers_parse() - upperdir= and workdir= of Mount.super_options
 *
 * The kernel writes them behind the lower ones and in front of all flags, and escapes the commas in
 * them, which mount_table_parse() has undone: so they end at the next option, not at a comma.
 *
 * Return: 0, -ENOMEM.
 */
int overlay_layers_parse(const char *super_options, OverlayLayers *ret_layers);
void overlay_layers_done(OverlayLayers *l);

/* A name of a temporary file: '#' and hexadecimal digits. */
bool overlay_layers_is_temporary(const char *name, size_t n_name);

/*
 * overlay_layers_work_length() - the directory of overlayfs that a path lies in, as it looks
 * @has_name: the path is that of a directory in which a temporary file has been named
 *
 * Return: length of the path up to "/work" or "/index" of which it is or a temporary file in it, 0
 * when there is none.
 */
size_t overlay_layers_work_length(const char *path, size_t n_path, bool has_name);
