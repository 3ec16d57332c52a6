"""The layouts of /sys/fs/cgroup: version 1, version 2 and both (the runtime finds out itself)."""

from pathlib import Path

import pytest

from harness import host

VIEW = Path(__file__).parent.parent / "harness/cgroup-view"


@pytest.mark.parametrize("view", ["v1", "v2"])
def test_a_container_lives_its_life_in_each_layout(runtime, bundle, view):
    """config-linux.md, Control groups: v1 and v2"""
    if view == "v1" and not [name for name in host.hierarchies() if name != "v2"]:
        pytest.skip("this kernel has no version 1 hierarchy mounted")
    room = runtime.directory / "room"
    room.mkdir()
    runtime.wrapper = ["unshare", "--mount", "--propagation", "private", str(VIEW), view, str(room)]
    bundle.without_namespace("cgroup").probe("report", "hold")
    container = runtime.create(bundle)
    container.start().ok()
    report = container.wait_for("hold").report
    lines = [line for line in report["cgroup"].splitlines() if line.endswith(f"/{bundle.name}")]
    assert lines, report["cgroup"]
    assert [line for line in lines if line.startswith("0::")] == (lines if view == "v2" else [])
    container.kill("KILL").ok()
    container.wait().delete().ok()
    assert host.cgroups_named(bundle.name) == []


@pytest.mark.parametrize("view", ["v1", "v2"])
def test_the_cgroup_mount_fits_the_layout(runtime, bundle, view):
    """config-linux.md, Default Filesystems: a mount of type cgroup"""
    if view == "v1" and not [name for name in host.hierarchies() if name != "v2"]:
        pytest.skip("this kernel has no version 1 hierarchy mounted")
    room = runtime.directory / "room"
    room.mkdir()
    runtime.wrapper = ["unshare", "--mount", "--propagation", "private", str(VIEW), view, str(room)]
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["ro", "nosuid", "nodev", "noexec"])
    seen = runtime.look(bundle)
    kinds = {mount.type for mount in seen.mounts if mount.point.startswith("/sys/fs/cgroup")}
    assert kinds == ({"cgroup2"} if view == "v2" else {"tmpfs", "cgroup"})
