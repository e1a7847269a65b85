# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # top, name and again come from the script that sources this
#
# contrib/lib/setup.sh - install what is missing, configure, build. Sourced by contrib/run and contrib/test, which set
# $top (the checkout), $name (for messages) and $again (the command line to repeat after a failure).
#
# A need is a thing that works here (a command, a pkg-config module, a compiler that links), not a package: whoever
# has it from elsewhere gets nothing installed. Only a need that is not met is looked up in need_table().
#
# Limits: POSIX sh, as bash may be missing; the rows for dnf, zypper and pacman are not run by CI, which is Debian.

# sudo keeps sbin in the path, a plain su does not, and mkfs.* live there.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

scratch=$(mktemp -d) || exit 1
log=$scratch/log
policy=
trap 'rm -rf "$scratch" ${policy:+"$policy"}' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step() {
    printf '%s: %s\n' "$name" "$*" >&2
}

die() {
    step "error: $*"
    exit 1
}

# Runs a command with its output put aside, and shows the end of it only if the command fails.
quietly() {
    "$@" >"$log" 2>&1 </dev/null && return 0
    tail -n 60 "$log" >&2
    return 1
}

is_root() {
    [ "$(id -u)" -eq 0 ]
}

# One row a need: its packages, separated by commas, by package manager. @ is clang's major version.
need_table() {
    cat <<'TABLE'
cc              gcc,libc6-dev       gcc,glibc-devel     gcc,glibc-devel     gcc
asan            gcc                 libasan,libubsan    gcc                 gcc-libs
tsan            gcc                 libtsan             gcc                 gcc-libs
meson           meson               meson               meson               meson
ninja           ninja-build         ninja-build         ninja               ninja
pkg-config      pkg-config          pkgconf-pkg-config  pkg-config          pkgconf
libsystemd      libsystemd-dev      systemd-devel       systemd-devel       systemd-libs
json-c          libjson-c-dev       json-c-devel        libjson-c-devel     json-c
check           check               check-devel         check-devel         check
mkfs.ext4       e2fsprogs           e2fsprogs           e2fsprogs           e2fsprogs
mkfs.xfs        xfsprogs            xfsprogs            xfsprogs            xfsprogs
mkfs.btrfs      btrfs-progs         btrfs-progs         btrfsprogs          btrfs-progs
bindfs          bindfs              bindfs              bindfs              bindfs
losetup         mount               util-linux          util-linux          util-linux
mount           mount               util-linux          util-linux          util-linux
setpriv         util-linux          util-linux          util-linux          util-linux
busybox         busybox-static      busybox             busybox-static      busybox
runc            runc                runc                runc                runc
ps              procps              procps-ng           procps              procps-ng
python3         python3             python3             python3             python
auditd          auditd              audit               audit               audit
git             git                 git                 git                 git
make            make                make                make                make
gcc             gcc,libc6-dev       gcc,glibc-devel     gcc,glibc-devel     gcc
rsync           rsync               rsync               rsync               rsync
stress-ng       stress-ng           stress-ng           stress-ng           stress-ng
cron            cron                cronie              cron                cronie
atd             at                  at                  at                  at
logrotate       logrotate           logrotate           logrotate           logrotate
sshd            openssh-server      openssh-server      openssh-server      openssh
ssh             openssh-client      openssh-clients     openssh-clients     openssh
dbus-daemon     dbus                dbus-daemon         dbus-1              dbus
systemd-tmpfiles systemd           systemd             systemd             systemd
valgrind        valgrind            valgrind            valgrind            valgrind
mmdebstrap      mmdebstrap          mmdebstrap          mmdebstrap          mmdebstrap
qemu-system-x86_64 qemu-system-x86 qemu-system-x86-core qemu-x86 qemu-system-x86
qemu-img        qemu-utils          qemu-img            qemu-img            qemu-img
flock           util-linux          util-linux          util-linux          util-linux
clang           clang               clang               clang               clang
clang-rt        libclang-rt-@-dev   compiler-rt         clang               compiler-rt
clang-format    clang-format        clang-tools-extra   clang               clang
clang-tidy      clang-tidy          clang-tools-extra   clang               clang
cppcheck        cppcheck            cppcheck            cppcheck            cppcheck
scdoc           scdoc               scdoc               scdoc               scdoc
mandoc          mandoc              mandoc              mandoc              mandoc
TABLE
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# Whether this compiler, with these flags, makes a program; proves the kernel's and the C library's headers too.
links() {
    printf '#include <linux/fanotify.h>\n#include <stdio.h>\nint main(void) { return 0; }\n' |
        "$@" -x c -o "$scratch/probe" - >/dev/null 2>&1
}

# meson.build asks for meson 1.0.
meson_is_recent() {
    meson_version=$(meson --version 2>/dev/null) && [ "${meson_version%%.*}" -ge 1 ]
}

# The root tests run busybox in trees without libraries.
is_static() {
    has "$1" && ! readelf -l "$(command -v "$1")" 2>/dev/null | grep -q INTERP
}

is_met() {
    case $1 in
    cc) links cc ;;
    asan) links cc -fsanitize=address,undefined ;;
    tsan) links cc -fsanitize=thread ;;
    meson) meson_is_recent ;;
    libsystemd | json-c | check) has pkg-config && pkg-config --exists "$1" ;;
    busybox) is_static busybox || is_static busybox-static ;;
    clang) links clang ;;
    clang-rt) links clang -fsanitize=address ;;
    clang-format) has clang-format-14 || has clang-format ;;
    *) has "$1" ;;
    esac
}

