"""The control group of the container: where it is, and that nothing is left of it (config-linux.md, Control groups)."""

from pathlib import Path

import pytest

from harness import host, refused


def _groups(name) -> set:
    return {str(path) for path in host.cgroups_named(name)}


def _members(path) -> list[int]:
    return [int(pid) for pid in (Path(path) / "cgroup.procs").read_text().split()]


def test_the_container_is_in_the_group_of_its_path_in_every_hierarchy(runtime, bundle):
    """config-linux.md, Cgroups Path: an absolute path MUST be taken to be relative to the cgroups mount point"""
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    points = set(map(str, host.hierarchies().values()))
    groups = _groups(bundle.name)
    assert groups, "a group of its own was made"
    own = {line.split(":", 2)[1]: line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines()}
    theirs = {
        line.split(":", 2)[1]: line.split(":", 2)[2]
        for line in Path(f"/proc/{container.pid}/cgroup").read_text().splitlines()}
    for controllers, point in host.hierarchies().items():
        group = Path(f"{point}/{bundle.name}")
        if group.exists():
            assert container.pid in _members(group), f"{controllers}: the group is empty"
    inside = [kind for kind, path in theirs.items() if path == f"/{bundle.name}"]
    assert set(theirs) - set(inside) <= {"", "name=systemd"} | {
        kind for kind in theirs if theirs[kind] == own.get(kind)}, theirs
    needed = {"devices", "freezer", "pids", "memory", "cpu"} & set(host.hierarchies())
    assert needed <= set(inside), f"the container shares a group with its caller: {theirs}"
    assert all(group.startswith(tuple(points)) for group in groups)


def test_the_same_path_leads_to_the_same_place(runtime, make_bundle):
    """config-linux.md, Cgroups Path: MUST consistently attach to the same place given the same value"""
    for _ in range(2):
        bundle = make_bundle()
        bundle.linux["cgroupsPath"] = f"/{runtime.prefix}-same/inner"
        container = runtime.create(bundle.probe("hold"))
        lines = Path(f"/proc/{container.pid}/cgroup").read_text()
        assert f":/{runtime.prefix}-same/inner\n" in lines
        container.delete("--force").ok()
    for group in host.cgroups_named(f"{runtime.prefix}-same"):
        group.rmdir()  # the parent may stay: the runtime did not have to make it alone


def test_a_relative_path_is_somewhere_and_always_there(runtime, bundle):
    """config-linux.md, Cgroups Path: relative: a runtime-determined location"""
    bundle.linux["cgroupsPath"] = f"{runtime.prefix}-relative"
    places = []
    for _ in range(2):
        container = runtime.create(bundle.probe("hold"))
        text = Path(f"/proc/{container.pid}/cgroup").read_text()
        assert f"{runtime.prefix}-relative" in text
        places.append(text)
        container.delete("--force").ok()
    assert places[0] == places[1]
    runtime.expect_nothing(f"{runtime.prefix}-relative")


def test_without_a_path_the_container_has_a_group_of_its_own(runtime, bundle):
    """config-linux.md, Cgroups Path: the runtime MAY define the default cgroups path"""
    del bundle.linux["cgroupsPath"]
    container = runtime.start(bundle.probe(["fork", 2], "hold"))
    container.wait_for("hold")
    assert _groups(container.id)
    container.delete("--force").ok()
    runtime.expect_nothing(container.id)


@pytest.mark.parametrize("how", ["exits", "killed", "forced", "never started", "with children"])
def test_no_group_is_left_however_the_container_ends(runtime, bundle, how):
    """runtime.md, Delete: MUST delete the resources that were created"""
    if how == "with children":
        bundle.without_namespace("pid").probe(["fork", 3])
    elif how == "exits":
        bundle.args("/bin/true")
    else:
        bundle.probe("hold")
    container = runtime.create(bundle)
    assert _groups(bundle.name)
    if how != "never started":
        container.start().ok()
    if how == "killed":
        container.kill("KILL").ok()
    if how in ("exits", "killed", "with children"):
        container.wait()
    container.delete(*(["--force"] if how in ("forced", "never started", "with children") else [])).ok()
    assert _groups(bundle.name) == set()
    runtime.expect_nothing()


def test_groups_that_the_program_made_below_its_own_are_removed_too(runtime, bundle):
    """runtime.md, Delete: the group cannot go while others are in it"""
    bundle.add_capabilities("CAP_SYS_ADMIN")
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    for group in host.cgroups_named(bundle.name):
        (group / "made" / "below").mkdir(parents=True)
    container.delete("--force").ok()
    assert _groups(bundle.name) == set()


def test_a_failed_create_leaves_no_group(runtime, bundle):
    """runtime.md, Errors: as if the operation were never attempted"""
    bundle.mount("/mnt", "x", "no-such-file-system")
    runtime.refuses(bundle)
    assert _groups(bundle.name) == set()


@pytest.mark.parametrize("path", ["/../../tmp", "..", "/a/../../../b"])
def test_a_path_does_not_lead_out_of_the_hierarchy(runtime, bundle, path):
    """config-linux.md, Cgroups Path: MAY consider certain values to be invalid, and MUST generate an error then"""
    bundle.linux["cgroupsPath"] = path.replace("b", runtime.prefix + "b").replace("tmp", f"tmp/{runtime.prefix}")
    container = runtime.try_create(bundle.probe("hold"))
    if container.created.status:
        refused(container.created, names=["cgroupsPath"])
    else:
        container.delete("--force").ok()
    for outside in (Path("/"), Path("/tmp"), Path("/sys/fs")):
        assert not [path for path in outside.iterdir() if runtime.prefix in path.name]


def test_a_group_that_is_in_use_is_not_taken_from_its_owner(runtime, make_bundle):
    """config-linux.md, Control groups: a non-empty cgroup: an error, or both live; but delete removes no other's"""
    first, second = make_bundle(), make_bundle()
    second.linux["cgroupsPath"] = first.linux["cgroupsPath"]
    one = runtime.start(first.probe("hold"))
    one.wait_for("hold")
    other = runtime.try_create(second.probe("hold"))
    if other.created.status == 0:
        other.delete("--force")
    else:
        refused(other.created, names=["cgroup"])
    assert one.status == "running"
    assert one.pid in [pid for group in host.cgroups_named(first.name) for pid in _members(group)]


def test_limits_are_applied_or_refused_by_name(runtime, bundle):
    """runtime.md, Create: what cannot be applied is an error; never ignored"""
    bundle.linux["resources"] = {"pids": {"limit": 13}}
    container = runtime.try_create(bundle.probe("hold"))
    if container.created.status:
        refused(container.created, names=["pids"])
        runtime.expect_nothing(container.id)
        return
    files = [group / "pids.max" for group in host.cgroups_named(bundle.name) if (group / "pids.max").exists()]
    if not files:
        pytest.skip("the pids controller is not in reach")
    assert files[0].read_text().strip() == "13"


def test_a_cgroup_mount_shows_the_containers_own_groups(runtime, bundle):
    """config-linux.md, Default Filesystems; the mount type that every engine asks for"""
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"])
    seen = runtime.look(bundle, "report", ["list", "/sys/fs/cgroup"], ["mkdir", "/sys/fs/cgroup/new"])
    assert seen("list")["entries"]
    assert seen.error("mkdir") == "EROFS"
    for mount in seen.mounts:
        if mount.type in ("cgroup", "cgroup2"):
            assert "ro" in mount.options
            assert mount.root == "/" or bundle.name in mount.root, f"the host's hierarchy shows: {mount}"
