/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * doctor_main() - `whodunlink doctor`: say what can be watched here, what cannot, and what to do
 * @argv: argv[0] is the verb
 *
 * Return: the exit status: 0 all is well, 1 something is not, 2 a mistake in the command line.
 */
int doctor_main(int argc, char **argv);