unmet() {
    for need in "$@"; do
        is_met "$need" || printf '%s ' "$need"
    done
}

package_manager() {
    for manager in apt-get dnf zypper pacman; do
        if has "$manager"; then
            echo "$manager"
            return
        fi
    done
}

clang_major() {
    clang -dumpversion 2>/dev/null | cut -d . -f 1
}

# packages_for MANAGER NEED...: the packages, one a line.
packages_for() {
    manager=$1
    shift
    for need in "$@"; do
        need_table | while read -r row apt dnf zypper pacman; do
            [ "$row" = "$need" ] || continue
            case $manager in
            apt-get) echo "$apt" ;;
            dnf) echo "$dnf" ;;
            zypper) echo "$zypper" ;;
            pacman) echo "$pacman" ;;
            esac
        done
    done | tr ',' '\n' | sed "s/@/$(clang_major)/" | sort -u
}

apt_install() {
    apt-get -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "$@"
}

# without_services COMMAND...: Debian starts what it installs, and nobody asked for an audit, cron or ssh daemon on his
# machine; the test of auditd needs that none runs.
without_services() {
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 0755 "$policy"
    fi
    without_status=0
    "$@" || without_status=$?
    rm -f ${policy:+"$policy"}
    policy=
    return "$without_status"
}

# disable_services NEED...: neither are they to run after the next boot. logrotate only turns the logs that there are.
disable_services() {
    has systemctl || return 0
    for need in "$@"; do
        case $need in
        auditd | cron | atd) unit=$need ;;
        sshd) unit=ssh ;;
        *) continue ;;
        esac
        systemctl --quiet disable "$unit.service" >/dev/null 2>&1 || true
    done
}

# The lists are fetched only if the first try fails: a new machine has none, an old one names versions that are gone.
# An update ends with 0 although a mirror did not answer, so its last words are shown too if the second try fails.
install_with_apt() {
    export DEBIAN_FRONTEND=noninteractive
    apt_install "$@" >/dev/null 2>&1 </dev/null && return
    step "updating the package lists (apt-get)"
    apt-get -o DPkg::Lock::Timeout=300 update >"$scratch/update" 2>&1 </dev/null || true
    quietly apt_install "$@" && return
    tail -n 10 "$scratch/update" >&2
    return 1
}

# A partial upgrade breaks an Arch system, so the lists are fetched only where there are none.
install_with_pacman() {
    if ls /var/lib/pacman/sync/*.db >/dev/null 2>&1; then
        quietly pacman -S --needed --noconfirm "$@"
    else
        quietly pacman -Sy --needed --noconfirm "$@"
    fi
}

install_packages() {
    manager=$1
    shift
    case $manager in
    apt-get) without_services install_with_apt "$@" ;;
    dnf) quietly dnf -y --setopt=install_weak_deps=False install "$@" ;;
    zypper) quietly zypper --non-interactive install --no-recommends "$@" ;;
    pacman) install_with_pacman "$@" ;;
    esac
}

# ensure NEED...: install what is not there, or say what to do.
ensure() {
    missing=$(unmet "$@")
    [ -n "$missing" ] || return 0
    is_root || die "not installed: ${missing% }; installing needs root: run sudo $again"

    manager=$(package_manager)
    [ -n "$manager" ] ||
        die "not installed: ${missing% }; no apt-get, dnf, zypper or pacman here: install them by hand, then run $again"

    # shellcheck disable=SC2046,SC2086 # lists of words
    set -- $(packages_for "$manager" $missing)
    step "installing $* ($manager)"
    install_packages "$manager" "$@" ||
        die "$manager could not install: $*; check the network and the package sources, or install them by hand, then run $again"
    # shellcheck disable=SC2086
    disable_services $missing

    # shellcheck disable=SC2086
    missing=$(unmet $missing)
    [ -n "$missing" ] || return 0
    meson_is_recent ||
        die "meson ${meson_version:-from $manager} is too old, 1.0 is needed: put a newer one in the path, then run $again"
    die "installed $* ($manager), but still missing or not working: ${missing% }; install them by hand, then run $again"
}

# What every build needs.
ensure_build() {
    ensure cc meson ninja pkg-config libsystemd json-c "$@"
}

# configure DIR OPTION...: set the build directory up, or again where it is stale or broken.
configure() {
    dir=$top/$1
    shift
    if [ -f "$dir/build.ninja" ]; then
        meson setup --reconfigure "$@" "$dir" "$top" >"$log" 2>&1 </dev/null && return
        # Another meson at work there, or a mistake in a meson.build: a new directory would change neither.
        if grep -Eq 'already using this build directory|meson\.build:[0-9]+:' "$log"; then
            tail -n 20 "$log" >&2
            return 1
        fi
        step "reconfiguring ${dir#"$top"/} failed, setting it up anew"
    fi
    rm -rf "$dir"
    quietly meson setup "$@" "$dir" "$top"
}

# compile DIR [TARGET...]
compile() {
    dir=$top/$1
    shift
    quietly ninja -C "$dir" "$@"
}

# What root built in a person's checkout stays that person's.
give_back() {
    [ -z "${SUDO_UID-}" ] || chown -R "$(stat -c %u:%g "$top")" "$top/$1"
}
