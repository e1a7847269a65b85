/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Values of options that are numbers or words.  Pure; what is wrong is for the caller to say.
 */

#include <stddef.h>
#include <stdint.h>

/* Digits only: no sign, no blanks, no other base. Return: 0, -EINVAL. */
int option_value_u64(const char *text, uint64_t max, uint64_t *ret);

/* @words: ended by NULL. Return: index of the word, -EINVAL. */
int option_value_word(const char *const *words, const char *value, size_t n_value);
