# SPDX-License-Identifier: MIT
"""compare.py - every deletion that audit saw against every record, both ways; a TAP report.

A pair is what has the same operation, pid, inode and name; times do not count, since a record has that of its reading.
What audit and the monitor say of a pair must be equal. Three differences are explained, checked and counted apart:

  parent  audit's is that at the deletion, the monitor's that at the fork; so where the parent ended in between they
          differ, but then audit's event of the fork names the monitor's
  chroot  audit's path of the program begins at the process's root directory, the monitor's at the machine's
  path    audit's is the working directory and the name, wrong for most *at() calls; the monitor's must be the one that
          comes from the directory's inode, and whatever vanished from the listings must have its record

A fact that a record lacks is a difference like any other; but of one process in a hundred those may be unknown that it
took with it before they were read and that its exit record does not hold, since the host of a virtual machine can take
its CPUs away for longer than an rm lives (test_storm.c asks for more). How many it were is printed.
"""

import argparse
import base64
import collections
import json
import os
import sys
from dataclasses import dataclass

import audit_log

SHOWN = 10
# All that these do is to delete what was listed before, each thing once.
ONLY_DELETE = ('rm', 'find', 'git_clean', 'make', 'busybox', 'tmpfiles')
FACTS = ('ppid', 'uid', 'euid', 'egid', 'auid', 'comm', 'exe', 'args')
# What a process can have taken with it: the program is in the exit record, but only as an inode.
MAY_LACK = {'exec': ('exe', 'args'), 'live': ('exe', 'args'), 'exit': ('euid', 'egid', 'auid', 'exe', 'args')}
Filesystem = collections.namedtuple('Filesystem', 'name root device')


@dataclass
class Record:
    action: str
    pid: int
    inode: str
    path: bytes
    target: bytes
    facts: dict


def exact(holder, key, raw_holder=None, raw_key=None):
    """A string's exact bytes, None if there is no such string."""
    raw = (raw_holder or holder).get(raw_key or key + '_raw')
    if raw is not None:
        return base64.b64decode(raw)
    return holder[key].encode() if key in holder else None


def record_args(process):
    if 'args_raw' in process:
        return [base64.b64decode(raw) for raw in process['args_raw']]
    return [arg.encode() for arg in process['args']] if 'args' in process else None


def record_facts(process, r):
    ids = {'uid': process.get('real_user'), 'euid': process.get('user'), 'egid': process.get('group')}
    name = exact(process, 'name')
    return {
        'ppid': process.get('parent', {}).get('pid'),
        **{key: value['id'] if value else None for key, value in ids.items()},
        'auid': r.get('user', {}).get('audit', {}).get('id', audit_log.UNSET),
        # The kernel's name is cut; the monitor may know the rest of it.
        'comm': name[:15] if name is not None else None,
        'exe': exact(process, 'executable'),
        'args': record_args(process),
        'is_args_cut': r.get('whodunlink', {}).get('args_cut', False),
        'attribution': r.get('whodunlink', {}).get('attribution'),
    }


def is_beginning_or_end(record):
    """Of the watch, whose coverage is told behind its start."""
    return record['event']['action'] in ('start', 'stop') or record['message'].startswith('watching ')


def read_records(path):
    """Return: the deletions, and what was said that is neither of one nor of the watch's start and end."""
    records, others = [], []
    with open(path, 'rb') as lines:
        for line in lines:
            r = json.loads(line)
            action = r['event']['action']
            if action not in ('unlink', 'rmdir', 'move', 'overwrite'):
                others += [r['message']] if not is_beginning_or_end(r) else []
                continue
            process = r.get('process', {})
            extra = r.get('whodunlink', {})
            records.append(Record(action, process.get('pid'), r['file'].get('inode'),
                                  exact(r['file'], 'path', extra, 'path_raw') or b'',
                                  exact(r['file'], 'target_path', extra, 'target_path_raw'),
                                  record_facts(process, r)))
    return records, others


def read_list(lists, workload, fs, when):
    """Return: {path: (inode, type)} of find's listing."""
    listing = {}
    with open(os.path.join(lists, f'{workload}-{fs.name}-{when}'), 'rb') as f:
        for entry in f.read().split(b'\0')[:-1]:
            inode, kind, path = entry.split(b' ', 2)
            listing[path] = (inode.decode(), kind)
    return listing


def audit_facts(deletion):
    event = deletion.event
    return {
        'ppid': event.number(b'ppid'),
        **{key: event.text(key.encode()) for key in ('uid', 'euid', 'egid', 'auid')},
        'comm': audit_log.unquote(event.syscall[b'comm']),
        'exe': audit_log.unquote(event.syscall[b'exe']),
        'args': deletion.args,
    }


