/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What may stand in text that goes to a terminal.
 */

#include <stdbool.h>
#include <stddef.h>

/*
 * Fails the test unless text is valid UTF-8 without controls (C0 but newline, DEL, C1), line
 * separators and characters that reorder or hide.
 */
void text_assert_harmless(const char *text, size_t n_text);
/* Removes colour sequences (SGR) in place, whoever brought them. Return: bytes left. */
size_t text_strip_colors(char *text, size_t n_text);
bool text_has_line_starting(const char *text, size_t n_text, const char *start);
size_t text_count(const char *text, size_t n_text, const char *what);
