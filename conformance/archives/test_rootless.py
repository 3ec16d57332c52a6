"""Archives and container images, unpacked by an ordinary user: everything but what only root can do, which is told."""

import gzip
import json
import os
import stat
import struct
import tarfile
from pathlib import Path

import pytest

from harness import host
from harness.errors import refused
from harness.user import User
from archives import samples as a

USER = 23456
# VFS_CAP_REVISION_2 with CAP_NET_RAW permitted and effective, linux/capability.h
CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)


@pytest.fixture
def user(work):
    os.chown(work, USER, USER)
    return {"user": USER, "group": USER, "extra_groups": []}


def members():
    return a.pax((b"SCHILY.xattr.security.capability", CAPABILITY)) + a.tar(
        a.member("ping", data=b"x", mode=0o755), a.member("other", uid=5, gid=6, mode=0o4755), a.directory("closed", mode=0o555),
        a.member("closed/inside", data=b"y", mode=0), a.directory("shut", mode=0), a.member("null", tarfile.CHRTYPE))


@pytest.mark.parametrize("form", ["tar", "oci"])
def test_an_image_is_unpacked_by_an_ordinary_user(make, work, user, form):
    path = work / "image"
    if form == "oci":
        layout = a.Layout(path)
        layout.write(layout.image(members()))
    else:
        path.write_bytes(members())
    made = make(path, **user)
    made.result.ok()
    for name in ("ping", "other", "closed", "closed/inside", "shut"):
        assert (made.rootfs / name).stat().st_uid == USER, name
    assert stat.S_IMODE((made.rootfs / "other").stat().st_mode) == 0o4755
    assert stat.S_IMODE((made.rootfs / "closed").stat().st_mode) == 0o555
    assert stat.S_IMODE((made.rootfs / "shut").stat().st_mode) == 0
    # Revision 3: for a container in which this user is root.
    value = os.getxattr(made.rootfs / "ping", "security.capability")
    assert struct.unpack("<6I", value)[1:] == (1 << 13, 0, 0, 0, USER)
    assert "1 files belong to other users" in made.result.stderr
    assert "1 device nodes were left out" in made.result.stderr


def test_a_failure_leaves_nothing_of_closed_directories(make, work, user):
    (work / "image").write_bytes(members()[:-1024] + a.tar(a.member("..")))
    assert make(work / "image", **user).result.status == 1


def test_the_container_runs(make, work, user, runtime):
    with tarfile.open(work / "image", "w") as file:
        file.add(os.environ["CONFORMANCE_BUSYBOX"], "bin/busybox")
    made = make(work / "image", "--init", "/bin/busybox id", **user)
    made.result.ok()
    words = [runtime.program, "--root", work / "state", "run", "--bundle", made.path, "rootless"]
    result = runtime.command_words(words, **user)
    assert result.ok().stdout.startswith("uid=0 gid=0")


# With subordinate ids


@pytest.fixture
def lana(work, runtime):
    """Commands of the runtime are from here on those of a user who has subordinate ids."""
    made = User(runtime.directory)
    for path in (work, runtime.root):
        os.chown(path, made.uid, made.gid)
    runtime.wrapper = made.wrapper()
    yield made
    runtime.wrapper = []


def owners(made, name) -> tuple[int, int]:
    status = os.lstat(made.rootfs / name)
    return status.st_uid, status.st_gid


def system() -> bytes:
    """A tree with files of root, of a user, of a service in a directory of its own, and of somebody beyond all ids."""
    with open(os.environ["CONFORMANCE_BUSYBOX"], "rb") as file:
        busybox = file.read()
    return a.tar(
        a.directory("bin"), a.member("bin/busybox", data=busybox, mode=0o755), a.directory("etc"),
        a.member("etc/passwd", data=b"root:x:0:0::/:/bin/sh\nbob:x:1000:1001::/:/bin/sh\n"),
        a.member("own", uid=1000, gid=1001, mode=0o4755), a.symlink("link", "own", uid=1000, gid=1001),
        a.directory("service", uid=7, gid=8, mode=0o700), a.member("service/secret", uid=7, gid=8, mode=0o600),
        a.member("beyond", uid=70_000, gid=70_000))


@pytest.fixture(params=["tar", "oci"])
def image(request, work):
    path = work / "image"
    if request.param == "oci":
        layout = a.Layout(path)
        layout.write(layout.image(system()))
        return path
    path.write_bytes(system())
    return path


def remove(made, runtime):
    runtime.command("bundle", "--remove", made.path).ok()
    assert not list(made.path.parent.glob("bundle*"))


def test_other_owners_are_subordinate_ids(make, image, lana, runtime):
    """and config.json maps them: the container sees the owners of the image"""
    made = make(image, "--init", "/bin/busybox stat -c %n_%u_%g /own /link /service /bin /beyond")
    made.result.ok()
    assert owners(made, "bin") == (lana.uid, lana.gid)
    assert owners(made, "own") == owners(made, "link") == (lana.first + 999, lana.first + 1000)
    assert owners(made, "service") == owners(made, "service/secret") == (lana.first + 6, lana.first + 7)
    assert owners(made, "beyond") == (lana.uid, lana.gid)
    assert stat.S_IMODE((made.rootfs / "own").stat().st_mode) == 0o4755
    assert "1 files belong to users in the image for whom you have no subordinate ids" in made.result.stderr
    linux = json.loads((made.path / "config.json").read_text())["linux"]
    assert linux["uidMappings"] == [{"containerID": 0, "hostID": lana.uid, "size": 1},
                                    {"containerID": 1, "hostID": lana.first, "size": lana.count}]
    result = runtime.command("run", "--bundle", made.path, runtime.new_id())
    assert result.ok().stdout.split() == ["/own_1000_1001", "/link_1000_1001", "/service_7_8", "/bin_0_0", "/beyond_0_0"]
    remove(made, runtime)


