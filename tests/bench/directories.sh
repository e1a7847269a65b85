#!/bin/sh
# SPDX-License-Identifier: MIT
#
# directories.sh COUNT tmpfs|overlay WHODUNLINK - what it takes to watch a tree directory by directory.
#
# A tree of COUNT directories, a thousand in each; time until the watch is armed, the monitor's memory, the kernel's
# (marks, and inodes that they hold), and the time until a new directory's file is told of. Fails if it is not.
#
# Everything happens on a tmpfs in a mount namespace of its own and goes with it.
#
# Limits: the kernel's memory is that of its caches before and after, of the whole machine.

set -eu
export LC_ALL=C

# shellcheck source=tests/bench/monitor.sh
. "${0%/*}/monitor.sh"

if [ "${1-}" != --inside ]; then
    [ $# -eq 3 ] || die "usage: directories.sh COUNT tmpfs|overlay WHODUNLINK"
    in_own_mounts "$@"
    exit
fi

work=$2
n=$3
kind=$4
whodunlink=$5
tree=$work/tree
monitor=

now_ms() {
    echo $(($(date +%s%N) / 1000000))
}

# status_kib FIELD: of the monitor, KiB.
status_kib() {
    awk -v field="$1:" '$1 == field { print $2 }' "/proc/$monitor/status"
}

slab_kib() {
    awk '$1 == "Slab:" { print $2 }' /proc/meminfo
}

mount_work
mkdir "$tree" "$work/lower" "$work/upper" "$work/layer"
case $kind in
tmpfs) made=$tree ;;
overlay) made=$work/lower ;;
*) die "$kind: neither tmpfs nor overlay" ;;
esac
i=0
while [ $((i * 1000)) -lt "$n" ]; do
    (mkdir "$made/d$i" && cd "$made/d$i" && seq 999 | xargs mkdir)
    i=$((i + 1))
done
if [ "$kind" = overlay ]; then
    mount -t overlay -o "lowerdir=$work/lower,upperdir=$work/upper,workdir=$work/layer" overlay "$tree" ||
        skip "no overlay"
fi

slab=$(slab_kib)
begin=$(now_ms)
"$whodunlink" watch --output=json --marks=directories "$tree" >"$work/output.json" 2>"$work/errors" &
monitor=$!
until grep -q '"action":"start"' "$work/output.json"; do
    kill -0 "$monitor" 2>/dev/null || die "the monitor ended: $(cat "$work/errors")"
    sleep 0.01
done
armed=$(now_ms)
sed 's/^/# /' "$work/errors"
marked=$(sed -n 's/.*: its \([0-9]*\) directories one by one.*/\1/p' "$work/errors" | head -n 1)
[ -n "$marked" ] && [ "$marked" -ge "$n" ] || die "only ${marked:-none} of $n directories are marked"
echo "directories: $marked of them, $kind, $(getconf _NPROCESSORS_ONLN) CPUs, Linux $(uname -r), load average $(load)"
echo "  armed after            $((armed - begin)) ms"
echo "  monitor's VmRSS        $(status_kib VmRSS) KiB"
echo "  kernel's slab grew by  $(($(slab_kib) - slab)) KiB"

mkdir "$tree/d0/new"
sleep 0.1
begin=$(now_ms)
touch "$tree/d0/new/file"
rm "$tree/d0/new/file"
until grep -q '/d0/new/file' "$work/output.json"; do
    [ $(($(now_ms) - begin)) -lt 5000 ] || die "what was deleted in a new directory was not told"
    sleep 0.01
done
echo "  told of after          $(($(now_ms) - begin)) ms"
begin=$(now_ms)
kill "$monitor"
wait "$monitor"
monitor=
echo "  ended after            $(($(now_ms) - begin)) ms"
