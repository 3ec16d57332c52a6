"""Whose the control group is (config-linux.md, Cgroup ownership)."""

from pathlib import Path

import pytest

from harness import host

UID = 100000


@pytest.fixture
def delegated(runtime, bundle):
    """A container with a user namespace, a cgroup namespace and a version 2 mount; the options of the mount vary."""
    runtime.show("v2")

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


@pytest.mark.parametrize("listed", [None, "cgroup.procs\ncgroup.no.such.file\n"], ids=["no list", "another list"])
def test_the_files_that_change_hands_are_those_of_the_kernels_list(runtime, bundle, delegated, listed):
    """ "If the /sys/kernel/cgroup/delegate file does not exist, the runtime MUST fall back to" three files; files that
    are listed and not there: "Runtimes MUST NOT fail in this scenario" """
    kernel = runtime.directory / "kernel"
    kernel.mkdir()
    if listed is not None:
        (kernel / "delegate").write_text(listed)
    # The runtime sees this directory in the place of /sys/kernel/cgroup.
    cover = 'mount --bind "$0" /sys/kernel/cgroup && exec "$@"'
    place = runtime.wrapper.index("private") + 1
    runtime.wrapper[place:place] = ["sh", "-c", cover, str(kernel)]
    # A sysfs with something on it is one that the kernel does not show to a user namespace anew.
    bundle.without_mount("/sys").mount("/sys", "tmpfs", "tmpfs")
    delegated("rw")
    runtime.start(bundle.probe("hold")).wait_for("hold")
    group = _group(bundle)
    owned = {file.name for file in group.iterdir() if file.is_file() and file.stat().st_uid == UID}
    expected = {"cgroup.procs"} if listed else {"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}
    assert (owned, group.stat().st_uid) == (expected, UID)


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
