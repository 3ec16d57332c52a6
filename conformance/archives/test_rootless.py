"""Archives and container images, unpacked by an ordinary user: everything but what only root can do, which is told."""

import os
import stat
import struct
import tarfile

import pytest

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
