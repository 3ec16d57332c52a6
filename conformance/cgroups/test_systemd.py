"""The systemd cgroup manager: containers as transient scopes (the command line contract: --systemd-cgroup)."""

import json
import os
from pathlib import Path

import pytest

from harness import host, reaper, refused

SYSTEMD = ("--systemd-cgroup",)
DENY_ALL = {"allow": False, "access": "rwm"}
ZERO = {"type": "c", "major": 1, "minor": 5}
MIB = 1 << 20
BOTH = [pytest.param("v2", marks=pytest.mark.vm), pytest.param("hybrid", marks=pytest.mark.vm(layout="hybrid"))]
on_both = pytest.mark.parametrize("layout", BOTH)


@pytest.fixture
def scoped(runtime, bundle):
    """A bundle for a scope in system.slice, which is started by `runtime.start(bundle, flags=SYSTEMD)`."""
    bundle.linux["cgroupsPath"] = f"system.slice:{runtime.prefix}:{bundle.name}"
    bundle.unit = f"{runtime.prefix}-{bundle.name}.scope"
    return bundle.probe("hold")


def show(unit: str, *properties: str) -> dict[str, str]:
    """What systemd says of a unit."""
    text = host.command("systemctl", "show", unit, *(f"--property={name}" for name in ("LoadState", *properties)))
    return dict(line.split("=", 1) for line in text.splitlines())


def groups_of(pid: int) -> dict[str, str]:
    """The control group of a process in each hierarchy, by its controllers."""
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    return {line.split(":", 2)[1]: line.split(":", 2)[2] for line in lines}


def file_of(pid: int, v2: str, v1: str) -> Path:
    """A control file of the group of a process: of version 1 where a hierarchy has its controller."""
    controller = v1.partition(".")[0]
    for names, path in groups_of(pid).items():
        if controller in names.split(","):
            for mounted, point in host.hierarchies().items():
                if controller in mounted.split(","):
                    return point / path[1:] / v1
    return host.hierarchies()["v2"] / groups_of(pid)[""][1:] / v2


@on_both
def test_a_container_is_a_scope_of_the_name_and_in_the_slice_of_its_path(runtime, scoped, layout):
    """cgroupsPath is slice:prefix:name; later commands need no flag"""
    container = runtime.start(scoped, flags=SYSTEMD)
    seen = show(scoped.unit, "ActiveState", "ControlGroup", "Slice", "Delegate", "Transient")
    assert seen == {
        "LoadState": "loaded", "ActiveState": "active", "Slice": "system.slice", "Delegate": "yes", "Transient": "yes",
        "ControlGroup": f"/system.slice/{scoped.unit}"}
    places = set(groups_of(container.pid).values())
    assert places == {f"/system.slice/{scoped.unit}"}
    container.kill("KILL").ok()
    container.wait().delete().ok()
    assert show(scoped.unit)["LoadState"] == "not-found"
    runtime.expect_nothing()


@pytest.mark.vm
def test_a_container_without_a_path_has_its_id_in_the_name(runtime, bundle):
    """The default: a scope in system.slice"""
    del bundle.linux["cgroupsPath"]
    container = runtime.start(bundle.probe("hold"), flags=("--cgroup-manager", "systemd"))
    path = groups_of(container.pid)[""]
    assert path.startswith("/system.slice/") and path.endswith(f"-{container.id}.scope")
    container.delete("--force").ok()
    assert show(Path(path).name)["LoadState"] == "not-found"


@pytest.mark.vm
def test_a_slice_with_a_dash_is_below_another(runtime, scoped):
    """systemd.slice(5): a-b.slice is below a.slice"""
    top = runtime.prefix
    scoped.linux["cgroupsPath"] = f"{top}-inner.slice:{top}:{scoped.name}"
    container = runtime.start(scoped, flags=SYSTEMD)
    assert groups_of(container.pid)[""] == f"/{top}.slice/{top}-inner.slice/{scoped.unit}"
    container.delete("--force").ok()
    host.command("systemctl", "stop", f"{top}.slice", f"{top}-inner.slice")


