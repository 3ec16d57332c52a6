"""The root filesystem is one directory from the first look at it to the last, though its name may come to mean another."""

import os
from pathlib import Path

from harness import host
from security.support import RACES


def test_a_root_filesystem_whose_name_is_a_link_is_mounted_once(runtime, bundle, canary):
    """config.md, Root: path; the link is followed, or refused, and what it leads to gets no more than a mount point"""
    (bundle.path / "link").symlink_to(bundle.rootfs)
    bundle.config["root"]["path"] = "link"
    result = runtime.run(bundle)
    if result.status == 0:
        assert result.seen.report["cwd"] == "/"


def test_the_root_filesystem_may_be_swapped_for_a_link_to_the_host(runtime, bundle, canary, attacker):
    """root.path changes its meaning while the container is made: it is the image, or the canary, but not half of each"""
    (bundle.path / "other").symlink_to(canary.path)
    for name in ("proc", "dev", "sys"):
        (canary.path / name).mkdir()
    canary.renew()
    attacker.exchange(bundle.rootfs, bundle.path / "other")
    for _ in range(RACES):
        container = runtime.try_create(bundle)
        if container.created.status == 0:
            root = f"/proc/{container.pid}/root"
            assert os.path.exists(f"{root}/bin/probe") != os.path.exists(f"{root}/content")
            if os.path.exists(f"{root}/content"):
                assert not os.path.exists(f"{root}/bin")
        container.delete("--force")
    found = {path.name for path in canary.path.iterdir()}
    assert found <= {"content", "empty", "program", "proc", "dev", "sys"}, "something was made in a directory of the host"


def _devices() -> dict:
    """What is in /dev; terminals of others come and go."""
    paths = [path for path in Path("/dev").rglob("*") if not str(path).startswith(("/dev/pts/", "/dev/shm/"))]
    return {path: (path.lstat().st_mode, path.lstat().st_uid, path.lstat().st_rdev, path.lstat().st_ino) for path in paths}


def test_the_whole_host_as_root_filesystem_keeps_its_mounts_and_devices(runtime, bundle):
    """root.path /, with no other mount than /proc: what is done to /dev would be done to the host's"""
    before, devices = open("/proc/self/mountinfo").read(), _devices()
    bundle.config["root"] = {"path": "/", "readonly": True}
    bundle.config["mounts"] = [mount for mount in bundle.config["mounts"] if mount["destination"] == "/proc"]
    bundle.linux |= {"maskedPaths": ["/proc/keys", "/dev/full"], "readonlyPaths": ["/dev/pts"]}
    runtime.try_create(bundle).delete("--force")
    assert open("/proc/self/mountinfo").read() == before
    assert _devices() == devices


def test_a_mount_that_the_root_filesystem_brings_along_at_dev_loses_nothing(runtime, bundle):
    """a root filesystem that is a directory with a mounted /dev, such as the host's own, where ptmx is a device"""
    for name in ("/dev/mqueue", "/dev/shm", "/dev/pts", "/dev"):
        bundle.without_mount(name)
    dev = bundle.rootfs / "dev"
    host.command("mount", "-t", "tmpfs", "dev", dev)
    os.mknod(dev / "ptmx", 0o020666, os.makedev(5, 2))
    before = (dev / "ptmx").lstat()
    runtime.try_create(bundle).delete("--force")
    after = (dev / "ptmx").lstat()
    host.unmount_below(bundle.rootfs)
    assert (after.st_mode, after.st_rdev, after.st_ino) == (before.st_mode, before.st_rdev, before.st_ino)
