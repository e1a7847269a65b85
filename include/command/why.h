/* SPDX-License-Identifier: MIT */
#pragma once

/* The verb `why`: what will delete a path, or what did. Return: the exit status. */
int why_main(int argc, char **argv);