@pytest.mark.vm
@pytest.mark.parametrize("path", ["/a/b", "only", "a.slice:b", "no-slice:a:b", "a--b.slice:a:b", "/a.slice:b:c"])
def test_a_path_of_another_form_is_refused(runtime, scoped, path):
    """The contract: an error that names the property"""
    scoped.linux["cgroupsPath"] = path
    refused(runtime.try_create(scoped, flags=SYSTEMD).created, names=["cgroupspath"])
    runtime.expect_nothing()


@pytest.mark.vm
def test_characters_that_no_unit_may_have_are_escaped(runtime, scoped):
    """An id may have a +, a unit's name may not (systemd.unit(5))"""
    scoped.linux["cgroupsPath"] = f"system.slice:{runtime.prefix}:a+b"
    container = runtime.start(scoped, flags=SYSTEMD)
    assert groups_of(container.pid)[""] == f"/system.slice/{runtime.prefix}-a\\x2bb.scope"


LIMITS = {
    "memory": {"limit": 64 * MIB, "reservation": 32 * MIB, "swap": 96 * MIB},
    "cpu": {"shares": 2048, "quota": 20000, "period": 50000, "cpus": "0", "mems": "0"},
    "pids": {"limit": 77},
}
FILES = {
    "memory.max": "memory.limit_in_bytes", "memory.low": "memory.soft_limit_in_bytes", "pids.max": "pids.max",
    "cpu.max": "cpu.cfs_quota_us", "cpu.weight": "cpu.shares", "cpuset.cpus": "cpuset.cpus",
}


@on_both
def test_limits_hold_when_systemd_is_reloaded(runtime, scoped, layout):
    """systemd writes its own idea of a unit's limits again: it has to be the container's"""
    scoped.linux["resources"] = LIMITS | {"devices": [DENY_ALL, {"allow": True, **ZERO, "access": "r"}]}
    scoped.linux["devices"] = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666}]
    scoped.probe(["open", "/dev/fuse", "r"], ["line"], ["open", "/dev/fuse", "r"], ["open", "/dev/zero", "r"], "hold")
    fifo = runtime.directory / "fifo"
    host.command("mkfifo", fifo)
    with fifo.open("r+b", buffering=0) as line:
        container = runtime.start(scoped, flags=SYSTEMD, stdin=line)
        container.wait_for("open")
        files = {v2: file_of(container.pid, v2, v1) for v2, v1 in FILES.items()}
        before = {name: file.read_text() for name, file in files.items()}
        assert before["pids.max"] == "77\n"
        assert before["memory.max"] == f"{64 * MIB}\n"
        assert before["cpu.max"] == ("20000 50000\n" if layout == "v2" else "20000\n")
        host.command("systemctl", "daemon-reload")
        # Another unit's change makes systemd look at all the groups that wait for it.
        host.command("systemctl", "set-property", "--runtime", scoped.unit, "CPUWeight=500")
        host.wait_until(lambda: layout != "v2" or files["cpu.weight"].read_text() == "500\n", "systemd sets a weight")
        after = {name: file.read_text() for name, file in files.items()}
        before.pop("cpu.weight"), after.pop("cpu.weight")
        assert after == before
        line.write(b"go\n")
        seen = container.wait_for("hold")
    assert [entry.get("error") for entry in seen.all("open")] == ["EPERM", "EPERM", None]


