#!/bin/sh
# SPDX-License-Identifier: MIT
#
# boot.sh SUITE BUILDDIR PART... - boot a Debian system (see image.sh), run guest/PART.sh in it for each part, tell what they
# found by TAP.
#
# The guest is emulated, so that it runs wherever qemu does. It boots twice: first now, where the program is installed from
# BUILDDIR and each part prepares what it wants to find; then two weeks later by its clock, where the parts look. Its disk is
# thrown away afterwards. What a part says comes by a port of its own, not by the console, which anyone may write to.
#
# WHODUNLINK_VM_KEEP=DIR  leaves the consoles' logs, what came by the port and the disk there
# WHODUNLINK_VM_ROOT=all  runs the whole root suite in part root, not only what CI has time for
# WHODUNLINK_VM_CPUS=N     of the guest; 1 if not set, as it would wait for locks that a CPU holds which the host has taken away
# WHODUNLINK_TEST_SCALE=N percent of the tests' size; 5 if not set

set -eu
export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

here=$(dirname -- "$(readlink -f -- "$0")")
suite=$1
build=$(readlink -f "$2")
shift 2

# Of one boot, in seconds. A guest that is well needs a third of it.
boot_max=900
[ "${WHODUNLINK_VM_ROOT-}" != all ] || boot_max=7200
# Of hardware that there is not; each costs the emulation a second.
unneeded=modprobe.blacklist=kvm,kvm_amd,kvm_intel,ccp,aesni_intel,ghash_clmulni_intel,powernow_k8,acpi_cpufreq,pcspkr,ahci
fortnight=$((14 * 24 * 3600))

if [ -n "${WHODUNLINK_VM_KEEP-}" ]; then
    work=$WHODUNLINK_VM_KEEP/$suite
    rm -rf "$work"
    mkdir -p "$work"
    work=$(readlink -f "$work")
else
    mkdir -p "$build/vm"
    work=$(mktemp -d "$build/vm/run.XXXXXX")
fi

qemu=
clean_up() {
    [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
    [ -n "${WHODUNLINK_VM_KEEP-}" ] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A test that cannot even begin has failed.
die() {
    printf '1..1\nnot ok 1 - %s\n' "$*"
    exit 1
}

# What the guest needs of this build: the installed files, the tests' programs, the parts.
make_payload() {
    stage=$work/payload
    mkdir -p "$stage/unit" "$stage/root" "$stage/bench"
    DESTDIR=$stage/install meson install -C "$build" --no-rebuild >"$work/install.log" 2>&1
    for each in "$build"/tests/unit/test_* "$build"/tests/root/test_root_* "$build"/tests/root/worker \
        "$build"/tests/root/timer_manager "$build"/tests/root/vanish "$build"/tests/bench/forker "$build"/tests/bench/tiny "$build"/tests/bench/deleter; do
        if [ -f "$each" ] && [ -x "$each" ]; then
            to=${each%/*}
            cp "$each" "$stage/${to##*/}/"
        fi
    done
    cp -R "$here/../root/tmpfiles" "$stage/root/test_root_tmpfiles.d"
    cp -R "$here/guest" "$stage/guest"
    printf "export WHODUNLINK_TEST_SCALE='%s' WHODUNLINK_VM_ROOT='%s' WHODUNLINK_SKIP_IS_FAILURE='%s'\n" \
        "${WHODUNLINK_TEST_SCALE:-5}" "${WHODUNLINK_VM_ROOT-}" "${WHODUNLINK_SKIP_IS_FAILURE-}" >"$stage/environment"
    [ -n "${WHODUNLINK_SKIP_IS_FAILURE-}" ] || echo unset WHODUNLINK_SKIP_IS_FAILURE >>"$stage/environment"
    # Half as much again for the filesystem's own.
    n_kib=$(du -sk "$stage" | cut -f 1)
    mkfs.ext4 -q -F -d "$stage" "$work/payload.disk" "$((n_kib * 3 / 2 + 8192))k" >>"$work/install.log" 2>&1
    rm -rf "$stage"
}

# boot N CLOCK PART...: until it switches itself off.
boot() {
    boot_n=$1
    clock=$2
    shift 2
    parts=$(echo "$*" | tr ' ' ,)
    timeout --foreground -k 10 "$boot_max" qemu-system-x86_64 \
        -machine q35 -accel tcg,thread=multi -cpu max -smp "${WHODUNLINK_VM_CPUS:-1}" -m 2048 -display none -nodefaults -no-user-config -no-reboot \
        -rtc "base=$clock,clock=host" \
        -kernel "$build/vm/$suite/vmlinuz" -initrd "$build/vm/$suite/initrd" \
        -append "root=/dev/vda rw console=ttyS0 panic=-1 mitigations=off loglevel=4 cryptomgr.notests $unneeded vm.boot=$boot_n vm.parts=$parts" \
        -drive "file=$work/disk,if=virtio,format=qcow2,cache=unsafe" \
        -drive "file=$work/payload.disk,if=virtio,format=raw,read-only=on" \
        -device virtio-rng-pci -device virtio-serial-pci \
        -chardev "file,id=port,path=$work/port.$boot_n" -device virtserialport,chardev=port,name=whodunlink \
        -serial "file:$work/console.$boot_n" -monitor none </dev/null >"$work/qemu.$boot_n" 2>&1 &
    qemu=$!
    wait "$qemu" || echo "qemu ended with $?" >>"$work/qemu.$boot_n"
    qemu=
}

# Gives the lines their numbers, and knows by the last one whether the guest came to its end.
report() {
    awk -v suite="$suite" '
        { sub(/\r$/, "") }
        /^(not )?ok / { n++; ok = sub(/^ok /, ""); sub(/^not ok /, ""); print (ok ? "ok " : "not ok ") n " - " suite ": " $0; next }
        /^end of boot /  { ended++; next }
        { print "# " $0 }
        END {
            if (ended != '"$n_boots"') { n++; print "not ok " n " - " suite ": a guest did not come to its end" }
            print "1.." n + 0
        }
    '
}

"$here/image.sh" "$suite" "$build/vm" || die "no $suite system could be made"
# It is not built anew under a guest.
exec 9<"$build/vm/$suite/lock"
flock -s 9
make_payload || die "no disk for the guest could be made: $(tail -n 3 "$work/install.log")"
qemu-img create -q -f qcow2 -F raw -b "$build/vm/$suite/disk" "$work/disk"

now=$(date -u +%s)
n_boots=2
boot 1 "$(date -u -d "@$now" +%Y-%m-%dT%H:%M:%S)" "$@"
boot 2 "$(date -u -d "@$((now + fortnight))" +%Y-%m-%dT%H:%M:%S)" "$@"
cat "$work/port.1" "$work/port.2" | report >"$work/tap"
if grep -q '^not ok' "$work/tap"; then
    for each in "$work"/qemu.* "$work"/console.*; do
        echo "${each##*/}:"
        tail -n 60 "$each" | tr -d '\r'
    done >&2
fi
cat "$work/tap"
! grep -q '^not ok' "$work/tap"
