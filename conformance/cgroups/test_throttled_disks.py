"""Limits of block devices are felt (config-linux.md, Block IO), on a loop device of the test's own."""

import os
import time

import pytest

from harness import host, limits

MIB = 1 << 20


@pytest.fixture
def disk(runtime):
    """A block device: its path, and its number for linux.resources."""
    if not {"blkio", "io"} & set(limits.controllers()):
        pytest.skip("this host has no controller of block devices")
    file = runtime.directory / "disk"
    file.write_bytes(bytes(16 * MIB))
    path = host.command("losetup", "--find", "--show", file).strip()
    number = os.stat(path).st_rdev
    yield path, {"major": os.major(number), "minor": os.minor(number)}
    host.command("losetup", "--detach", path)


def _seconds(runtime, bundle, disk, block_io: dict, words: str) -> float:
    """How long a container takes with its dd."""
    path, number = disk
    bundle.linux["devices"] = [{"path": "/dev/disk", "type": "b", "fileMode": 0o600, **number}]
    bundle.linux["resources"] = {"devices": [{"allow": True, "type": "b", "access": "rw", **number}], "blockIO": block_io}
    container = runtime.create(bundle.shell(f"busybox dd {words} bs=64k count=32 && echo done"))
    began = time.monotonic()
    container.start().ok()
    container.wait(seconds=30)
    assert container.text == "done\n"
    return time.monotonic() - began


WRITE = "if=/dev/zero of=/dev/disk oflag=direct"
READ = "if=/dev/disk of=/dev/null iflag=direct"


@pytest.mark.parametrize("property, words", [("throttleWriteBpsDevice", WRITE), ("throttleReadBpsDevice", READ)], ids=["write", "read"])
def test_two_mebibytes_at_one_a_second_take_their_time(runtime, make_bundle, disk, property, words):
    """bytes a second"""
    free = _seconds(runtime, make_bundle(), disk, {}, words)
    slow = _seconds(runtime, make_bundle(), disk, {property: [disk[1] | {"rate": MIB}]}, words)
    assert slow > free + 1, (slow, free)


@pytest.mark.parametrize("property, words", [("throttleWriteIOPSDevice", WRITE), ("throttleReadIOPSDevice", READ)], ids=["write", "read"])
def test_32_requests_at_16_a_second_take_their_time(runtime, make_bundle, disk, property, words):
    """requests a second"""
    free = _seconds(runtime, make_bundle(), disk, {}, words)
    slow = _seconds(runtime, make_bundle(), disk, {property: [disk[1] | {"rate": 16}]}, words)
    assert slow > free + 1, (slow, free)
