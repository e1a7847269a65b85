# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# package.sh - installs, upgrades and removes a package with dpkg and with apt-get. Sourced by workloads.sh.
#
# The package is built here, and goes into a root directory below the workload's, with a busybox for its scripts; apt is
# told to keep all it writes there, and reads no configuration of the machine's.

# build_package DIR VERSION: DIR/small_VERSION.deb, with scripts that delete, too.
build_package() {
    mkdir -p "$1/package/DEBIAN" "$1/package/usr/share/small/only-in-$2" "$1/package/etc"
    cat >"$1/package/DEBIAN/control" <<CONTROL
Package: small
Version: $2
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: to be removed again
CONTROL
    for script in preinst postinst prerm postrm; do
        printf '#!/bin/sh\n: >/tmp/%s\nrm /tmp/%s\n' "$script" "$script" >"$1/package/DEBIAN/$script"
        chmod 0755 "$1/package/DEBIAN/$script"
    done
    echo /etc/small.conf >"$1/package/DEBIAN/conffiles"
    echo "$2" >"$1/package/etc/small.conf"
    for i in $(seq 10); do
        echo "$2" >"$1/package/usr/share/small/file-$i"
        echo "$2" >"$1/package/usr/share/small/only-in-$2/file-$i"
    done
    dpkg-deb -Zgzip --root-owner-group -b "$1/package" "$1/small_$2.deb" >/dev/null
    rm -r "$1/package"
}

# A root directory, and apt told to use it.
prepare_dpkg() {
    build_package "$1" 1
    build_package "$1" 2
    mkdir -p "$1/root/bin" "$1/root/tmp" "$1/root/var/lib/dpkg/info" "$1/root/var/lib/dpkg/updates" \
        "$1/apt/etc" "$1/apt/log" "$1/apt/state/lists/partial" "$1/apt/cache/archives/partial"
    touch "$1/root/var/lib/dpkg/status" "$1/root/var/lib/dpkg/available"
    cp "$(command -v busybox)" "$1/root/bin/busybox"
    for applet in sh rm; do
        ln -s busybox "$1/root/bin/$applet"
    done
    cat >"$1/apt.conf" <<CONF
Dir "$1/apt";
Dir::Etc "$1/apt/etc";
Dir::Log "$1/apt/log";
Dir::State "$1/apt/state";
Dir::State::status "$1/root/var/lib/dpkg/status";
Dir::Cache "$1/apt/cache";
APT::Sandbox::User "root";
DPkg::Options { "--root=$1/root"; "--log=$1/apt/log/dpkg.log"; };
CONF
}

in_root() {
    dpkg "--root=$1/root" "--log=$1/dpkg.log" "$2" "$3"
}

act_dpkg() {
    in_root "$1" -i "$1/small_1.deb"
    in_root "$1" -i "$1/small_2.deb"
    in_root "$1" --remove small
    in_root "$1" --purge small
}

prepare_apt() {
    prepare_dpkg "$1"
}

apt_in_root() {
    APT_CONFIG=$1/apt.conf DEBIAN_FRONTEND=noninteractive apt-get -q -y "$2" "$3"
}

act_apt() {
    apt_in_root "$1" install "$1/small_1.deb"
    apt_in_root "$1" install "$1/small_2.deb"
    apt_in_root "$1" purge small
}
