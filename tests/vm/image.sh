#!/bin/sh
# SPDX-License-Identifier: MIT
#
# image.sh SUITE DIR - the Debian system SUITE (bookworm, trixie, ...) as DIR/SUITE/{disk,vmlinuz,initrd}, to be booted by
# boot.sh. Built once: what is there and was built by this very script is left alone, and whoever comes second waits.
#
# A stock system: systemd as pid 1, journald, cron, logrotate, and the kernel for virtual machines. Not as installed:
# /tmp lies on the disk, also where the release puts it into memory; systemd waits longer before it gives up, as an
# emulated machine may be slow; and vm.service runs what boot.sh asks for.
#
# WHODUNLINK_VM_MIRROR=URL  where the packages come from; http://deb.debian.org/debian if not set

set -eu
export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

suite=$1
dir=$2/$1
mirror=${WHODUNLINK_VM_MIRROR:-http://deb.debian.org/debian}
stamp=$(cksum <"$0")

packages=systemd,systemd-sysv,dbus,udev,kmod,linux-image-cloud-amd64,initramfs-tools,libjson-c5,libsystemd0
# The root tests' filesystems and programs.
packages=$packages,libsubunit0,e2fsprogs,xfsprogs,btrfs-progs,bindfs,busybox-static,runc,procps,util-linux,mount
# On whose behalf files vanish.
packages=$packages,cron,at,logrotate,login,jq

is_built() { [ "$(cat "$dir/stamp" 2>/dev/null || true)" = "$stamp" ]; }

mkdir -p "$dir"
# Guests hold this lock, too, but share it: it is asked for only where there is something to build.
! is_built || exit 0
exec 9>"$dir/lock"
flock 9
! is_built || exit 0
rm -f "$dir/stamp"

tree=$(mktemp -d "$dir/tree.XXXXXX")
log=$dir/log
trap 'rm -rf "$tree"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# shellcheck disable=SC2016 # "$1" is the tree, for a hook's own shell
build() {
    # Four modules are all that the first moments need. The manuals and translations of others are nobody's need.
    mmdebstrap --mode=root --variant=minbase --include="$packages" \
        --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --aptopt='Acquire::Retries "5"' \
        --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"' \
        --essential-hook='printf "MODULES=list\nCOMPRESS=gzip\n" >"$1/etc/initramfs-tools/conf.d/vm"' \
        --essential-hook='printf "virtio_pci\nvirtio_blk\next4\n" >"$1/etc/initramfs-tools/modules"' \
        "$suite" "$tree" "$mirror"
}

# The network or a mirror may fail for a moment.
for delay in 5 30 0; do
    if build >"$log" 2>&1 </dev/null; then
        break
    fi
    if [ "$delay" -eq 0 ]; then
        tail -n 40 "$log" >&2
        echo "image.sh: error: mmdebstrap could not make a $suite system from $mirror (above; whole log: $log)" >&2
        exit 1
    fi
    sleep "$delay"
    rm -rf "$tree"
    mkdir "$tree"
done

echo "$suite" >"$tree/etc/hostname"
echo '/dev/vda / ext4 defaults 0 0' >"$tree/etc/fstab"
ln -sf /dev/null "$tree/etc/systemd/system/tmp.mount"
for each in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer; do
    ln -sf /dev/null "$tree/etc/systemd/system/$each"
done
mkdir -p "$tree/etc/systemd/system.conf.d"
printf '[Manager]\nDefaultTimeoutStartSec=600s\nDefaultTimeoutStopSec=600s\nDefaultDeviceTimeoutSec=600s\n' \
    >"$tree/etc/systemd/system.conf.d/vm.conf"
mkdir -p "$tree/payload" "$tree/var/log/journal" "$tree/etc/systemd/system/multi-user.target.wants"
cat >"$tree/etc/systemd/system/vm.service" <<'UNIT'
[Unit]
Description=What boot.sh asks for
After=multi-user.target

[Service]
Type=exec
TimeoutStartSec=infinity
# Not by fstab: nothing may give up waiting for a device where the emulation is slow.
ExecStartPre=/bin/mount -o ro /dev/vdb /payload
ExecStart=/bin/sh /payload/guest/run
StandardOutput=journal+console
StandardError=journal+console
# The root tests start processes by the thousand, and only root's limits are theirs.
TasksMax=infinity
LimitNOFILE=524288
Delegate=yes

[Install]
WantedBy=multi-user.target
UNIT
ln -sf ../vm.service "$tree/etc/systemd/system/multi-user.target.wants/vm.service"

mv "$tree"/boot/vmlinuz-* "$dir/vmlinuz"
mv "$tree"/boot/initrd.img-* "$dir/initrd"
rm -f "$dir/disk"
truncate -s 3G "$dir/disk"
mkfs.ext4 -q -F -d "$tree" "$dir/disk" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    echo "image.sh: error: mkfs.ext4 could not make $dir/disk (above)" >&2
    exit 1
}
echo "$stamp" >"$dir/stamp"
