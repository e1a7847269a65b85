# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# guest/root.sh - the root suite on this kernel: what is quick and reaches each part of the program, or all of it.

. "$guest/tap.sh"
[ "$boot" = 1 ] || exit 0

quick='ancestry behalf btrfs_top container entry errors filters filters_behalf gone hold_ways identity io_uring life long_paths
    moves names operations overlay paths process_names programs text users'
set --
if [ "${WHODUNLINK_VM_ROOT-}" = all ]; then
    set -- /payload/root/test_root_*
else
    for each in $quick; do
        set -- "$@" "/payload/root/test_root_$each"
    done
fi
export WHODUNLINK=/usr/local/bin/whodunlink WHODUNLINK_FORKER=/payload/bench/forker WHODUNLINK_TINY=/payload/bench/tiny
modprobe -a loop btrfs xfs overlay fuse
run_programs 1 "$@"