@pytest.mark.vm
def test_systemd_knows_the_limits(runtime, scoped):
    """Its tools show the container's limits"""
    scoped.linux["resources"] = LIMITS
    runtime.start(scoped, flags=SYSTEMD)
    seen = show(
        scoped.unit, "MemoryMax", "MemoryLow", "MemorySwapMax", "CPUWeight", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec",
        "TasksMax", "AllowedCPUs", "AllowedMemoryNodes")
    assert seen.pop("CPUWeight") in ("79", "174")  # runc 1.1 draws a straight line between shares and weights
    assert seen == {
        "LoadState": "loaded", "MemoryMax": str(64 * MIB), "MemoryLow": str(32 * MIB), "MemorySwapMax": str(32 * MIB),
        "CPUQuotaPerSecUSec": "400ms", "CPUQuotaPeriodUSec": "50ms", "TasksMax": "77", "AllowedCPUs": "0",
        "AllowedMemoryNodes": "0"}


@on_both
def test_an_update_holds_when_systemd_is_reloaded(runtime, scoped, layout):
    """update: files and properties change together, devices included"""
    scoped.linux["resources"] = LIMITS | {"devices": [DENY_ALL]}
    scoped.linux["devices"] = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666}]
    container = runtime.start(scoped, flags=SYSTEMD)
    container.wait_for("hold")
    allowed = {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"}
    changes = {"pids": {"limit": 50}, "memory": {"limit": 80 * MIB, "swap": 100 * MIB}, "devices": [DENY_ALL, allowed]}
    runtime.command("update", "--resources", "-", container.id, stdin=json.dumps(changes)).ok()
    assert show(scoped.unit, "TasksMax")["TasksMax"] == "50"
    host.command("systemctl", "daemon-reload")
    host.command("systemctl", "set-property", "--runtime", scoped.unit, "CPUWeight=500")
    assert file_of(container.pid, "pids.max", "pids.max").read_text() == "50\n"
    assert file_of(container.pid, "memory.max", "memory.limit_in_bytes").read_text() == f"{80 * MIB}\n"
    for device, fails in (("/dev/fuse", False), ("/dev/kmsg-not-given", True)):
        result = runtime.command("exec", container.id, "/bin/sh", "-c", f"exec 3<{device}")
        assert (result.status != 0) is fails, result


@pytest.mark.vm
def test_a_refused_update_changes_nothing(runtime, scoped):
    """update: all or nothing, in systemd too"""
    scoped.linux["resources"] = LIMITS
    container = runtime.start(scoped, flags=SYSTEMD)
    changes = {"pids": {"limit": 50}, "cpu": {"cpus": "4095"}}
    assert runtime.command("update", "--resources", "-", container.id, stdin=json.dumps(changes)).status != 0
    assert show(scoped.unit, "TasksMax")["TasksMax"] == "77"
    assert file_of(container.pid, "pids.max", "pids.max").read_text() == "77\n"


@pytest.mark.vm(layout="hybrid")
def test_device_rules_that_are_refused_leave_the_scope_as_it_was(runtime, scoped):
    """update: all or nothing, in systemd too; a version 1 group cannot allow what the one above it does not"""
    upper = f"{runtime.prefix}.slice"
    scoped.linux["cgroupsPath"] = f"{upper}:{runtime.prefix}:{scoped.name}"
    scoped.linux["resources"] = LIMITS | {"devices": [DENY_ALL, {"allow": True, **ZERO, "access": "rwm"}]}
    container = runtime.start(scoped, flags=SYSTEMD)
    inside = file_of(container.pid, "-", "devices.list")
    (inside.parent.parent / "devices.deny").write_text("c 10:229 rwm\n")
    before = inside.read_text()
    changes = {"pids": {"limit": 50}, "devices": [{"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"}]}
    result = runtime.command("update", "--resources", "-", container.id, stdin=json.dumps(changes))
    refused(result, names=["devices"])
    assert show(scoped.unit, "TasksMax", "DevicePolicy") == {
        "LoadState": "loaded", "TasksMax": "77", "DevicePolicy": "strict"}
    assert file_of(container.pid, "pids.max", "pids.max").read_text() == "77\n"
    assert inside.read_text() == before
    container.delete("--force").ok()
    host.command("systemctl", "stop", upper)


@pytest.mark.vm
def test_without_a_limit_there_is_none(runtime, scoped):
    """systemd would give every scope a share of the system's processes, which no other manager does"""
    container = runtime.start(scoped, flags=SYSTEMD)
    assert file_of(container.pid, "pids.max", "pids.max").read_text() == "max\n"


@pytest.mark.vm
def test_throttles_and_weights_of_devices_are_known_to_systemd(runtime, scoped):
    """linux.resources.blockIO"""
    device = next(path for path in Path("/sys/block").iterdir() if path.name.startswith("vd"))
    major, minor = map(int, (device / "dev").read_text().split(":"))
    scoped.linux["resources"] = {
        "blockIO": {"throttleReadBpsDevice": [{"major": major, "minor": minor, "rate": MIB}]},
        "unified": {"memory.high": str(48 * MIB)}}
    container = runtime.start(scoped, flags=SYSTEMD)
    seen = show(scoped.unit, "IOReadBandwidthMax", "MemoryHigh")
    assert seen["IOReadBandwidthMax"].split()[-1] == str(MIB)
    assert seen["MemoryHigh"] == str(48 * MIB)
    host.command("systemctl", "daemon-reload")
    assert f"{major}:{minor} rbps={MIB}" in file_of(container.pid, "io.max", "blkio.x").read_text()


@pytest.mark.vm
@pytest.mark.parametrize("limit", [0, 1])
def test_a_limit_of_no_further_process_lets_the_first_one_in(runtime, scoped, limit):
    """linux.resources.pids.limit; the process that keeps the scope until then counts as well"""
    scoped.config["ociVersion"] = "1.3.0"
    scoped.linux["resources"] = {"pids": {"limit": limit}}
    container = runtime.start(scoped.probe(["fork", 1], "hold"), flags=SYSTEMD)
    assert container.wait_for("hold")("fork")["children"] == [-1]


@on_both
def test_the_container_is_alone_in_its_scope(runtime, scoped, layout):
    """What made it neither stays in it nor counts to it"""
    container = runtime.create(scoped, flags=SYSTEMD)
    for names, path in groups_of(container.pid).items():
        for mounted, point in host.hierarchies().items():
            if mounted == (names or "v2") or mounted.replace("name=", "") == names.replace("name=", ""):
                assert (point / path[1:] / "cgroup.procs").read_text().split() == [str(container.pid)], path


@pytest.mark.vm
def test_annotations_set_properties(runtime, scoped):
    """org.systemd.property.NAME: a value in GVariant's text format; NAMESec in seconds"""
    scoped.config["annotations"] = {
        "org.systemd.property.TimeoutStopUSec": "uint64 5000000",
        "org.systemd.property.RuntimeMaxSec": "3600",
        "org.systemd.property.Description": "'a \\'nice\\' one'",
        "org.systemd.property.After": "['sockets.target', 'basic.target']",
        "org.systemd.property.SendSIGHUP": "true",
    }
    runtime.start(scoped, flags=SYSTEMD)
    seen = show(scoped.unit, "TimeoutStopUSec", "RuntimeMaxUSec", "Description", "After", "SendSIGHUP")
    assert seen["TimeoutStopUSec"] == "5s"
    assert seen["RuntimeMaxUSec"] == "1h"
    assert seen["Description"] == "a 'nice' one"
    assert {"sockets.target", "basic.target"} <= set(seen["After"].split())
    assert seen["SendSIGHUP"] == "yes"


@pytest.mark.vm
@pytest.mark.parametrize("name, value", [
    ("TimeoutStopUSec", "soon"), ("TimeoutStopUSec", "uint64 -1"), ("After", "['a'"), ("Bad-Name", "true"),
    ("NoSuchPropertyAnywhere", "true"), ("TimeoutStopUSec", "'text'"),
])
def test_annotations_that_set_no_property_are_refused(runtime, scoped, name, value):
    """What cannot be applied is an error, and leaves nothing"""
    scoped.config["annotations"] = {f"org.systemd.property.{name}": value}
    refused(runtime.try_create(scoped, flags=SYSTEMD).created, names=[f"{name}|{value}"])
    assert show(scoped.unit)["LoadState"] == "not-found"
    runtime.expect_nothing()


@pytest.mark.vm
@pytest.mark.parametrize("delegated", ["", "payload"])
def test_the_container_may_have_a_group_in_its_scope(runtime, scoped, delegated):
    """crun: run.oci.systemd.subgroup, and run.oci.delegate-cgroup below it"""
    scoped.config["annotations"] = {"run.oci.systemd.subgroup": "inner"}
    if delegated:
        scoped.config["annotations"]["run.oci.delegate-cgroup"] = delegated
    scoped.linux["resources"] = LIMITS
    container = runtime.start(scoped, flags=SYSTEMD)
    container.wait_for("hold")
    inner = f"/system.slice/{scoped.unit}/inner"
    assert groups_of(container.pid)[""] == inner + (f"/{delegated}" if delegated else "")
    group = host.hierarchies()["v2"] / inner[1:]
    assert (group / "pids.max").read_text() == "77\n" and (group / "memory.max").read_text() == f"{64 * MIB}\n"
    assert (group.parent / "cgroup.procs").read_text() == ""
    assert container.exec("/bin/true").status == 0
    container.kill("KILL").ok()
    container.wait().delete().ok()
    assert show(scoped.unit)["LoadState"] == "not-found"
    runtime.expect_nothing()


@on_both
def test_a_failed_create_leaves_no_unit(runtime, scoped, layout):
    """runtime.md, Errors: as if the operation were never attempted"""
    scoped.mount("/mnt", "x", "no-such-file-system")
    assert runtime.try_create(scoped, flags=SYSTEMD).created.status != 0
    assert show(scoped.unit)["LoadState"] == "not-found"
    runtime.expect_nothing()


@pytest.mark.vm
def test_a_scope_that_is_in_use_is_refused_and_left_alone(runtime, scoped, make_bundle):
    """config-linux.md, Control groups: nobody's container is taken away"""
    one = runtime.start(scoped, flags=SYSTEMD)
    other = make_bundle().probe("hold")
    other.linux["cgroupsPath"] = scoped.linux["cgroupsPath"]
    refused(runtime.try_create(other, flags=SYSTEMD).created, names=["cgroup"])
    assert one.status == "running"
    assert show(scoped.unit, "ActiveState")["ActiveState"] == "active"


@pytest.mark.vm
def test_the_same_scope_again_and_again(runtime, scoped):
    """A unit that has just ended, or failed, is no hindrance"""
    for _ in range(3):
        container = runtime.start(scoped, flags=SYSTEMD)
        container.kill("KILL").ok()
        container.wait().delete().ok()


@pytest.mark.vm
def test_a_create_that_is_killed_can_be_cleared(runtime, scoped):
    """No scope stays without a container that one can delete"""
    scoped.hook("createRuntime", "say", "hold")
    scoped.write()
    id = runtime.new_id()
    process = runtime.spawn("create", "--bundle", scoped.path, id, flags=SYSTEMD)
    host.wait_until(lambda: show(scoped.unit)["LoadState"] == "loaded", "the scope is there")
    host.wait_until(lambda: scoped.seen().lines, "the hook runs")
    hooks = [pid for pid in reaper.descendants(process.pid) if Path(f"/proc/{pid}/comm").read_text() == "probe\n"]
    process.kill()
    process.wait(host.timeout(5))
    for pid in hooks:  # whoever kills a runtime has its hooks on their hands
        os.kill(pid, 9)
    runtime.command("delete", "--force", id).ok()
    host.wait_until(lambda: show(scoped.unit)["LoadState"] == "not-found", "the scope is gone")
