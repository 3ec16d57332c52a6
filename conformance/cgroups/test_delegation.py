"""Whose the control group is (config-linux.md, Cgroup ownership)."""

from pathlib import Path

import pytest

from harness import host

UID = 100000


@pytest.fixture
def delegated(runtime, bundle):
    """A container with a user namespace, a cgroup namespace and a version 2 mount; the options of the mount vary."""
    room = runtime.directory / "room"
    room.mkdir()
    view = Path(__file__).parent.parent / "harness/cgroup-view"
    runtime.wrapper = ["unshare", "--mount", "--propagation", "private", str(view), "v2", str(room)]

    def delegated(*options, uid=0):
        bundle.user_namespace(UID)
        bundle.process["user"] = {"uid": uid, "gid": 0}
        bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", *options])
        return bundle

    return delegated


def _group(bundle) -> Path:
    return next(path for path in host.cgroups_named(bundle.name) if path.name == bundle.name)


@pytest.mark.parametrize("uid", [0, 7])
def test_a_writable_group_belongs_to_the_user_of_the_process(runtime, delegated, uid):
    """ "change the owner of the container's cgroup to the host uid that maps to the value of process.user.uid" """
    bundle = delegated("rw", uid=uid)
    container = runtime.start(bundle.probe(["mkdir", "/sys/fs/cgroup/inner"], "hold"))
    seen = container.wait_for("hold")
    assert seen.error("mkdir") is None
    group = _group(bundle)
    assert group.stat().st_uid == UID + uid
    listed = Path("/sys/kernel/cgroup/delegate").read_text().split()
    for file in group.iterdir():
        if file.is_file():
            assert file.stat().st_uid == (UID + uid if file.name in listed else 0), file.name
    container.delete("--force").ok()
    assert host.cgroups_named(bundle.name) == []


def test_a_read_only_group_stays_with_its_maker(runtime, delegated):
    """ "SHOULD change the cgroup ownership if and only if the cgroup filesystem is to be mounted read/write" """
    bundle = delegated("ro")
    container = runtime.start(bundle.probe(["mkdir", "/sys/fs/cgroup/inner"], "hold"))
    assert container.wait_for("hold").error("mkdir") == "EROFS"
    assert {path.stat().st_uid for path in [_group(bundle), *_group(bundle).iterdir()]} == {0}


def test_without_a_cgroup_namespace_nothing_changes_hands(runtime, delegated):
    """ "SHOULD NOT change the ownership of a container cgroup unless it will also create a new cgroup namespace" """
    bundle = delegated("rw").without_namespace("cgroup")
    runtime.start(bundle.probe("hold")).wait_for("hold")
    assert _group(bundle).stat().st_uid == 0


def test_version_1_is_never_delegated(runtime, bundle):
    """ "Runtimes SHOULD NOT change the ownership of container cgroups when cgroups v1 is in use." """
    if not [name for name in host.hierarchies() if name != "v2"]:
        pytest.skip("version 1 is not mounted")
    bundle.user_namespace(UID)
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "rw"])
    runtime.start(bundle.probe("hold")).wait_for("hold")
    for names, point in host.hierarchies().items():
        for group in host.cgroups_named(bundle.name):
            if names != "v2" and group.is_relative_to(point):
                assert group.stat().st_uid == 0, group
