"""Disk images as an ordinary user: raw images with ext2 to ext4 through fuse2fs, anything else is refused clearly."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from harness import host
from harness.user import User
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
    """Files belong to the user, who has no other ids; content, modes, links and times are the image's"""
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


# With subordinate ids


@pytest.fixture
def lana(bundler, work):
    """Commands are from here on those of a user who has subordinate ids."""
    made = User(bundler.runtime.directory)
    for path in (work, bundler.runtime.root):
        os.chown(path, made.uid, made.gid)
    bundler.runtime.wrapper = made.wrapper()
    yield made
    bundler.runtime.wrapper = []


@pytest.fixture
def owned(samples, work):
    """A disk with files of several owners, and a program that may do more than its caller."""
    path = disks.blank(work / "owned.raw", 32 * disks.MIB)
    disks.make(path, "ext4")
    with disks.mounted(path) as root:
        trees.system(root, samples.busybox)
        (root / "srv/secret").write_text("of user 7")
        (root / "srv/secret").chmod(0o600)
        os.chown(root / "srv/secret", 7, 8)
        (root / "srv/link").symlink_to("secret")
        os.chown(root / "srv/link", 1000, 1000, follow_symlinks=False)
        (root / "srv/beyond").touch()
        os.chown(root / "srv/beyond", 500_000, 5)
        shutil.copy("/bin/true", root / "srv/cap")
        host.command("setcap", "cap_net_raw+ep", root / "srv/cap")
        os.setxattr(root / "srv/secret", "user.comment", b"kept")
    return path


def ids(path) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_uid, status.st_gid


def test_other_owners_are_subordinate_ids(bundler, owned, lana, runtime):
    """and capabilities are for a container in which the user is root"""
    bundle = bundler(owned, "--init", "/bin/busybox stat -c %u:%g /srv/secret /srv/link /srv /srv/cap")
    srv = bundle / "rootfs/srv"
    assert ids(srv / "secret") == (lana.first + 6, lana.first + 7) and ids(srv / "link") == (lana.first + 999, lana.first + 999)
    assert ids(srv) == ids(srv / "cap") == (lana.uid, lana.gid)
    assert ids(srv / "beyond") == (lana.first + 65533, lana.first + 4), "nobody's"
    assert (srv / "secret").read_text() == "of user 7" and os.getxattr(srv / "secret", "user.comment") == b"kept"
    assert os.getxattr(srv / "cap", "security.capability")[20:] == lana.uid.to_bytes(4, "little")
    result = runtime.command("run", "--bundle", bundle, runtime.new_id())
    assert result.ok().stdout.split() == ["7:8", "1000:1000", "0:0", "0:0"]
    assert not list(Path("/tmp").glob("swrun-mount-*")) and not list(lana.home.glob("swrun-mount-*"))
    runtime.command("bundle", "--remove", bundle).ok()


def test_a_device_that_is_closed_to_users_is_named(bundler, owned, lana):
    """fuse2fs opens it"""
    os.mknod(lana.etc / "@dev@fuse", stat.S_IFCHR | 0o600, os.makedev(10, 229))
    assert "cannot mount the whole disk (ext4) as an ordinary user" in (error := bundler.refused(owned)) and "/dev/fuse" in error


def test_all_can_belong_to_the_user(bundler, owned, lana):
    bundle = bundler(owned, "--id-map", "self")
    assert ids(bundle / "rootfs/srv/secret") == ids(bundle / "rootfs/srv/beyond") == (lana.uid, lana.gid)
    assert (bundle / "rootfs/srv/secret").read_text() == "of user 7"
