/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * verbs_main() - pick the verb of a command line and run it
 *
 * `whodunlink PATH`, with a slash in it, is short for `whodunlink watch PATH`.
 * Return: the exit status; 2 for a mistake in the command line, said on stderr.
 */
int verbs_main(int argc, char **argv);
