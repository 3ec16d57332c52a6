"""Kills commands of the runtime right before one of their system calls."""

import re
import shutil

import pytest

# Calls that change something, or wait for somebody: between two of them there is nothing that a kill could break.
CHANGES = (
    "bpf clone3 execveat fchownat flock fsconfig fsmount fsopen ioctl linkat mkdirat mknodat mount mount_setattr move_mount "
    "open_tree openat pidfd_send_signal poll recvmsg renameat renameat2 rmdir sendmsg sendto setxattr symlinkat umount2 "
    "unlinkat unshare wait4 waitid write"
).split()


def points(text: str) -> list[tuple[str, int]]:
    """The changing calls of a trace: the name, and which of that name it is."""
    found, counts = [], {}
    for line in text.splitlines():
        match = re.match(r"(\w+)\((.*)", line)
        if match:
            name, arguments = match.groups()
            counts[name] = counts.get(name, 0) + 1
            is_reading = name == "openat" and not re.search(r"O_CREAT|O_WRONLY|O_RDWR|O_TMPFILE", arguments)
            if name in CHANGES and not is_reading:
                found.append((name, counts[name]))
    return found


def some(found: list[tuple[str, int]], most=4) -> list[tuple[str, int]]:
    """Of each call the first ones and the last ones: a tree has many files, and one is like the other."""
    kept = []
    for name in dict(found):
        times = [point for point in found if point[0] == name]
        half = most // 2
        kept += times if len(times) <= most else times[:half] + times[-half:]
    return [point for point in found if point in kept]


class Strace:
    def __init__(self, runtime):
        if runtime.name != "swrun":
            pytest.skip("the system calls of a runtime with many threads have no order")
        if not shutil.which("strace"):
            pytest.skip("strace is not installed")
        self.runtime = runtime

    def __call__(self, *words, point=None, stdout=None) -> str:
        """Runs a command of the runtime, up to a point if one is given; gives the trace."""
        log = self.runtime.root.parent / "trace"
        log.write_text("")
        log.chmod(0o666)  # also for an ordinary user
        inject = ["-e", f"inject={point[0]}:signal=KILL:when={point[1]}"] if point else []
        wrapper = self.runtime.wrapper
        command = self.runtime.words(*words)[len(wrapper):]
        self.runtime.command_words([*wrapper, "strace", "-o", log, *inject, *command], stdout=stdout)
        return log.read_text(errors="replace")
