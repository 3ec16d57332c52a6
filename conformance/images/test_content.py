"""The content of files is taken from the image's own file where that has it as it is: it is the same, however it lies there."""

import os
import random

import pytest

from images import disks, trees
from images.disks import MIB


def scattered(root, seed):
    """Files in many pieces, with holes, with room that holds nothing yet, and longer or shorter than that."""
    noise = random.Random(seed)
    odd = root / "srv/scattered"
    odd.mkdir()
    with open(odd / "pieces", "wb") as one, open(odd / "others", "wb") as two:
        for number in range(600):
            for file in (one, two):  # by turns: neither is in one piece
                file.write(noise.randbytes(4096 + number % 3))
                file.flush()
                if number % 20 == 0:
                    os.fdatasync(file.fileno())
    with open(odd / "holes", "wb") as file:
        for number in range(400):
            file.seek(number * 12288 + number % 5)
            file.write(noise.randbytes(1 + number * 7 % 5000))
        file.truncate(8 * MIB + 3)
    with open(odd / "reserved", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, MIB + 100)
        file.seek(300_000)
        file.write(noise.randbytes(5000))
    with open(odd / "kept", "wb") as file:
        file.write(noise.randbytes(10_001))
        disks.host.command("fallocate", "--keep-size", "-l", 2 * MIB, odd / "kept")
    (odd / "small").write_bytes(b"x")
    (odd / "empty").touch()


@pytest.fixture(scope="module", params=["ext4", "xfs"])
def disk(request, samples):
    image = disks.blank(samples.directory / f"scattered-{request.param}.raw", (64 if request.param == "ext4" else 320) * MIB)
    places = disks.partition(image, "label: dos\nstart=2048, type=83\n")
    disks.make(image, request.param, places[0])
    with disks.mounted(image, places[0]) as root:
        trees.system(root, samples.busybox)
        scattered(root, 1)
        if request.param == "xfs":
            disks.host.command("cp", "--reflink=always", root / "srv/scattered/pieces", root / "srv/shared")
        os.sync()
        want = trees.manifest(root)
    return image, want


@pytest.mark.parametrize("options", [
    ("raw",), ("qcow2",), ("qcow2", "cluster_size=512"), ("qcow2", "cluster_size=2097152"), ("qcow2", "compat=0.10"),
    ("qcow2", "cluster_size=131072,extended_l2=on"), ("qcow2", "-c"), ("vmdk",)], ids=lambda options: "-".join(options))
def test_content_is_the_same_in_every_form(bundler, disk, work, options):
    image, want = disk
    if options[0] != "raw":
        image = disks.convert(image, work / f"x.{options[0]}", *options)
    assert trees.differences(want, trees.manifest(bundler(image) / "rootfs")) == []


def test_clusters_of_zeros_and_compressed_ones_among_others(bundler, disk, work):
    """As they are in an image that was compressed, then written to, then trimmed"""
    raw, _ = disk
    image = disks.convert(raw, work / "x.qcow2", "qcow2", "-c")
    data = raw.read_bytes()
    with disks.mounted(raw, (2048 * 512, raw.stat().st_size - 2048 * 512), "ro,norecovery") as root:
        start = data.index((root / "srv/scattered/others").read_bytes()[:4096])
    for flags, place in (("-z", start), ("-z -u", start + (2 << 16)), ("-P 7", start + (4 << 16))):
        disks.host.command("qemu-io", "-c", f"write {flags} {place // 4096 * 4096} 4096", image)
    again = work / "again.raw"
    disks.host.command("qemu-img", "convert", "-O", "raw", image, again)
    want = trees.manifest(bundler(again) / "rootfs")
    assert trees.differences(want, trees.manifest(bundler(image) / "rootfs")) == []
