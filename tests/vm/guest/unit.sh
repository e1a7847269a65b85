# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# guest/unit.sh - all unit tests, with this system's libraries and kernel.

. "$guest/tap.sh"
[ "$boot" = 1 ] || exit 0
set -- /payload/unit/test_*
run_programs 2 "$@"
