#!/bin/sh
# SPDX-License-Identifier: MIT
#
# workloads.sh names | prepare NAME DIR | act NAME DIR - the programs whose deletions audit.sh has compared.
#
# For each NAME there is prepare_NAME, which nothing watches, and act_NAME, which both watch and which is all that happens
# in DIR between the two listings of it. Names of files are as nasty as those of the real world: spaces, quotes, line ends,
# bytes that are not UTF-8.
#
# The programs are those of the machine, started the ways people start them. No part of this needs the network or changes
# the machine. Where there is no apt-get, the names of its workloads (package.sh) are left out.

set -eu
export LC_ALL=C

names='rm find git_clean git make gcc python busybox rsync tmpfiles stress_ng relative processes users'
if command -v apt-get >/dev/null; then
    names="$names dpkg apt"
fi

# shellcheck source=tests/root/audit/package.sh
. "$(dirname -- "$0")/package.sh"

# scaled N: with WHODUNLINK_TEST_SCALE, but at least 5.
scaled() {
    n=$(($1 * ${WHODUNLINK_TEST_SCALE:-100} / 100))
    [ "$n" -ge 5 ] || n=5
    echo "$n"
}

# files DIR N: fills a new directory.
files() {
    mkdir -p "$1"
    (cd "$1" && seq -f 'file-%03g' "$2" | xargs touch)
}

# A tree of 13 directories and its files.
tree() {
    files "$1" 5
    for branch in a b c; do
        files "$1/$branch" 5
        for twig in x y 'z and space'; do
            files "$1/$branch/$twig" 5
        done
    done
}

nasty_names() {
    mkdir -p "$1"
    touch "$1/with space" "$1/with \"quotes\" and 'more'" "$1/-n" "$1/back\\slash" "$1/$(printf 'line\nend')" \
        "$1/$(printf 'latin-\351-1')" "$1/grün" "$1/(null)" "$1/61626364" "$1/$(printf '%0250d' 0)"
}

prepare_rm() {
    tree "$1/tree"
    tree "$1/other"
    nasty_names "$1/nasty"
    files "$1/single" "$(scaled 100)"
    mkdir -p "$1/empty/er/est"
}

