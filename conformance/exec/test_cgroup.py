"""exec --cgroup: a place below the container's cgroup (the command line contract)."""

import pytest

from harness import host, refused


@pytest.fixture
def places(container, bundle):
    """The cgroups of the container, and a child of each, as a process of the container would make it."""
    groups = [group for group in host.cgroups_named(bundle.name) if group.name == bundle.name]
    for group in groups:
        (group / "below").mkdir()
        if (group / "cpuset.cpus").exists() and not (group / "below/cpuset.cpus").read_text().strip():
            for name in ("cpuset.cpus", "cpuset.mems"):
                (group / "below" / name).write_text((group / name).read_text())
    yield groups
    container.delete("--force")


def _cgroups(pid) -> dict[str, str]:
    lines = open(f"/proc/{pid}/cgroup").read().splitlines()
    return {line.split(":", 2)[1]: line.split(":", 2)[2] for line in lines}


def _run(container, *flags) -> dict[str, str]:
    pid_file = container.runtime.directory / "pid"
    container.exec("/bin/sleep", 1000, flags=["--detach", "--pid-file", pid_file, *flags]).ok()
    return _cgroups(pid_file.read_text())


def test_a_process_can_be_put_below(container, bundle, places):
    """the command line contract: --cgroup PATH"""
    found = _run(container, "--cgroup", "/below")
    ours = [path for path in found.values() if bundle.name in path]
    assert ours and all(path.endswith(f"{bundle.name}/below") for path in ours)


def test_one_controller_can_be_named(container, bundle, places):
    """the command line contract: --cgroup CONTROLLER:PATH"""
    if "memory" not in _cgroups(container.pid):
        pytest.skip("the host has no memory controller of version 1")
    found = _run(container, "--cgroup", "memory:below")
    assert found["memory"].endswith(f"{bundle.name}/below")
    assert all(path.endswith(bundle.name) for name, path in found.items() if bundle.name in path and name != "memory")


@pytest.mark.parametrize("path", ["../..", "/..", "below/../..", "memory:../", ".."])
def test_a_way_upwards_is_refused(container, path):
    """runtime: a process of a container must not get out of its limits"""
    refused(container.exec("/bin/true", flags=["--cgroup", path]), names=["cgroup"], status=255)


def test_a_cgroup_that_does_not_exist_is_an_error(container):
    """the command line contract"""
    refused(container.exec("/bin/true", flags=["--cgroup", "/nowhere"]), names=["nowhere"], status=255)


def test_into_a_container_whose_cgroup_has_inner_nodes(container, bundle):
    """cgroups(7), no internal processes: an init such as systemd moves itself below, and hands controllers down"""
    if "v2" not in host.hierarchies():
        pytest.skip("there is no hierarchy of version 2")
    group = next(path for path in host.cgroups_named(bundle.name) if (path / "cgroup.controllers").exists())
    controllers = (group / "cgroup.controllers").read_text().split()
    if not controllers:
        pytest.skip("no controller reaches the container's group of version 2")
    inner = group / "init.scope"
    inner.mkdir()
    for pid in (group / "cgroup.procs").read_text().split():
        (inner / "cgroup.procs").write_text(pid)
    (group / "cgroup.subtree_control").write_text(f"+{controllers[0]}")
    report = container.look().report
    place = next(line for line in report["cgroup"].splitlines() if line.startswith("0::"))
    assert place == container.exec("/bin/cat", "/proc/1/cgroup").ok().stdout.splitlines()[-1]
    assert _run(container)[""].endswith(f"/{bundle.name}/init.scope")
