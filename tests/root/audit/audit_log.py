# SPDX-License-Identifier: MIT
"""audit_log.py - what auditd's log says of deletions, and of the lives of the processes that did them.

An event is several lines of one serial number, and events of several CPUs are interleaved. A value is text in quotes
or, where it holds a space, a quote or anything else but plain ASCII, its bytes in hexadecimal.

A deletion's own line has no arguments; those are in the line of the process's last exec, or its parent's if it never
executed a program, so forks are followed, too. Neither are its paths good for much: a relative name is written beside
the working directory even if it was relative to another one. What is right is the number of the directory's inode,
so with mkdir's events and a listing from before the paths are built anew.

Limits: the time is when the system call began, in steps of some milliseconds, the serial number about when it ended. A
pid that is used again within one such step is taken for the earlier process.

Source: auparse; kernel/auditsc.c of Linux 6.18, audit_log_exit(), audit_log_execve_info().
"""

import bisect
import os
import re
from dataclasses import dataclass, field

EVENT = re.compile(rb'^type=(\w+) msg=audit\((\d+\.\d+):(\d+)\): ?(.*)$')
FIELD = re.compile(rb'(\w+)=("[^"]*"|\S+)')
ARGUMENT = re.compile(rb'\ba(\d+)(?:\[\d+\])?=("[^"]*"|\S+)')
UNSET = '4294967295'


def unquote(value):
    """The bytes of a value that audit takes for untrusted; None for (null)."""
    if value.startswith(b'"'):
        return value[1:-1]
    return None if value == b'(null)' else bytes.fromhex(value.decode())


@dataclass
class Event:
    serial: int
    time: float
    syscall: dict = None
    cwd: bytes = b''
    arguments: dict = None
    paths: list = field(default_factory=list)

    def add(self, kind, text):
        if kind == b'SYSCALL':
            self.syscall = dict(FIELD.findall(text))
        elif kind == b'CWD':
            self.cwd = unquote(dict(FIELD.findall(text))[b'cwd'])
        elif kind == b'PATH':
            self.paths.append(dict(FIELD.findall(text)))
        elif kind == b'EXECVE':
            # A long argument comes in pieces, many arguments in several lines.
            self.arguments = self.arguments or {}
            for i, value in ARGUMENT.findall(text):
                i = int(i)
                self.arguments[i] = self.arguments.get(i, b'') + unquote(value)

    def device(self):
        return self.paths[0][b'dev'].decode() if self.paths else None

    def number(self, key):
        return int(self.syscall[key])

    def text(self, key):
        return self.syscall[key].decode()


def read_events(path):
    """All events that are about a system call, by serial number."""
    events = {}
    with open(path, 'rb') as log:
        for line in log:
            match = EVENT.match(line.rstrip(b'\n'))
            if not match:
                continue
            kind, time, serial, text = match.groups()
            serial = int(serial)
            if serial not in events:
                events[serial] = Event(serial, float(time))
            events[serial].add(kind, text)
    return [events[serial] for serial in sorted(events) if events[serial].syscall]


class Lives:
    """Forks and execs by pid; a pid may have been several processes."""

    def __init__(self, events):
        self.forks = {}
        self.execs = {}
        for event in events:
            if event.syscall.get(b'key') != b'"whodunlink-life"':
                continue
            if event.arguments is not None:
                self.execs.setdefault(event.number(b'pid'), []).append(event)
            elif not event.paths:
                self.forks.setdefault(event.number(b'exit'), []).append(event)
        for forks in self.forks.values():
            forks.sort(key=lambda event: event.time)

    def birth(self, pid, time):
        forks = self.forks.get(pid, [])
        i = bisect.bisect_right([event.time for event in forks], time)
        return forks[i - 1] if i else None

    def parent(self, pid, time):
        """Who forked it; None if that was not audited."""
        birth = self.birth(pid, time)
        return birth.number(b'pid') if birth else None

    def args(self, pid, serial, time):
        """Its arguments at an event, None if neither it nor whom it descends from was seen to execute anything."""
        birth = self.birth(pid, time)
        since = birth.time if birth else 0
        for event in reversed(self.execs.get(pid, [])):
            if event.serial < serial and event.time >= since:
                return [event.arguments[i] for i in sorted(event.arguments)]
        return self.args(birth.number(b'pid'), birth.serial, birth.time) if birth else None


@dataclass
class Deletion:
    event: Event
    device: str
    action: str  # unlink, rmdir, move, overwrite
    pid: int
    inode: str
    path: bytes  # built anew
    target: bytes  # where it was moved to; where what replaced it was before
    said_path: bytes  # the working directory and the name, as ausearch -i has it
    args: list


