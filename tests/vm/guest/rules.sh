# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# guest/rules.sh - what this system's systemd-tmpfiles does, against what is said of it beforehand.

. "$guest/tap.sh"
[ "$boot" = 1 ] || exit 0
# As a user has it: a service has no home.
export WHODUNLINK=/usr/local/bin/whodunlink HOME=/root
run_programs 1 /payload/root/test_root_tmpfiles /payload/root/test_root_why
