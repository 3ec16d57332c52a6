"""Commands that are killed before any of their system calls: what they leave is found and cleared by `bundle --gc`."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from archives import samples as a
from harness import host
from harness.killing import Strace, points, some
from harness.user import User
from images import disks, trees
from images.test_iso import make_iso, squash
from images.test_journals import crashed
from images.test_mount_mode import set_process


@pytest.fixture
def strace(runtime):
    return Strace(runtime)


class Left:
    """What commands on images may leave: compared with what there was before."""

    def __init__(self, runtime, work, places=()):
        self.runtime, self.work, self.places = runtime, work, places
        self.before = self.files()
        self.groups = set(host.cgroups_named("swrun-image-"))  # whoever else makes such

    def files(self) -> set[str]:
        found = {str(path) for path in self.work.iterdir()} | {str(path) for path in self.runtime.root.iterdir()}
        return found | {f"{place}/{name}" for place in self.places for name in os.listdir(place) if name.startswith("swrun-")}

    def cgroups(self) -> list[str]:
        """Those of daemons that have ended."""
        found = set(host.cgroups_named("swrun-image-")) - self.groups
        return [str(group) for group in found if not Path("/proc", group.name[12:]).exists()]

    def check(self, when) -> None:
        host.wait_until(lambda: not disks.daemons(self.work), f"qemu-storage-daemon is left {when}")
        host.wait_until(lambda: not disks.loops(self.work), f"loop devices are left {when}")
        assert not host.mounts_below(self.work), when
        host.wait_until(lambda: not self.cgroups(), f"control groups are left {when}")
        assert self.files() == self.before, when
        for path in self.work.rglob("*.json"):
            assert path.name != "attached.json", when


@pytest.fixture
def reached():
    """Counts the runs that were killed: how often a pipe is read and written is not always the same, all else is."""
    fates = []
    yield lambda trace: fates.append("killed by SIGKILL" in trace)
    assert sum(fates) >= 0.9 * len(fates), f"{sum(fates)} of {len(fates)} commands were killed"


def gc(runtime) -> None:
    cleared = runtime.command("bundle", "--gc")
    assert cleared.status == 0 and cleared.stderr == "", cleared


def members() -> bytes:
    with open(os.environ["CONFORMANCE_BUSYBOX"], "rb") as file:
        busybox = file.read()
    return a.tar(
        a.directory("bin"), a.member("bin/busybox", data=busybox, mode=0o755), a.symlink("bin/true", "busybox"),
        a.directory("d", mode=0o500, uid=5), a.member("d/f", data=b"x"), a.hard_link("h", "d/f"), a.directory("proc"))


def container_image(work, form):
    if form == "docker-archive":
        path = a.docker_archive(work / "image.tar", [members(), a.tar(a.member("d/.wh.f"))], {"Volumes": {"/d": {}}})
        subprocess.run(["gzip", path], check=True)
        return f"{path}.gz"
    layout = a.Layout(work / "layout")
    layout.write(layout.image(members(), name="n", config={"Cmd": ["/bin/true"], "Volumes": {"/d": {}}}))
    return f"oci:{layout.path}:n"


def image(kind, work, samples):
    """An image and the flags that go with it."""
    if kind in ("docker-archive", "oci"):
        return [container_image(work, kind)]
    if kind == "remote":
        subprocess.run(["skopeo", "copy", "-q", container_image(work, "oci"), f"dir:{work}/dir"], check=True)
        return [f"dir:{work}/dir"]
    if kind == "tar":
        (work / "x.tar").write_bytes(members())
        return [work / "x.tar"]
    if kind == "directory":
        trees.system(work / "tree", samples.busybox)
        return [work / "tree"]
    if kind == "iso":
        trees.system(work / "tree", samples.busybox)
        squash(work / "tree", work / "iso/live/filesystem.squashfs")
        return [make_iso(work / "x.iso", work / "iso")]
    if kind == "journal":
        return [disks.convert(crashed(work, samples, "ext4"), work / "crash.qcow2", "qcow2")]
    image = disks.blank(work / "x.raw", 32 * disks.MIB)
    disks.make(image, "ext4")
    with disks.mounted(image) as root:
        trees.system(root, samples.busybox)
    if kind.startswith("qcow2"):
        image = disks.convert(image, work / "x.qcow2", "qcow2")
    return [image, *(["--mode", "mount"] if kind.endswith("mounted") else [])]


def killed_at_each_point(words, work, strace):
    """Makes the bundle once, and then up to each point of that; gives the trace and the point. The first bundle is removed."""
    found = some(points(strace(*words)))
    assert len(found) > 12 and (work / "bundle/config.json").exists(), found
    host.remove_tree(work / "bundle")
    for point in found:
        yield strace(*words, point=point), point


KINDS = ["tar", "docker-archive", "oci", "remote", "directory", "raw", "qcow2", "journal", "iso", "qcow2-mounted"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bundle_in_the_making(runtime, bundler, work, samples, strace, reached, kind):
    """Half a bundle, and all that it was being made from"""
    words = ["bundle", *image(kind, work, samples), "-o", work / "bundle", "--progress", "none"]
    left = Left(runtime, work)
    for trace, point in killed_at_each_point(words, work, strace):
        reached(trace)
        gc(runtime)
        if (work / "bundle").exists():  # all that was left to do was to say so
            assert (work / "bundle/config.json").exists(), f"half a bundle has its name after {point}"
            host.remove_tree(work / "bundle")
        left.check(f"after {point}")


@pytest.mark.parametrize("kind", ["tar", "oci", "raw"])
def test_a_bundle_in_the_making_with_subordinate_ids(runtime, bundler, work, samples, strace, reached, kind):
    """What belongs to other users than the one who clears it"""
    words = ["bundle", *image(kind, work, samples), "-o", work / "bundle", "--progress", "none"]
    user = User(runtime.directory)
    for path in (work, runtime.root):
        os.chown(path, user.uid, user.gid)
    runtime.wrapper = user.wrapper()
    left = Left(runtime, work, [user.home])
    for trace, point in killed_at_each_point(words, work, strace):
        reached(trace)
        gc(runtime)
        if (work / "bundle").exists():
            runtime.command("bundle", "--remove", work / "bundle").ok()
        left.check(f"after {point}")
    runtime.wrapper = []


@pytest.mark.parametrize("kind", ["raw-mounted", "qcow2-mounted"])
@pytest.mark.parametrize("command", ["create", "delete"])
def test_a_container_that_runs_from_an_image(runtime, bundler, work, samples, strace, reached, kind, command):
    """What is attached for it"""
    bundle = set_process(bundler(*image(kind, work, samples)), "/bin/sleep", "1000")
    id = runtime.new_id()
    left = Left(runtime, work)
    create, delete = ["create", "--bundle", bundle, id], ["delete", "--force", id]
    out = runtime.directory / "out"

    def run(point=None):
        if command == "create":
            return strace(*create, point=point, stdout=out)
        runtime.command(*create, stdout=out).ok()
        return strace(*delete, point=point)

    for _ in range(2):  # the first time more is made
        trace = run()
        runtime.command(*delete)
    found = some(points(trace), most=2)
    assert len(found) > 5, found
    left.check("before")
    for point in found:
        reached(run(point))
        assert runtime.command(*delete).stderr == "", point
        gc(runtime)
        left.check(f"after {point}")


@pytest.mark.parametrize("kind", ["-Q", "--image"])
def test_a_launch(runtime, bundler, work, samples, strace, reached, kind, one_at_a_time):
    """What was attached or unpacked for it, and its container"""
    source = image("qcow2" if kind == "-Q" else "docker-archive", work, samples)
    id = runtime.new_id()
    words = ["launch", "--name", id, kind, *source, "-C", "/bin/true"]
    left = Left(runtime, work, ["/var/tmp"])
    found = some(points(strace(*words)), most=2)
    assert len(found) > 20, found
    left.check("before")
    for number, point in enumerate(found):
        reached(strace(*words, point=point))
        if number % 3 == 0:  # the next one does it as well
            runtime.command("launch", "--name", id, kind, *source, "-C", "/bin/true").ok()
        else:
            gc(runtime)
        left.check(f"after {point}")


def test_a_bundle_that_is_removed(runtime, bundler, work, samples, strace):
    words = ["bundle", *image("oci", work, samples), "-o", work / "bundle"]
    left = Left(runtime, work)
    runtime.command(*words).ok()
    found = some(points(strace("bundle", "--remove", work / "bundle")))
    assert len(found) > 5, found
    left.check("before")
    for point in found:
        runtime.command(*words).ok()
        strace("bundle", "--remove", work / "bundle", point=point)
        gc(runtime)
        if (work / "bundle").exists():
            assert json.loads((work / "bundle/config.json").read_text()) and (work / "bundle/rootfs/bin/busybox").exists()
            shutil.rmtree(work / "bundle")
        left.check(f"after {point}")
