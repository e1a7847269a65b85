#!/bin/sh
# SPDX-License-Identifier: MIT
#
# contrib/systemd/install-config.sh FILE DIRECTORY - installs FILE unless there is one: what an operator has written
# into it outlives an upgrade. Whoever makes a package gives a DESTDIR, in which there is none.

set -eu

to=${DESTDIR-}$2/$(basename -- "$1")
if [ -e "$to" ]; then
    echo "$to is there and is left as it is"
else
    install -D -m 644 -- "$1" "$to"
    echo "Installing $1 to $to"
fi
