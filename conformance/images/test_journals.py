"""Images of machines that were not shut down: what their journals hold belongs to the system, and the image stays as it is."""

import os
import shutil
from pathlib import Path

import pytest

from images import disks, trees
from images.disks import MIB
from images.test_mount_mode import attached, set_process

SIZES = {"ext4": 48 * MIB, "xfs": 320 * MIB, "btrfs": 128 * MIB}
LATE = "written last\n" * 20000


def crashed(work: Path, samples, kind: str, name="crash.raw") -> Path:
    """The disk of a machine whose power was cut right after fsync(2)."""
    image = disks.blank(work / "running.raw", SIZES[kind])
    disks.make(image, kind)
    with disks.mounted(image) as root:
        trees.system(root, samples.busybox)
        (root / "srv/late").write_text("written first\n")
    with disks.mounted(image) as root:
        fd = os.open(root / "srv/late", os.O_WRONLY)
        os.write(fd, LATE.encode())
        os.fsync(fd)
        os.close(fd)
        disks.host.command("cp", "--sparse=always", image, work / name)
    image.unlink()
    return work / name


def seen(path: Path):
    return path.stat().st_mtime_ns, disks.host.command("sha1sum", path)


@pytest.mark.parametrize("format", ["raw", "qcow2"])
@pytest.mark.parametrize("kind", SIZES)
def test_a_journal_is_replayed_and_the_image_stays_as_it_is(bundler, samples, work, kind, format):
    image = crashed(work, samples, kind)
    if format != "raw":
        image = disks.convert(image, work / f"crash.{format}", format)
    before = seen(image)
    bundle = bundler(image)
    assert (bundle / "rootfs/srv/late").read_text() == LATE
    assert bundler.config(bundle)["annotations"]["swrun.journal"] == "replayed"
    assert seen(image) == before
    assert set(os.listdir(bundle)) == {"rootfs", "config.json"}


@pytest.mark.parametrize("kind", SIZES)
def test_a_container_that_runs_from_the_image_sees_what_the_journal_holds(bundler, samples, work, runtime, kind):
    image = disks.convert(crashed(work, samples, kind), work / "crash.qcow2", "qcow2")
    before = seen(image)
    bundle = set_process(bundler(image, "--mode", "mount"), "/bin/cat", "/srv/late")
    assert runtime.command("run", "--bundle", bundle, runtime.unique()).ok().stdout == LATE
    name = runtime.unique()
    runtime.command("create", "--bundle", bundle, name).ok()
    assert disks.daemons(work) == [attached(bundle)["helper"]], "the one that reads only has ended"
    groups = attached(bundle)["cgroups"]
    runtime.command("delete", "--force", name).ok()
    assert not any(os.path.exists(group) for group in groups)
    assert seen(image) == before and not (bundle / ".journal").exists()


def test_looking_replays_nothing(bundler, samples, work):
    for kind in SIZES:
        assert "journal not replayed" in bundler.layout(crashed(work, samples, kind)), kind


def without_daemon(bundler, *words):
    """In a mount namespace in which qemu-storage-daemon is missing."""
    script = 'mkdir -p "$1"; cp -a /usr/bin/. "$1"/; rm "$1"/qemu-storage-daemon; mount --bind "$1" /usr/bin; shift; exec "$@"'
    hidden = bundler.directory / "bin"
    result = bundler.runtime.command_words(
        ["unshare", "--mount", "sh", "-c", script, "sh", str(hidden), *bundler.runtime.words(*words)], seconds=60)
    shutil.rmtree(hidden)
    return result


@pytest.mark.parametrize("kind", ["ext4", "btrfs"])
def test_a_journal_that_cannot_be_replayed_is_told(bundler, samples, work, kind):
    """Raw images are read without qemu-storage-daemon, but not written upon"""
    target = bundler.target()
    result = without_daemon(bundler, "bundle", crashed(work, samples, kind), "-o", target).ok()
    assert "the machine was not shut down, and the journal of what it had at / cannot be replayed (it needs qemu-storage-daemon)" in result.stderr
    assert bundler.config(target)["annotations"]["swrun.journal"] == "dirty"
    assert (target / "rootfs/etc/hostname").exists()


def test_a_damaged_journal_is_told(bundler, samples, work):
    """What was written before is there all the same"""
    image = crashed(work, samples, "ext4")
    inode = disks.host.command("debugfs", "-R", "stat <8>", image)
    block = int(inode.split("EXTENTS:")[1].split("):")[1].split("-")[0].split()[0].rstrip(","))
    size = int([line for line in disks.host.command("dumpe2fs", "-h", image).splitlines() if "Block size" in line][0].split()[-1])
    disks.patch(image, block * size, bytes(size))
    target = bundler.target()
    result = bundler.runtime.command("bundle", image, "-o", target).ok()
    assert "cannot be replayed (fsconfig" in result.stderr
    assert (target / "rootfs/etc/hostname").read_text() == "samplevm\n"
