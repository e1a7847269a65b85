/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * watch_main() - `whodunlink watch`: follow deletions as they happen
 * @argv: argv[0] is the verb
 *
 * Return: the exit status: 0, 1 it could not be done (said on stderr), 2 a mistake in the command
 * line, 124 --timeout ended it.
 */
int watch_main(int argc, char **argv);
