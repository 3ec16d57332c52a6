"""A container runs straight from its image: nothing is copied, and nothing is left when it is deleted."""

import hashlib
import json
import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from harness import host
from harness.booting import INIT, booted
from images import disks, trees
from images.disks import MIB, ROOT_UUID


def set_process(bundle, *args):
    path = bundle / "config.json"
    config = json.loads(path.read_text())
    config["process"]["args"] = list(args)
    config["process"]["terminal"] = False
    path.write_text(json.dumps(config))
    return bundle


@pytest.fixture
def image(samples, work):
    """The same tree in every format; an image of the test's own."""
    def make(name="image.qcow2", format="qcow2", *options):
        return disks.convert(samples.whole(), work / name, format, *options)

    return make


@pytest.fixture
def mounted(bundler, image):
    return set_process(bundler(image(), "--mode", "mount"), "/bin/sleep", "1000")


def attached(bundle):
    return json.loads((bundle / "attached.json").read_text())


@pytest.mark.parametrize(("name", "format"), [
    ("a.qcow2", "qcow2"), ("a.raw", "raw"), ("a.vmdk", "vmdk"), ("a.vdi", "vdi"), ("a.vhdx", "vhdx"), ("a.vhd", "vpc")])
def test_a_container_runs_from_the_image(runtime, bundler, image, name, format):
    bundle = set_process(bundler(image(name, format), "--mode", "mount"), "/bin/sh", "-c", "cat /etc/os-release; echo x > /new")
    assert list((bundle / "rootfs").iterdir()) == []
    result = runtime.command("run", "--bundle", bundle, runtime.unique()).ok()
    assert "Sample Linux" in result.stdout
    assert (bundle / ".image/upper0/new").read_text() == "x\n", "what the container writes is in the bundle"
    assert list((bundle / "rootfs").iterdir()) == []
    assert not (bundle / "attached.json").exists()


def test_the_pieces_are_there_until_delete(runtime, bundler, mounted):
    name = runtime.unique()
    runtime.command("create", "--bundle", mounted, name).ok()
    pieces = attached(mounted)
    assert sorted(host.mounts_below(mounted)) == sorted(pieces["mounts"])
    assert len(disks.loops(bundler.directory)) == 1
    assert disks.daemons(bundler.directory) == [pieces["helper"]]
    for group in pieces["cgroups"]:
        assert open(f"{group}/cgroup.procs").read().split()
    assert all("swrun-image-" in group for group in pieces["cgroups"]) and pieces["cgroups"]
    want = trees.manifest(mounted / ".image/lower0")
    assert (mounted / "rootfs/etc/hostname").read_text() == "samplevm\n" and want
    runtime.command("start", name).ok()
    runtime.command("delete", "--force", name).ok()
    assert not (mounted / "attached.json").exists() and not host.mounts_below(mounted)
    for group in pieces["cgroups"]:
        assert not os.path.exists(group)


def test_a_second_container_of_the_bundle_is_refused(runtime, bundler, mounted):
    first, second = runtime.unique(), runtime.unique()
    runtime.command("create", "--bundle", mounted, first).ok()
    result = runtime.command("create", "--bundle", mounted, second)
    assert result.status == 1 and "another container runs from this bundle" in result.stderr
    assert (mounted / "rootfs/etc/hostname").exists(), "the first one keeps its root"
    runtime.command("delete", "--force", first).ok()


def test_a_create_that_fails_leaves_nothing(runtime, bundler, mounted):
    set_process(mounted, "/bin/sleep", "1")
    config = json.loads((mounted / "config.json").read_text())
    config["mounts"].append({"destination": "/x", "type": "bind", "source": "/nonexistent", "options": ["bind"]})
    (mounted / "config.json").write_text(json.dumps(config))
    assert runtime.command("create", "--bundle", mounted, runtime.unique()).status == 1
    assert not host.mounts_below(mounted) and not (mounted / "attached.json").exists()


def test_volumes_of_fstab_are_mounted_too(runtime, bundler, samples, work):
    path = disks.blank(work / "two.raw", 64 * MIB)
    places = disks.partition(path, "label: dos\nsize=32M, type=83\nsize=24M, type=83\n")
    disks.make(path, "ext4", places[0], ROOT_UUID)
    with disks.mounted(path, places[0]) as root:
        trees.system(root, samples.busybox, fstab="LABEL=data /srv/data ext4 defaults 0 0\n")
        (root / "srv/data").mkdir()
    disks.make(path, "ext4", places[1], None, "data")
    with disks.mounted(path, places[1]) as data:
        (data / "there").write_text("there")
    bundle = set_process(bundler(path, "--mode", "mount"), "/bin/cat", "/srv/data/there")
    assert runtime.command("run", "--bundle", bundle, runtime.unique()).ok().stdout == "there"


