"""Disk images as an ordinary user: raw images with ext2 to ext4 through fuse2fs, anything else is refused clearly."""

import os
import shutil
import subprocess

import pytest

from harness import host
from images import disks, trees


@pytest.fixture
def as_user(bundler, work):
    """Runs swrun as user 1000 in a directory of his."""
    work.chmod(0o755)
    home = work / "home"
    home.mkdir()
    os.chown(home, 1000, 1000)
    # The program may be where the user cannot go.
    program = shutil.copy(bundler.runtime.program, work / "swrun")

    def run(*words):
        command = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "env", f"XDG_RUNTIME_DIR={home}",
                   program, *map(str, words)]
        return bundler.runtime.command_words(command, seconds=60)

    yield run
    host.wait_until(lambda: not host.mounts_below(work), "a mount is left")
    assert not list(home.glob("swrun-mount-*"))


@pytest.fixture
def image(samples, work):
    path = disks.blank(work / "user.raw", 48 * disks.MIB)
    places = disks.partition(path, "label: dos\ntype=83\n")
    disks.make(path, "ext4", places[0])
    with disks.mounted(path, places[0]) as root:
        trees.system(root, samples.busybox)
        (root / "etc/shadow").write_text("of the image")
        (root / "etc/shadow").chmod(0o600)
        (root / "srv/link").hardlink_to(root / "etc/hostname")
        disks.os.chown(root / "srv", 5, 5)
    return path


def test_a_raw_image_with_ext4_is_copied(as_user, image, work):
    """Files belong to the user; content, modes, links and times are the image's"""
    result = as_user("bundle", image, "-o", work / "home/bundle")
    assert result.status == 0, result
    rootfs = work / "home/bundle/rootfs"
    assert (rootfs / "etc/shadow").read_text() == "of the image"
    assert (rootfs / "etc/shadow").stat().st_mode & 0o7777 == 0o600
    assert (rootfs / "srv").stat().st_uid == 1000
    assert (rootfs / "srv/link").stat().st_nlink == 2
    assert os.readlink(rootfs / "bin/sh") == "busybox"
    listing = subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout
    assert str(image) not in listing, "fuse2fs is left"


def test_what_needs_the_kernel_is_refused(as_user, samples, work):
    for kind in ("xfs", "btrfs"):
        result = as_user("bundle", samples.whole(kind), "-o", work / "home/bundle")
        assert result.status == 1 and "fuse2fs reads only ext2, ext3 and ext4" in result.stderr, result
    result = as_user("bundle", samples.converted("plain.qcow2", "qcow2"), "-o", work / "home/bundle")
    assert result.status == 1 and "reading qcow2 needs root" in result.stderr, result
    assert set(os.listdir(work / "home")) <= {"swrun"}, "the state root and nothing else"
