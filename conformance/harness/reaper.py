"""Processes of a test: those that it starts, and those that fall to it when a runtime exits.

The test process is a child subreaper, as an engine's monitor is. The first process of a container therefore becomes
its child as soon as the runtime that made it has gone: its exit status is collected here, and a process that nobody
ended shows up as a child that is left over.
"""

import ctypes
import os
import subprocess
import threading
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36

_changed = threading.Condition()
_known: dict[int, int | None] = {}
_orphans: dict[int, int] = {}
_apart: set[int] = set()


def start() -> None:
    """Makes this process a subreaper and starts to collect what ends."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    threading.Thread(target=_collect, daemon=True).start()


def _collect() -> None:
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            time.sleep(0.002)
            continue
        if ended is None:
            continue
        with _changed:  # Popen holds it until the pid is known
            try:
                pid, status = os.waitpid(ended.si_pid, os.WNOHANG)
            except ChildProcessError:
                continue
            if pid == 0:
                continue
            code = os.waitstatus_to_exitcode(status)
            if pid in _known:
                _known[pid] = code
            else:
                _orphans[pid] = code
            _changed.notify_all()


class Process(subprocess.Popen):
    """A child whose end is collected by the thread above."""

    def __init__(self, *arguments, **options):
        with _changed:
            super().__init__(*arguments, **options)
            _known[self.pid] = None
            _orphans.pop(self.pid, None)

    def poll(self):
        with _changed:
            if self.returncode is None:
                self.returncode = _known.get(self.pid)
            return self.returncode

    def wait(self, timeout=None):
        limit = None if timeout is None else time.monotonic() + timeout
        with _changed:
            if self.returncode is not None:
                return self.returncode
            while _known.get(self.pid) is None:
                rest = None if limit is None else limit - time.monotonic()
                if rest is not None and rest <= 0:
                    raise subprocess.TimeoutExpired(self.args, timeout)
                _changed.wait(rest)
            self.returncode = _known[self.pid]
            return self.returncode


def orphan_status(pid: int, timeout: float) -> int:
    """The exit code of a process that a runtime left to us; negative: the signal that ended it."""
    limit = time.monotonic() + timeout
    with _changed:
        while pid not in _orphans:
            rest = limit - time.monotonic()
            if rest <= 0:
                raise TimeoutError(f"process {pid} did not end within {timeout} s")
            _changed.wait(rest)
        return _orphans[pid]


def forget() -> None:
    """Between two tests: process numbers come back."""
    with _changed:
        _orphans.clear()
        for pid in [pid for pid, code in _known.items() if code is not None]:
            del _known[pid]


def set_apart(process: Process) -> None:
    """For a process that serves many tests: it is nothing that one of them has left behind."""
    _apart.add(process.pid)


def descendants(root: int | None = None) -> list[int]:
    """All the processes below one, those that ended and were not yet collected left out. Below this one, if none is
    named, and then without those that are set apart."""
    found = []
    pending = [root or os.getpid()]
    while pending:
        parent = pending.pop()
        for task in _tasks(parent):
            try:
                children = [int(pid) for pid in (task / "children").read_text().split()]
            except OSError:
                continue
            if root is None:
                children = [pid for pid in children if pid not in _apart]
            pending += children
            found += children
    return [pid for pid in found if _alive(pid)]


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # it has ended
        return []


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