def test_a_subvolume_of_btrfs_is_the_root(runtime, bundler, samples, work):
    path = disks.blank(work / "btrfs.raw", 128 * MIB)
    disks.make(path, "btrfs")
    with disks.mounted(path) as top:
        disks.host.command("btrfs", "-q", "subvolume", "create", top / "@")
        trees.system(top / "@", samples.busybox)
    bundle = set_process(bundler(path, "--mode", "mount"), "/bin/cat", "/etc/hostname")
    assert runtime.command("run", "--bundle", bundle, runtime.unique()).ok().stdout == "samplevm\n"


def test_a_killed_daemon_is_an_error_and_no_hang(runtime, bundler, mounted):
    """kill -9: what was not read before is an I/O error; delete clears everything"""
    name = runtime.unique()
    runtime.command("create", "--bundle", mounted, name).ok()
    os.kill(attached(mounted)["helper"], signal.SIGKILL)
    host.wait_until(lambda: not disks.daemons(bundler.directory), "the daemon lives")
    with pytest.raises(OSError) as error:
        for index in range(8):
            os.stat(mounted / "rootfs/srv/odd")
            (mounted / "rootfs/srv/odd" / ("suid", "sgid", "cap", "xattr", "acl", "hl-a", "sparse-mid", "mode0")[index]).read_bytes()[:1]
    assert error.value.errno == 5
    runtime.command("delete", "--force", name).ok()
    assert not host.mounts_below(mounted) and not (mounted / "attached.json").exists()


def test_an_image_that_was_changed_is_refused(runtime, bundler, mounted):
    os.utime(bundler.directory / "image.qcow2", (1, 1))
    result = runtime.command("create", "--bundle", mounted, runtime.unique())
    assert result.status == 1 and "was changed after the bundle was made; make the bundle again" in result.stderr


def test_gc_clears_what_a_crash_has_left(runtime, bundler, mounted):
    """The state of the container is gone, as after a restart of the machine's runtime directory"""
    name = runtime.unique()
    runtime.command("create", "--bundle", mounted, name).ok()
    assert runtime.command("bundle", "--gc").ok().stdout == "", "a container uses it"
    pid = json.loads(runtime.command("state", name).ok().stdout)["pid"]
    kept = bundler.directory / "kept"
    os.rename(runtime.root / name, kept)
    os.kill(pid, signal.SIGKILL)
    # what the container had besides, its record still tells
    assert f"detached the image of {mounted}" in runtime.command("bundle", "--gc").ok().stdout
    assert not host.mounts_below(mounted) and not disks.daemons(bundler.directory)
    os.rename(kept, runtime.root / name)
    runtime.command("delete", "--force", name).ok()


