"""Root of a user namespace cannot write to control groups that its host user owns (CVE-2023-25809).

A rootless engine's user owns a part of the hierarchies. What a container sees of them is read-only if the
configuration says so, also where the runtime has to show the host's mount instead of a new one."""

import os
from pathlib import Path

import pytest

from harness import host

OWNER = 100000
READ_ONLY = ["nosuid", "noexec", "nodev", "relatime", "ro"]


def _hierarchies() -> list[Path]:
    """Those that can be reached; the table of mounts also has what lies under others."""
    return [point for point in set(host.hierarchies().values()) if point.is_dir()]


@pytest.fixture
def delegated(runtime, bundle):
    """The control groups at `bundle.name` belong to the user who is root in the container."""
    made = []
    for point in _hierarchies():
        group = Path(point, bundle.name)
        group.mkdir()
        if (group / "cpuset.cpus").exists():
            for name in ("cpuset.cpus", "cpuset.mems"):
                (group / name).write_text((point / name).read_text())
        for path in [group, *group.iterdir()]:
            os.chown(path, OWNER, OWNER)
        made.append(group)
    bundle.user_namespace(OWNER).linux["cgroupsPath"] = f"/{bundle.name}/inner"
    yield bundle
    for id in runtime.ids:
        if id in runtime.state_entries():
            runtime.command("delete", "--force", id)
    for group in made:
        for directory, names, _ in os.walk(group, topdown=False):
            for name in names:
                os.rmdir(os.path.join(directory, name))
        group.rmdir()


def _write_everywhere(runtime, bundle):
    """The container tries to make a group, and to write a file, in each hierarchy that it sees, at each place of it."""
    script = """
        for h in /sys/fs/cgroup /sys/fs/cgroup/*; do for g in "$h" "$h/NAME" "$h/NAME/inner"; do
            [ -d "$g" ] || continue
            /bin/probe mkdir "$g/made"
            for f in cgroup.procs tasks; do [ ! -e "$g/$f" ] || /bin/probe write "$g/$f" 1; done
        done; done; /bin/probe say done
    """.replace("NAME", bundle.name)
    seen = runtime.run(bundle.shell(script)).ok().seen
    assert seen.all("mkdir"), "the container sees no control groups"
    done = [entry["arguments"][0] for entry in seen.all("mkdir") + seen.all("write") if "error" not in entry]
    left = [str(path) for path in host.cgroups_named("made")]
    return done, left, {entry.get("error") for entry in seen.all("mkdir")}


@pytest.mark.parametrize("cgroup_namespace", [False, True])
def test_a_cgroup_mount_is_read_only(runtime, delegated, cgroup_namespace):
    """config-linux.md: a mount of type cgroup with the option ro; without a namespace it is a bind mount of the host's"""
    if not cgroup_namespace:
        delegated.without_namespace("cgroup")
    delegated.mount("/sys/fs/cgroup", "cgroup", "cgroup", READ_ONLY)
    done, left, errors = _write_everywhere(runtime, delegated)
    assert (done, left) == ([], [])
    assert errors == {"EROFS"}


@pytest.mark.parametrize("cgroup_namespace", [False, True])
def test_a_cgroup_mount_over_the_hosts_sys_is_read_only(runtime, delegated, cgroup_namespace):
    """what rootless engines configure: /sys is a recursive bind mount, and the control groups are mounted over it"""
    if not cgroup_namespace:
        delegated.without_namespace("cgroup")
    delegated.without_mount("/sys").mount("/sys", "/sys", "none", ["rbind", "nosuid", "noexec", "nodev", "ro"])
    delegated.mount("/sys/fs/cgroup", "cgroup", "cgroup", READ_ONLY)
    done, left, errors = _write_everywhere(runtime, delegated)
    assert (done, left) == ([], [])
    assert errors == {"EROFS"}


@pytest.mark.parametrize("source", ["/sys", "/sys/", "/sys/fs", "/sys/fs/cgroup", "/sys/../sys"])
def test_control_groups_under_the_hosts_sys_are_read_only(runtime, delegated, source):
    """CVE-2023-25809: /sys is bound read-only, and the mounts of the control groups below it are not, so far"""
    options = ["rbind", "nosuid", "noexec", "nodev", "ro"]
    place = os.path.normpath(source)
    if place == "/sys":
        delegated.without_mount("/sys")
    delegated.mount(place, source, "none", options)
    done, left, _ = _write_everywhere(runtime, delegated)
    assert (done, left) == ([], [])


def test_root_without_a_user_namespace_cannot_write_read_only_groups(runtime, bundle):
    """root of the host's user namespace, with the capabilities that engines give"""
    bundle.without_namespace("cgroup").mount("/sys/fs/cgroup", "cgroup", "cgroup", READ_ONLY)
    done, left, errors = _write_everywhere(runtime, bundle)
    assert (done, left) == ([], [])
    assert errors == {"EROFS"}


def test_a_container_without_a_cgroup_namespace_sees_its_own_groups_only(runtime, bundle):
    """config-linux.md, Cgroup namespace: the names of other containers' groups are none of its business"""
    other = [Path(point, f"{bundle.name}-other") for point in _hierarchies()]
    for group in other:
        group.mkdir()
    try:
        bundle.without_namespace("cgroup").mount("/sys/fs/cgroup", "cgroup", "cgroup", READ_ONLY)
        printed = runtime.run(bundle.shell("ls -R /sys/fs/cgroup")).ok().stdout
        assert f"{bundle.name}-other" not in printed
    finally:
        for group in other:
            group.rmdir()