class Report:
    """The differences and the explained ones of one workload on one filesystem."""

    def __init__(self, workload, fs):
        self.name = f'{workload} on {fs.name}'
        self.root = os.path.join(fs.root, workload).encode()
        self.n_events = self.n_records = 0
        self.differences = []
        self.explained = collections.Counter()

    def differ(self, text):
        self.differences.append(text)


def describe(path):
    return path.decode(errors='backslashreplace') if path is not None else '(unknown)'


class Comparison:
    def __init__(self, options):
        self.filesystems = options.filesystem
        self.reports = {(w, fs.name): Report(w, fs) for fs in self.filesystems for w in options.workload}
        self.rest = Report('elsewhere', Filesystem('both', '', ''))
        self.lists = {key: [read_list(options.lists, key[0], fs, when) for when in ('before', 'after')]
                      for fs in self.filesystems for key in self.reports if key[1] == fs.name}
        self.is_sanitized = options.sanitizer != 'none'
        self.lacking = set()  # (pid, time of its fork)
        self.told_as_moves = set()
        self.records, self.others = read_records(options.records)
        events = audit_log.read_events(options.log)
        self.lives = audit_log.Lives(events)
        self.replay = audit_log.Replay(events, self.lives, self.known_directories(),
                                       [fs.device for fs in self.filesystems])

    def known_directories(self):
        directories = audit_log.Directories()
        for fs in self.filesystems:
            directories.add(fs.device, str(os.stat(fs.root).st_ino), fs.root.encode())
            for (_, fs_name), (before, _) in self.lists.items():
                for path, (inode, kind) in before.items():
                    if fs_name == fs.name and kind == b'd':
                        directories.add(fs.device, inode, path)
        return directories

    def report_of(self, path):
        for report in self.reports.values():
            if path is not None and (path + b'/').startswith(report.root + b'/'):
                return report
        return self.rest

    def device_of(self, path):
        for fs in self.filesystems:
            if path.startswith(fs.root.encode() + b'/'):
                return fs.device
        return None

    def compare(self):
        waiting = collections.defaultdict(collections.deque)
        for record in self.records:
            self.report_of(record.path).n_records += 1
            key = (record.action, self.device_of(record.path), record.pid, record.inode, os.path.basename(record.path))
            waiting[key].append(record)
        for deletion in self.replay.deletions:
            path = deletion.path or deletion.said_path
            report = self.report_of(path)
            report.n_events += 1
            key = (deletion.action, deletion.device, deletion.pid, deletion.inode, os.path.basename(path))
            if waiting[key]:
                self.compare_pair(report, deletion, waiting[key].popleft())
            elif self.is_told_as_move(deletion, waiting):
                report.explained['replaced, told as a move'] += 1
                self.told_as_moves.add(path)
            else:
                report.differ(f'no record: {deletion.action} {describe(path)} by pid {deletion.pid},'
                              f' {describe(audit_facts(deletion)["comm"])}')
        for record in (record for queue in waiting.values() for record in queue):
            self.report_of(record.path).differ(
                f'no event of audit: {record.action} {describe(record.path)} by pid {record.pid},'
                f' {describe(record.facts["comm"])}, inode {record.inode}')
        for key, lists in self.lists.items():
            self.compare_with_lists(key, *lists)

    def is_told_as_move(self, deletion, waiting):
        """dpkg links its status file to status-old and at once renames over it: the kernel merges what tells of the
        lost name into what tells of the new one (README, "What it cannot see")."""
        if deletion.action != 'overwrite' or not deletion.path.endswith(b'/var/lib/dpkg/status'):
            return False
        for key, queue in waiting.items():
            if key[0] == 'move' and key[2] == deletion.pid and queue and queue[0].path == deletion.target:
                return queue.popleft().target == deletion.path
        return False

    def compare_pair(self, report, deletion, record):
        what = f'{deletion.action} {describe(record.path)} by pid {deletion.pid} ({record.facts["attribution"]})'
        for name, truth in (('path', deletion.path), ('target', deletion.target)):
            told = getattr(record, name)
            if told != truth:
                report.differ(f'{what}: {name} is {describe(truth)}, record says {describe(told)}')
        if deletion.said_path != record.path:
            report.explained['with a wrong path in audit'] += 1
        truths = audit_facts(deletion)
        for fact in FACTS:
            truth, told = truths[fact], record.facts[fact]
            # An absent login user is an unset one, but where only the exit record is known.
            is_unknown = told is None or (fact == 'auid' and told == audit_log.UNSET != truth)
            if is_unknown and (self.is_sanitized or fact in MAY_LACK.get(record.facts['attribution'], ())):
                report.explained[f'without {fact} ({record.facts["attribution"]})'] += 1
                self.lacking.add(self.process_of(deletion))
            elif told != truth and not self.explain(report, fact, truth, deletion, record):
                report.differ(f'{what}: {fact}: audit says {truth}, record {told}')

    def process_of(self, deletion):
        birth = self.lives.birth(deletion.pid, deletion.event.time)
        return deletion.pid, birth.time if birth else None

    def explain(self, report, fact, truth, deletion, record):
        told = record.facts[fact]
        if fact == 'ppid' and told == self.lives.parent(deletion.pid, deletion.event.time):
            report.explained['with another parent than at the fork'] += 1
            return True
        if fact == 'exe' and told == report.root + b'/root' + truth:
            report.explained['in a chroot'] += 1
            return True
        return fact == 'args' and record.facts['is_args_cut'] and truth[:len(told) - 1] == told[:-1]

    def compare_with_lists(self, key, before, after):
        """What is gone from its place has a record, or replaced something that has one, or its directory moved away."""
        report = self.reports[key]
        records = [r for r in self.records if self.report_of(r.path) is report]
        n_records = collections.Counter((r.path, r.inode) for r in records)
        replacing = {r.target for r in records if r.action == 'overwrite'}
        moved = [r.path + b'/' for r in records if r.action == 'move']
        vanished = {(path, inode) for path, (inode, _) in before.items() if after.get(path, (None,))[0] != inode}
        for path, inode in sorted(vanished):
            if n_records[path, inode] == 0 and path not in replacing | self.told_as_moves and not any(
                    path.startswith(prefix) for prefix in moved):
                report.differ(f'gone, but no record: {describe(path)}')
        n_overwrites = sum(r.action == 'overwrite' for r in records)
        if n_overwrites > 0:
            report.explained['replaced by a rename'] += n_overwrites
        if key[0] in ONLY_DELETE:
            for path, inode in n_records:
                if (path, inode) not in vanished or n_records[path, inode] != 1:
                    report.differ(f'{n_records[path, inode]} records of {describe(path)}, inode {inode},'
                                  f' which is {"gone" if (path, inode) in vanished else "not gone"}')