def test_the_user_of_an_image_runs(make, work, lana, runtime):
    """Whom a namespace of root alone does not have; and his volumes are his"""
    layout = a.Layout(work / "image")
    layout.write(layout.image(system(), config={
        "User": "bob", "Volumes": {"/service": {}}, "Cmd": ["/bin/busybox", "sh", "-c", "/bin/busybox id -u; /bin/busybox stat -c %u /service"]}))
    made = make(layout.path)
    made.result.ok()
    assert runtime.command("run", "--bundle", made.path, runtime.new_id()).ok().stdout.split() == ["1000", "7"]
    remove(made, runtime)


def test_a_failure_leaves_nothing_of_other_owners(make, work, lana):
    (work / "image").write_bytes(system()[:-1024] + a.tar(a.member("..")))
    assert make(work / "image").result.status == 1


@pytest.mark.parametrize("why", ["asked", "no-grant", "no-groups", "no-program", "no-privilege"])
def test_without_subordinate_ids_everything_belongs_to_the_user(make, work, lana, runtime, why):
    (work / "image").write_bytes(system())
    flags = ["--id-map", "self"] if why == "asked" else []
    if why == "no-grant":
        lana.grant("")
    elif why == "no-groups":
        lana.grant(f"lana:{lana.first}:{lana.count}\n", groups="")
    elif why == "no-program":
        lana.replace("/usr/bin/newuidmap", None)
    elif why == "no-privilege":
        lana.replace("/usr/bin/newgidmap", Path("/usr/bin/newgidmap").read_bytes())
    made = make(work / "image", "--init", "/bin/busybox stat -c %u /own", *flags)
    made.result.ok()
    assert owners(made, "own") == owners(made, "service/secret") == (lana.uid, lana.gid)
    assert "5 files belong to other users" in made.result.stderr and "subordinate ids" in made.result.stderr
    assert ("newuidmap" in made.result.stderr) == (why == "no-program")
    assert ("newgidmap" in made.result.stderr) == (why == "no-privilege")
    linux = json.loads((made.path / "config.json").read_text())["linux"]
    assert linux["uidMappings"] == [{"containerID": 0, "hostID": lana.uid, "size": 1}]
    assert runtime.command("run", "--bundle", made.path, runtime.new_id()).ok().stdout == "0\n"


def test_launch_sees_the_owners_of_an_image(image, lana, runtime, one_at_a_time):
    """and removes it with them"""
    before = set(os.listdir("/var/tmp"))
    words = ["launch", "-U", "--name", runtime.new_id(), "--image", image, "--user-id", "1000:1001"]
    result = runtime.command(*words, "--", "/bin/busybox", "stat", "-c", "%n %u %g", "/own", "/service")
    assert result.ok().stdout.splitlines() == ["/own 1000 1001", "/service 7 8"]
    assert not [name for name in set(os.listdir("/var/tmp")) - before if name.startswith("swrun-launch-")]


def test_what_a_killed_command_leaves_of_other_owners_is_cleared(make, work, lana, runtime):
    data = system()[:-1024] + a.pax((b"size", str(8 << 30).encode())) + a.header(b"zeros")
    (work / "bomb").write_bytes(gzip.compress(data) + a.gzip_of_zeros(1 << 30))
    process = runtime.spawn("bundle", work / "bomb", "-o", work / "bundle")
    host.wait_until(lambda: list(work.glob("bundle.partial-*/rootfs/zeros")), "the command to be at work")
    process.kill()
    process.wait(host.timeout(10))
    assert list(work.glob("bundle.partial-*"))
    assert "removed the unfinished bundle" in runtime.command("bundle", "--gc").ok().stdout
    assert not list(work.glob("bundle*"))


# Removing


def test_a_bundle_of_root_can_be_removed(make, work, runtime):
    (work / "image").write_bytes(system())
    made = make(work / "image")
    remove(made, runtime)
    refused(runtime.command("bundle", "--remove", made.path), names=["is no bundle", str(made.path)])


@pytest.mark.parametrize("what", ["empty", "config", "link", "file"])
def test_what_is_no_bundle_of_swrun_is_not_removed(make, work, runtime, what):
    (work / "image").write_bytes(system())
    victim = work / "victim"
    if what == "file":
        victim.write_text("kept")
    elif what == "link":
        victim.symlink_to(make(work / "image").path)
    else:
        victim.mkdir()
        if what == "config":
            (victim / "config.json").write_text(json.dumps({"ociVersion": "1.0.0", "annotations": {"a": "b"}}))
    refused(runtime.command("bundle", "--remove", victim), names=["victim", "no bundle|not made by"])
    assert victim.exists()


def test_a_bundle_in_use_is_not_removed(make, work, runtime):
    (work / "image").write_bytes(system())
    made = make(work / "image", "--init", "/bin/busybox true")
    name = runtime.new_id()
    runtime.command("create", "--bundle", made.path, name).ok()
    refused(runtime.command("bundle", "--remove", made.path), names=[name, "uses the bundle", "delete it"])
    assert made.rootfs.exists()
    runtime.command("delete", "--force", name).ok()
    remove(made, runtime)