def test_gc_removes_unfinished_bundles(runtime, bundler, samples, work):
    image = disks.blank(work / "big.raw", 192 * MIB)
    disks.make(image, "ext4")
    with disks.mounted(image) as root:
        trees.system(root, samples.busybox)
        for number in range(100):
            (root / "srv" / str(number)).write_bytes(os.urandom(MIB))
    qcow2 = disks.convert(image, work / "big.qcow2", "qcow2")
    process = runtime.spawn("bundle", qcow2, "-o", work / "killed")
    host.wait_until(lambda: [p for p in work.glob("killed.partial-*/rootfs/srv/*")], "nothing is copied")
    process.kill()
    process.wait()
    assert list(work.glob("killed.partial-*"))
    assert "removed the unfinished bundle" in runtime.command("bundle", "--gc").ok().stdout
    assert not list(work.glob("killed*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_nothing(runtime, bundler, samples, work, number):
    image = disks.blank(work / "big.raw", 192 * MIB)
    disks.make(image, "ext4")
    with disks.mounted(image) as root:
        trees.system(root, samples.busybox)
        for index in range(100):
            (root / "srv" / f"{index}-\udce9").write_bytes(os.urandom(MIB))
    qcow2 = disks.convert(image, work / "big.qcow2", "qcow2")
    process = runtime.spawn("bundle", qcow2, "-o", work / "stopped", stderr=subprocess.PIPE, text=True)
    host.wait_until(lambda: [p for p in work.glob("stopped.partial-*/rootfs/srv/*")], "nothing is copied")
    process.send_signal(number)
    _, printed = process.communicate(timeout=host.timeout(10))
    assert process.returncode == 128 + number and f"interrupted by signal {int(number)}" in printed
    assert not list(work.glob("stopped*"))


def test_launch_runs_a_command_in_an_image(runtime, bundler, image, work, one_at_a_time):
    (work / "shared").mkdir()
    (work / "shared/file").write_text("from the host")
    result = runtime.command("launch", "-Q", image(), "-v", f"{work}/shared:/mnt", "-C", "/bin/cat /etc/hostname /mnt/file")
    assert result.ok().stdout == "samplevm\nfrom the host"
    assert not list(Path("/var/tmp").glob("swrun-image-*"))


def test_a_launch_that_is_killed_leaves_its_image_to_the_next_one(runtime, image, one_at_a_time):
    """launch -Q: what is attached for it"""
    def left():
        return sorted(Path("/var/tmp").glob("swrun-image-*")) + sorted(runtime.root.glob("swrun-image-*"))

    before, id, out = left(), runtime.new_id(), runtime.directory / "up"
    with open(out, "wb") as stdout:
        process = runtime.spawn(
            "launch", "--name", id, "-Q", image(), "-C", "/bin/sh -c 'echo up; exec sleep 1000'", stdout=stdout)
    host.wait_until(lambda: out.read_text() == "up\n" or process.poll() is not None, "the container runs", 60)
    (place,) = set(left()) - set(before)
    process.kill()
    process.wait(host.timeout(10))
    assert place.exists()
    runtime.command("launch", "--name", runtime.new_id(), "-Q", image(), "-C", "/bin/true", seconds=60).ok()
    assert not place.exists() and id not in runtime.state_entries()
    assert not [point for point in host.mounts_below(place)]
    runtime.expect_nothing()


def test_a_system_boots_from_its_image(runtime, bundler, work, samples, one_at_a_time):
    """launch --boot -Q"""
    image = disks.blank(work / "system.raw", 32 * MIB)
    disks.make(image, "ext4")
    with disks.mounted(image) as root:
        trees.system(root, samples.busybox)
        (root / "sbin/init").unlink()
        (root / "sbin/init").write_text(INIT)
        (root / "sbin/init").chmod(0o755)
    qcow2 = disks.convert(image, work / "system.qcow2", "qcow2")
    digest = hashlib.sha256(qcow2.read_bytes()).digest()
    assert booted(runtime, "-Q", qcow2) == "pid 1 user 0 container=swrun A="
    assert not list(Path("/var/tmp").glob("swrun-image-*"))
    assert hashlib.sha256(qcow2.read_bytes()).digest() == digest


def test_launch_of_no_image_is_an_error(runtime, bundler, work):
    (work / "text").write_text("no image")
    result = runtime.command("launch", "-Q", work / "text", "-C", "/bin/true")
    assert result.status == 1 and "has neither a partition table nor a filesystem" in result.stderr


@pytest.mark.parametrize("place", ["removed", "var/lib/docker/overlay2", "var/lib/containers/storage/overlay"])
def test_what_an_overlay_would_hide_is_told(bundler, samples, work, place):
    """Marks of overlayfs at the top, and layers of containers that the machine has"""
    image = disks.blank(work / "x.raw", 32 * MIB)
    disks.make(image, "ext4")
    with disks.mounted(image) as root:
        trees.system(root, samples.busybox)
        if place == "removed":
            os.mknod(root / place, stat.S_IFCHR, os.makedev(0, 0))
        else:
            (root / place / "0123abcd").mkdir(parents=True)
    target = bundler.target()
    result = bundler.runtime.command("bundle", image, "--mode", "mount", "-o", target).ok()
    assert f"/{place} " in result.stderr and "cannot be seen; --mode copy keeps it" in result.stderr
    assert not bundler.runtime.command("bundle", image, "-o", bundler.target()).ok().stderr


def test_container_images_cannot_be_mounted(bundler, samples, work):
    (work / "tree").mkdir()
    trees.system(work / "tree", samples.busybox)
    disks.host.command("tar", "-C", work / "tree", "-cf", work / "x.tar", ".")
    assert "only disk images and ISO images can be mounted; use --mode copy" in bundler.refused(work / "x.tar", "--mode", "mount")

