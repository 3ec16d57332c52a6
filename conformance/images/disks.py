"""Disk images for the tests. Partitions are reached by offset: not every kernel reads partition tables."""

import fcntl
import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from harness import host

MIB = 1 << 20
ROOT_UUID = "11111111-1111-4111-8111-111111111111"
BOOT_UUID = "22222222-2222-4222-8222-222222222222"
HOME_UUID = "33333333-3333-4333-8333-333333333333"
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
ROOT_X86_64 = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"

MKFS = {
    "ext2": ["mke2fs", "-q", "-F", "-t", "ext2"],
    "ext4": ["mke2fs", "-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=0", "-N", "1024"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "btrfs": ["mkfs.btrfs", "-q", "-f"],
}


def blank(path: Path, size: int) -> Path:
    with open(path, "wb") as file:
        file.truncate(size)
    return path


def partition(path: Path, script: str) -> list[tuple[int, int]]:
    """Writes a partition table; where the partitions lie, in bytes."""
    subprocess.run(["sfdisk", "-q", str(path)], input=script, text=True, check=True, stderr=subprocess.PIPE)
    table = json.loads(host.command("sfdisk", "-J", path))["partitiontable"]
    sector = table.get("sectorsize", 512)
    return [(part["start"] * sector, part["size"] * sector) for part in table["partitions"]]


@contextmanager
def loop(path: Path, place: tuple[int, int] | None = None):
    words = ["losetup", "-f", "--show"]
    if place:
        words += ["-o", str(place[0]), "--sizelimit", str(place[1])]
    device = host.command(*words, path).strip()
    try:
        yield device
    finally:
        host.command("losetup", "-d", device)


@contextmanager
def mounted(path: Path, place: tuple[int, int] | None = None, options="rw"):
    point = path.parent / f"mnt-{path.name}-{place[0] if place else 0}"
    point.mkdir(exist_ok=True)
    with loop(path, place) as device:
        host.command("mount", "-o", options, device, point)
        try:
            yield point
        finally:
            host.command("umount", point)
            point.rmdir()


def make(path: Path, kind: str, place: tuple[int, int] | None = None, uuid: str | None = None, label="") -> None:
    words = list(MKFS[kind])
    if uuid:
        words += ["-m", f"uuid={uuid}"] if kind == "xfs" else ["-U", uuid]
    if label:
        words += ["-L", label]
    with loop(path, place) as device:
        host.command(*words, device)


def convert(path: Path, target: Path, format: str, *options) -> Path:
    words = [word for option in options for word in (["-c"] if option == "-c" else ["-o", option])]
    host.command("qemu-img", "convert", "-f", "raw", "-O", format, *words, path, target)
    return target


def patch(path: Path, offset: int, content: bytes) -> Path:
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(content)
    return path


def loops(directory: Path) -> list[str]:
    """The loop devices that say they are of a file below the directory (loop(4), LOOP_GET_STATUS64)."""
    found = []
    for device in Path("/sys/block").glob("loop*/loop"):
        path = Path("/dev", device.parts[3])
        try:
            with open(path, "rb") as file:
                status = fcntl.ioctl(file, 0x4C05, bytes(232))
        except OSError:
            continue
        name = status[56:120].split(b"\0")[0].decode(errors="replace")
        if str(directory).startswith(name) or name.startswith(f"{directory}/"):
            found.append(f"{path} {name}")
    return found


def daemons(directory: Path) -> list[int]:
    """The daemons that read a file below the directory; other tests may have theirs."""
    files = {(status.st_dev, status.st_ino) for status in map(os.stat, directory.glob("*.*"))}
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and b"qemu-storage-daemon" in (process / "cmdline").read_bytes():
                status = os.stat(process / "root/image0")
                if (status.st_dev, status.st_ino) in files:
                    found.append(int(process.name))
        except OSError:
            pass
    return found


def allocated(path: Path) -> int:
    return os.stat(path).st_blocks * 512