class Directories:
    """Paths of directories by (device, inode), as they are at one moment of the log."""

    def __init__(self):
        self.paths = {}

    def add(self, device, inode, path):
        self.paths[device, inode] = path

    def join(self, parent, item):
        directory = self.paths.get((parent[b'dev'].decode(), parent[b'inode'].decode()))
        name = os.path.basename(unquote(item[b'name']).rstrip(b'/'))
        return directory + b'/' + name if directory is not None else None

    def remove(self, device, inode):
        self.paths.pop((device, inode), None)

    def move(self, old, new):
        for key, path in self.paths.items():
            if path == old or path.startswith(old + b'/'):
                self.paths[key] = new + path[len(old):]


def items(event, kind):
    return [path for path in event.paths if path[b'nametype'] == kind]


def is_directory(item):
    return int(item[b'mode'], 8) & 0o170000 == 0o040000


def is_renamed(event):
    return items(event, b'DELETE') and items(event, b'CREATE')


def new_directory_is_first(events):
    """Whether a rename's lines name the new directory before the old one.

    They come in the order in which the kernel's compiler has the arguments of one call evaluated, so it is asked of
    those renames where the names tell.
    """
    votes = set()
    for event in (event for event in events if is_renamed(event)):
        # Audit does not have the name of each, least of all of what others on the machine rename.
        ends = [os.path.dirname(unquote(items(event, kind)[0][b'name']) or b'') for kind in (b'DELETE', b'CREATE')]
        named = [(unquote(item[b'name']) or b'').rstrip(b'/') for item in items(event, b'PARENT')]
        if ends[0] != ends[1] and named in (ends, ends[::-1]):
            votes.add(named != ends)
    if len(votes) > 1:
        raise ValueError('the order of a rename\'s directories is not always the same')
    return votes == {True}


def said(event, item):
    return os.path.normpath(os.path.join(event.cwd, unquote(item[b'name'])))


class Replay:
    """Goes through the log in its order, and knows each directory's path on the way."""

    def __init__(self, events, lives, directories, devices):
        self.lives = lives
        self.directories = directories
        self.deletions = []
        self.n_without_effect = 0
        self.is_new_first = new_directory_is_first(events)
        for event in events:
            if event.syscall.get(b'key') == b'"whodunlink-deletion"' and event.device() in devices:
                self.take(event)

    def take(self, event):
        parents, deleted, created = (items(event, kind) for kind in (b'PARENT', b'DELETE', b'CREATE'))
        if created and not deleted:
            device, inode = created[0][b'dev'].decode(), created[0][b'inode'].decode()
            path = self.directories.join(parents[0], created[0])
            if path is not None:
                self.directories.add(device, inode, path)
        elif created:
            self.take_rename(event, parents, deleted, created)
        elif deleted:
            self.add(event, 'rmdir' if is_directory(deleted[0]) else 'unlink', parents[0], deleted[0])
            if is_directory(deleted[0]):
                self.directories.remove(deleted[0][b'dev'].decode(), deleted[0][b'inode'].decode())
        else:
            # From one name of a file to another of the same file: POSIX has it succeed and do nothing.
            self.n_without_effect += 1

    def take_rename(self, event, parents, deleted, created):
        """A rename, two for RENAME_EXCHANGE: what is created was somewhere else before; what was not is replaced."""
        if self.is_new_first:
            parents = parents[::-1]
        moved = {target[b'inode'] for target in created}
        replaced = [v for v in deleted if v[b'inode'] not in moved]
        moves = []
        for source, target in ((s, t) for t in created for s in deleted if s[b'inode'] == t[b'inode']):
            ends = (parents[0], parents[-1]) if target is created[0] else (parents[-1], parents[0])
            moves.append((self.directories.join(ends[0], source), self.directories.join(ends[1], target)))
            if replaced:
                self.add(event, 'overwrite', ends[1], replaced[0], ends[0], source)
            else:
                self.add(event, 'move', ends[0], source, ends[1], target)
        for old, new in moves:
            if is_directory(created[0]) and old is not None and new is not None:
                self.directories.move(old, new)

    def add(self, event, action, parent, item, target_parent=None, target=None):
        pid = event.number(b'pid')
        deletion = Deletion(event, item[b'dev'].decode(), action, pid, item[b'inode'].decode(),
                            self.directories.join(parent, item),
                            self.directories.join(target_parent, target) if target else None,
                            said(event, item), self.lives.args(pid, event.serial, event.time))
        self.deletions.append(deletion)
        return deletion