act_rm() {
    for file in "$1"/single/*; do
        rm "$file"
    done
    rm -r "$1/tree"
    cd "$1"
    rm -rf other
    rm -- nasty/*
    rmdir -p empty/er/est
    rmdir single nasty
}

prepare_find() {
    tree "$1/tree"
    nasty_names "$1/tree/b"
    tree "$1/by-exec"
}

act_find() {
    find "$1/tree/a" -name 'file-*' -delete
    find "$1/by-exec" -type f -name '*-00[1-3]' -exec rm {} \;
    find "$1/by-exec" -type f -exec rm {} +
    cd "$1"
    find . -mindepth 1 -delete
}

# Nobody's configuration, nothing in the background.
in_repository() {
    repository=$1
    shift
    HOME=$repository GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null git -C "$repository" \
        -c user.name=test -c user.email=test@example.org -c gc.auto=0 -c maintenance.auto=false "$@"
}

make_repository() {
    tree "$1"
    in_repository "$1" init -q
    printf '*.o\nbuild/\n' >"$1/.gitignore"
    in_repository "$1" add .
    in_repository "$1" commit -q -m one
}

prepare_git_clean() {
    make_repository "$1/repository"
    tree "$1/repository/build"
    nasty_names "$1/repository/untracked"
    touch "$1/repository/a/x.o" "$1/repository/a/y.o"
    tree "$1/repository/a/new"
}

act_git_clean() {
    in_repository "$1/repository" clean -fdxq
}

prepare_git() {
    make_repository "$1/repository"
}

act_git() {
    in_repository "$1/repository" checkout -q -b other
    in_repository "$1/repository" rm -q -r b/x c
    in_repository "$1/repository" mv a/file-001 a/renamed
    in_repository "$1/repository" commit -q -a -m two
    in_repository "$1/repository" checkout -q -
    in_repository "$1/repository" branch -q -D other
    in_repository "$1/repository" reflog expire --expire=now --all
    in_repository "$1/repository" gc -q --prune=now
    rm -rf "$1/repository"
}

make_project() {
    mkdir -p "$1/tmp"
    for i in $(seq 8); do
        printf 'int f%d(void);\nint f%d(void) { return %d; }\n' "$i" "$i" "$i" >"$1/f$i.c"
    done
    echo 'int main(void) { return 0; }' >"$1/main.c"
    cat >"$1/Makefile" <<'MAKE'
objects := $(patsubst %.c,%.o,$(sort $(wildcard *.c)))
program: $(objects)
	gcc -o $@ $^
%.o: %.c
	gcc -c -o $@ $<
clean:
	rm -f program $(objects)
clean-one-by-one:
	for o in $(objects); do rm -f $$o || exit 1; done
	-@rm -rf program
MAKE
}

build_project() {
    TMPDIR=$1/tmp make -s -C "$1" program
}

prepare_make() {
    for each in one two; do
        make_project "$1/$each"
        build_project "$1/$each"
    done
}

act_make() {
    make -s -C "$1/one" clean
    make -s -C "$1/two" -j2 clean-one-by-one
}

prepare_gcc() {
    make_project "$1"
}

# The compiler's own temporary files.
act_gcc() {
    build_project "$1"
}

prepare_python() {
    files "$1/files" 40
    tree "$1/tree"
}

act_python() {
    python3 -c 'import os; os.unlink("'"$1"'/files/file-001")'
    cd "$1/files"
    python3 -c 'import os, sys; os.unlink(sys.argv[1])' file-002
    python3 - ../tree <<'PYTHON'
import ctypes, os, shutil, sys, threading

os.rename('file-003', 'renamed')
os.rename('renamed', os.path.abspath('renamed again'))
os.replace('file-004', 'file-005')
os.rename('file-006', 'file-006')
os.mkdir('directory')
os.rmdir('directory')
libc = ctypes.CDLL(None, use_errno=True)
if libc.renameat2(-100, b'file-007', -100, b'file-008', 2) != 0:
    sys.exit('RENAME_EXCHANGE: ' + os.strerror(ctypes.get_errno()))
for i in range(10, 20):
    thread = threading.Thread(target=os.unlink, args=('file-%03d' % i,))
    thread.start()
    thread.join()
for i in range(20, 30):
    if os.fork() == 0:
        os.unlink('file-%03d' % i)
        os._exit(0)
    os.wait()
shutil.rmtree(sys.argv[1])
PYTHON
}

prepare_busybox() {
    tree "$1/tree"
    tree "$1/other"
    files "$1/single" "$(scaled 100)"
}

act_busybox() {
    busybox=$(command -v busybox)
    for file in "$1"/single/*; do
        "$busybox" rm "$file"
    done
    "$busybox" rm -r "$1/tree"
    cd "$1"
    "$busybox" sh -c 'for d in other/?; do rm -rf "$d"; done; rmdir single; exec rm -r other'
}

prepare_rsync() {
    tree "$1/source"
    cp -a "$1/source" "$1/target"
    tree "$1/target/gone"
    nasty_names "$1/target/b"
    for i in 1 2 3; do
        echo changed >"$1/source/c/file-00$i"
    done
    cp -a "$1/target" "$1/after"
}

act_rsync() {
    rsync -r --delete "$1/source/" "$1/target"
    cd "$1"
    rsync -r --delete-after source/ after
}

prepare_tmpfiles() {
    for each in old young; do
        tree "$1/$each"
    done
    find "$1/old" -depth -exec touch -d '3 days ago' {} +
    printf 'd %s - - - mM:1d\n' "$1/old" "$1/young" >"$1/clean.conf"
}

act_tmpfiles() {
    systemd-tmpfiles --clean "$1/clean.conf"
}

prepare_stress_ng() {
    mkdir "$1/tmp"
}

act_stress_ng() {
    stress-ng -q --temp-path "$1/tmp" \
        --dentry 1 --dentry-ops "$(scaled 200)" --dentries 50 \
        --dir 1 --dir-ops "$(scaled 100)" --dir-dirs 64 \
        --dirdeep 1 --dirdeep-ops 50 --dirdeep-inodes 100 \
        --rename 1 --rename-ops "$(scaled 200)" \
        --touch 1 --touch-ops "$(scaled 100)" \
        --filename 1 --filename-ops 3 \
        --link 1 --link-ops 1 \
        --hdd 1 --hdd-ops 20 --hdd-bytes 1M
}

prepare_relative() {
    tree "$1/here"
    tree "$1/there"
    mkdir "$1/elsewhere" "$1/here/empty"
}

# What audit writes down as a path is the working directory and the name.
act_relative() {
    cd "$1/elsewhere"
    python3 - "$1" <<'PYTHON'
import os, sys

here = os.open(sys.argv[1] + '/here', os.O_RDONLY)
there = os.open('../there/a', os.O_PATH)
os.unlink('file-001', dir_fd=here)
os.unlink('a/x/../file-001', dir_fd=here)
os.unlink('y/file-002', dir_fd=there)
os.rename('file-001', 'moved', src_dir_fd=there, dst_dir_fd=here)
os.rename('x', 'b/moved-directory', src_dir_fd=there, dst_dir_fd=here)
os.unlink('b/moved-directory/file-001', dir_fd=here)
os.fchdir(here)
os.unlink('file-002')
os.chdir('../there')
os.rename('../here/file-003', 'b/file-003')
os.chdir('a/y')
for name in os.listdir('.'):
    os.unlink(name)
os.rmdir('../y')
os.rmdir('c/x/../z and space/../../empty', dir_fd=here)
PYTHON
    rm -rf ../here/a ../there/b
    cd /
    rm -rf "$1/there/../here"
}

prepare_processes() {
    files "$1" 60
}

# Fork without exec, exec after exec, orphans, and a shell that ends before its children do.
act_processes() {
    cd "$1"
    sh -c 'exec sh -c "exec rm file-001"'
    sh -c '(rm file-002); (exec rm file-003); rm file-004 & wait'
    (sleep 0.1 && exec rm file-005) &
    sh -c '(sleep 0.1; exec rm file-006) & (sleep 0.1; rm file-007) &'
    setsid sh -c 'sh -c "sleep 0.1; rm file-008" &'
    printf '%s\n' file-01? | xargs -n 1 -P 2 rm
    printf '%s\n' file-02? | xargs rm
    env -i rm file-030
    nice rm file-031
    timeout 10 rm file-032
    python3 -c 'import subprocess as s; [s.run(["rm", "file-04%d" % i]) for i in range(10)]'
    for file in file-05?; do
        rm "$file" &
    done
    wait
    tries=100
    while [ -e file-006 ] || [ -e file-007 ] || [ -e file-008 ]; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || exit 1
        sleep 0.05
    done
}

prepare_users() {
    files "$1" 40
    chmod 0777 "$1"
}

# Real, effective and login user differ from root's and from each other's.
act_users() {
    cd "$1"
    setpriv --reuid=65534 --regid=65534 --clear-groups rm file-001
    setpriv --ruid=65534 --rgid=65533 --clear-groups rm file-002
    setpriv --euid=65533 --egid=65532 --clear-groups rm file-003
    python3 - <<'PYTHON'
import os, sys

# What login and sshd do in their children.
for i in range(10, 15):
    if os.fork() == 0:
        with open('/proc/self/loginuid', 'w') as f:
            f.write('%d' % (1000 + i))
        if i % 2 == 0:
            os.setresuid(1000, 2000 + i, 0)
        os.execlp('rm', 'rm', 'file-%03d' % i)
    if os.wait()[1] != 0:
        sys.exit(1)
# The same without an exec behind it.
for i in range(20, 25):
    if os.fork() == 0:
        os.setresgid(2000 + i, 3000 + i, 0)
        os.setresuid(2000 + i, 3000 + i, 0)
        os.unlink('file-%03d' % i)
        os._exit(0)
    if os.wait()[1] != 0:
        sys.exit(1)
PYTHON
}

case $1 in
names) echo "$names" ;;
*) "${1}_$2" "$3" ;;
esac