def counted(counter):
    return ''.join(f', {n} {what}' for what, n in sorted(counter.items()))


class Tap:
    def __init__(self, n_points):
        self.i = 0
        self.n_failed = 0
        print(f'1..{n_points}')

    def point(self, is_ok, text, notes):
        self.i += 1
        self.n_failed += not is_ok
        print(f'{"ok" if is_ok else "not ok"} {self.i} - {text}')
        for note in notes[:SHOWN]:
            print('#   ' + note.encode('unicode_escape').decode())
        if len(notes) > SHOWN:
            print(f'#   and {len(notes) - SHOWN} more')


def lacking_allowed(n, sanitizer):
    """A sanitizer makes the monitor slower than the life of an rm; see harness_unknown_allowed()."""
    if 'thread' in sanitizer:
        return n
    return n // 10 + 1 if 'address' in sanitizer else n // 100 + 1


def print_report(comparison, options):
    reports = list(comparison.reports.values())
    tap = Tap(len(reports) + 1)
    for r in reports:
        # A workload that audit saw nothing of proves nothing.
        tap.point(not r.differences and r.n_events > 0, f'{r.name}: {r.n_events} events of audit, {r.n_records} records'
                  f'{counted(r.explained)}', r.differences)

    reports.append(comparison.rest)
    n_events, n_records, n_differences = (sum(n) for n in zip(*((r.n_events, r.n_records, len(r.differences))
                                                                for r in reports)))
    n_processes = len({comparison.process_of(deletion) for deletion in comparison.replay.deletions})
    n_lacking, allowed = len(comparison.lacking), lacking_allowed(n_processes, options.sanitizer)
    notes = comparison.rest.differences + [f'said besides: {text}' for text in comparison.others]
    if options.lost:
        notes.append(f'audit itself lost {options.lost} events, so nothing was compared')
    if n_lacking > allowed:
        notes.append(f'of {n_lacking} processes something is not known, allowed are {allowed}')
    tap.point(not notes and n_differences == 0, f'all: {n_events} events of audit, {n_records} records, {n_differences}'
              f' differences, {n_processes} processes, {n_lacking} of them not fully known'
              f'{counted(sum((r.explained for r in reports), collections.Counter()))},'
              f' {comparison.replay.n_without_effect} renames without effect', notes)
    return tap.n_failed


def parse_options():
    parser = argparse.ArgumentParser()
    for name in ('--log', '--records', '--lists'):
        parser.add_argument(name, required=True)
    parser.add_argument('--lost', type=int, required=True, help='events that the kernel lost, of auditctl -s')
    parser.add_argument('--sanitizer', required=True, help="meson's b_sanitize")
    parser.add_argument('--filesystem', action='append', required=True, metavar='NAME,ROOT,DEVICE',
                        type=lambda s: Filesystem(*s.split(',')))
    parser.add_argument('workload', nargs='+')
    return parser.parse_args()


def main():
    options = parse_options()
    comparison = Comparison(options)
    comparison.compare()
    return 1 if print_report(comparison, options) else 0


if __name__ == '__main__':
    sys.exit(main())
