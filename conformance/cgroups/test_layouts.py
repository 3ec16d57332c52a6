"""The layouts of /sys/fs/cgroup: version 1, version 2 and both (the runtime finds out itself)."""

from pathlib import Path

import pytest

from harness import host

NESTED_VIEW = Path(__file__).parent.parent / "harness/nested-view"


@pytest.mark.parametrize("view", ["v1", "v2"])
def test_a_container_lives_its_life_in_each_layout(runtime, bundle, view):
    """config-linux.md, Control groups: v1 and v2"""
    runtime.show(view)
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
    runtime.show(view)
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["ro", "nosuid", "nodev", "noexec"])
    seen = runtime.look(bundle)
    kinds = {mount.type for mount in seen.mounts if mount.point.startswith("/sys/fs/cgroup")}
    assert kinds == ({"cgroup2"} if view == "v2" else {"tmpfs", "cgroup"})


@pytest.mark.parametrize("kind", ["namespace", "part"])
@pytest.mark.parametrize("path", ["absolute", "relative", "none"])
def test_a_runtime_in_a_container_makes_groups_below_its_own(runtime, bundle, kind, path):
    """config-linux.md, Cgroups Path: relative to the mount point, which shows a part of the hierarchy here"""
    top = host.hierarchies().get("v2")
    if not top:
        pytest.skip("version 2 is not mounted")
    group, room = f"{runtime.prefix}-nest", runtime.directory / "room"
    room.mkdir()
    runtime.wrapper = [str(NESTED_VIEW), kind, group, str(room)]
    if path == "none":
        del bundle.linux["cgroupsPath"]
    else:
        bundle.linux["cgroupsPath"] = ("/" if path == "absolute" else "") + f"{bundle.name}/deeper"
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    expected = Path(top, group, container.id if path == "none" else f"{bundle.name}/deeper")
    assert expected in host.cgroups_named(expected.name)
    assert str(container.pid) in (expected / "cgroup.procs").read_text().split()
    container.delete("--force").ok()
    assert not expected.exists()
    assert path == "none" or not expected.parent.exists(), "the group above was made for this container too"
    for left in ["own", ""]:
        if Path(top, group, left).exists():
            Path(top, group, left).rmdir()
