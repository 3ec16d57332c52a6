"""The machine below: control groups, mounts, capabilities, and what must not change there."""

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

from .reaper import Process

CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()


def timeout(seconds: float) -> float:
    """A time limit, stretched on slow machines (an emulated one is 20 times slower)."""
    return seconds * float(os.environ.get("CONFORMANCE_TIME_SCALE", "1"))


def wait_until(condition, what: str, seconds=10.0):
    """Waits until a function returns something true, which it returns."""
    limit = time.monotonic() + timeout(seconds)
    while not (value := condition()):
        assert time.monotonic() < limit, f"{what}: not within {seconds} s"
        time.sleep(0.004)
    return value


def namespaces(pid) -> dict[str, int]:
    """The namespaces of a process, as the probe prints its own."""
    kinds = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
    return {kind: os.stat(f"/proc/{pid}/ns/{kind}").st_ino for kind in kinds}


def kernel() -> tuple[int, int]:
    major, minor = platform.release().split(".")[:2]
    return int(major), int("".join(c for c in minor if c.isdigit()))


def own_bounding_set() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    raise RuntimeError("/proc/self/status has no CapBnd")


def may_grant(capability: str) -> bool:
    """Whether the runtime can grant CAP_X at all: it cannot give what it lacks."""
    return bool(own_bounding_set() >> CAPABILITIES.index(capability.removeprefix("CAP_")) & 1)


def hierarchies() -> dict[str, Path]:
    """The control group hierarchies that this process sees: controllers (or "v2") and mount point."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        kind, _, options = right.split()[:3]
        point = left.split()[4]
        if point in found.values() or not point.startswith("/sys/fs/cgroup") or not _is_seen(point, left.split()[2]):
            continue
        if kind == "cgroup2":
            found["v2"] = Path(point)
        elif kind == "cgroup":
            found[",".join(o for o in options.split(",") if o not in ("rw", "ro", "xattr"))] = Path(point)
    return found


def _is_seen(point: str, device: str) -> bool:
    """Whether a mount is not covered by a later one."""
    try:
        status = os.stat(point)
    except OSError:
        return False
    return f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}" == device


def cgroups_named(part: str) -> list[Path]:
    """The control groups whose name contains a text, deepest first."""
    found = []
    for point in set(hierarchies().values()):
        for directory, names, _ in os.walk(point):
            found += [Path(directory, name) for name in names if part in name]
            if len(Path(directory).relative_to(point).parts) >= 4:
                names.clear()
    deep = []
    for top in found:
        deep += [Path(directory) for directory, _, _ in os.walk(top)]
    return sorted(set(deep), key=lambda path: -len(path.parts))


def mounts_below(directory: Path) -> list[str]:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [point for point in points if point == str(directory) or point.startswith(f"{directory}/")]


def unmount_below(directory: Path) -> None:
    for point in reversed(mounts_below(directory)):
        command("umount", "-l", point, check=False)


def command(*arguments, check=True, **options) -> str:
    """Runs a tool of the host; what it prints."""
    process = Process([str(a) for a in arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    printed, _ = process.communicate(timeout=timeout(30))
    if check and process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {printed}")
    return printed


def snapshot() -> dict[str, object]:
    """What a runtime must leave as it was."""
    devices = {}
    for path in sorted(Path("/dev").rglob("*")):
        if not str(path).startswith(("/dev/pts/", "/dev/shm/", "/dev/mqueue/")):
            status = path.lstat()
            devices[str(path)] = (oct(status.st_mode), status.st_uid, status.st_gid, status.st_rdev)
    return {
        "devices": devices,
        "mounts": sorted(line.split(" ", 2)[2] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        "cgroups": sorted(
            str(path) for point in set(hierarchies().values()) for path in point.iterdir() if path.is_dir()),
        "hostname": platform.node(),
        "interfaces": sorted(os.listdir("/proc/sys/net/ipv4/conf")),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
    }


def remove_tree(directory: Path) -> None:
    unmount_below(directory)
    shutil.rmtree(directory, ignore_errors=True)
