"""intelRdt (config-linux.md, IntelRdt), on a file system that stands in for resctrl: harness/resctrl.py.

No machine of the project has the hardware. The stand-in answers as the kernel's documentation says resctrl does.
"""

import os
from pathlib import Path

import pytest

from harness import host, reaper, refused

STAND_IN = Path(__file__).parent.parent / "harness/resctrl.py"


class Resctrl:
    def __init__(self, path: Path):
        self.path = path

    def groups(self) -> set[str]:
        return {path.name for path in self.path.iterdir() if path.is_dir()} - {"info", "mon_groups", "mon_data"}

    def tasks(self, group="") -> set[int]:
        return {int(task) for task in (self.path / group / "tasks").read_text().split()}

    def schemata(self, group="") -> dict[str, str]:
        return dict(line.strip().split(":") for line in (self.path / group / "schemata").read_text().splitlines())

    @property
    def written(self) -> list[str]:
        """What was written to files, in order: "/group/schemata L3:0=f"."""
        return (self.path / "info/written").read_text().splitlines()


@pytest.fixture
def resctrl(runtime, mount_program, monkeypatch):
    if runtime.name != "swrun":
        pytest.skip("other runtimes cannot be told of a stand-in for resctrl")
    path, _ = mount_program("resctrl", STAND_IN)
    monkeypatch.setenv("SWRUN_RESCTRL", str(path))
    return Resctrl(path)


def _start(runtime, bundle, **rdt):
    bundle.linux["intelRdt"] = rdt
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    return container


def test_a_container_without_a_name_for_its_class_has_one_of_its_own(runtime, bundle, resctrl):
    """ "If closID is not set, runtimes MUST use the container ID" and "MUST remove the sub-directory" """
    container = _start(runtime, bundle, l3CacheSchema="L3:0=7f0;1=1f", memBwSchema="MB:0=20;1=70")
    assert resctrl.groups() == {container.id}
    assert resctrl.tasks(container.id) == {container.pid}
    assert resctrl.schemata(container.id) == {"L3": "0=7f0;1=01f", "L2": "0=0ff;1=0ff", "MB": "0=20;1=70"}
    container.delete("--force").ok()
    assert resctrl.groups() == set()


def test_the_schemata_are_written_in_order(runtime, bundle, resctrl):
    """l3CacheSchema first, memBwSchema, then schemata last"""
    container = _start(
        runtime, bundle, schemata=["L2:0=f", "L3:0=3"], memBwSchema="MB:0=50", l3CacheSchema="L3:0=f;1=f")
    lines = [line.split(" ", 1)[1] for line in resctrl.written if line.startswith(f"/{container.id}/schemata ")]
    assert lines == ["L3:0=f;1=f", "MB:0=50", "L2:0=f", "L3:0=3"]
    assert resctrl.schemata(container.id)["L3"] == "0=003;1=00f"


def test_without_schemata_none_are_written(runtime, bundle, resctrl):
    """ "MUST NOT write to schemata files": the directory is there and the process in it"""
    container = _start(runtime, bundle)
    assert resctrl.tasks(container.id) == {container.pid}
    assert not [line for line in resctrl.written if "schemata" in line]


def test_without_the_property_nothing_is_touched(runtime, bundle, resctrl):
    """ "If intelRdt is not set, the runtime MUST NOT manipulate any resctrl pseudo-filesystems" """
    runtime.start(bundle.probe("hold")).wait_for("hold")
    assert (resctrl.written, resctrl.groups()) == ([], set())


def test_a_class_with_a_name_is_made_and_stays(runtime, bundle, resctrl):
    """ "If closID is set ... the runtime MUST NOT remove the sub-directory" """
    container = _start(runtime, bundle, closID="guaranteed", schemata=["L3:0=f"])
    assert resctrl.tasks("guaranteed") == {container.pid}
    container.delete("--force").ok()
    assert resctrl.groups() == {"guaranteed"}
    assert resctrl.schemata("guaranteed")["L3"] == "0=00f;1=7ff"


def test_a_class_that_exists_is_joined(runtime, bundle, resctrl):
    """ "If such pre-configured directory closID exists, runtime MUST assign container to this closID" """
    (resctrl.path / "pool").mkdir()
    container = _start(runtime, bundle, closID="pool")
    assert resctrl.tasks("pool") == {container.pid}
    container.delete("--force").ok()
    assert resctrl.groups() == {"pool"}


def test_a_class_that_has_to_exist_and_does_not_is_an_error(runtime, bundle, resctrl):
    """ "generate an error if directory does not exist" """
    bundle.linux["intelRdt"] = {"closID": "nosuch"}
    runtime.refuses(bundle, "linux.intelRdt.closID", "nosuch")
    assert resctrl.groups() == set()


@pytest.mark.parametrize("rdt, fits", [
    ({"l3CacheSchema": "L3:0=f"}, True), ({"l3CacheSchema": "L3:0=00f;1=7ff"}, True),
    ({"memBwSchema": "MB:0=15"}, True),  # the kernel has rounded it to 20
    ({"l3CacheSchema": "L3:0=1f"}, False), ({"l3CacheSchema": "L3:0=f;1=1"}, False),
    ({"l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=30"}, False), ({"l3CacheSchema": "L3:7=f"}, False),
])
def test_the_limits_of_a_class_that_exists_are_compared(runtime, bundle, resctrl, rdt, fits):
    """ "MUST compare l3CacheSchema and/or memBwSchema value with schemata file" """
    (resctrl.path / "pool").mkdir()
    (resctrl.path / "pool/schemata").write_text("L3:0=f\nMB:0=20\n")
    if fits:
        _start(runtime, bundle, closID="pool", **rdt)
        return
    bundle.linux["intelRdt"] = {"closID": "pool"} | rdt
    runtime.refuses(bundle, "linux.intelrdt.", "pool")
    assert resctrl.groups() == {"pool"}
    assert resctrl.schemata("pool")["L3"] == "0=00f;1=7ff"


def test_a_slash_is_the_default_class(runtime, bundle, resctrl):
    """ "value / means that the container MUST be assigned to the default CLOS" """
    container = _start(runtime, bundle, closID="/")
    assert container.pid in resctrl.tasks()
    assert resctrl.groups() == set()
    container.delete("--force").ok()


@pytest.mark.parametrize("name", [None, "pool", "/"])
def test_monitoring_has_a_group_of_the_container_alone(runtime, bundle, resctrl, name):
    """ "create mon_groups/<container-id>/ subdirectory under the top-level CTRL_MON group" """
    if name == "pool":
        (resctrl.path / "pool").mkdir()
    container = _start(runtime, bundle, enableMonitoring=True, **({"closID": name} if name else {}))
    above = {None: container.id, "pool": "pool", "/": "."}[name]
    assert resctrl.tasks(f"{above}/mon_groups/{container.id}") == {container.pid}
    container.delete("--force").ok()
    assert list((resctrl.path / (above if name else ".") / "mon_groups").iterdir()) == []
    assert resctrl.groups() == ({"pool"} if name == "pool" else set())


def test_too_many_groups_are_an_error_that_leaves_nothing(runtime, bundle, resctrl):
    """ "If creation of the MON group fails ... the runtime MUST return an error" """
    for number in range(4):
        (resctrl.path / f"mon_groups/{number}").mkdir()
    bundle.linux["intelRdt"] = {"enableMonitoring": True}
    runtime.refuses(bundle, "linux.intelrdt", "monitoring")
    assert resctrl.groups() == set()
    for number in range(3):
        (resctrl.path / f"class{number}").mkdir()
    bundle.linux["intelRdt"] = {}
    runtime.refuses(bundle, "linux.intelrdt", "class of service", "num_closids")


@pytest.mark.parametrize("rdt, name", [
    ({"l3CacheSchema": "L3:0=0"}, "l3CacheSchema"), ({"memBwSchema": "MB:0=200"}, "memBwSchema"),
    ({"schemata": ["L3:0=f", "L9:0=f"]}, "schemata[1]"), ({"closID": "named", "schemata": ["x"]}, "schemata[0]")])
def test_what_the_kernel_refuses_is_told_with_its_reason(runtime, bundle, resctrl, rdt, name):
    """runtime.md, Errors: as if it were never attempted; also of a class with a name"""
    bundle.linux["intelRdt"] = rdt
    line = runtime.refuses(bundle, name, "the kernel says")
    assert "\n" not in line
    assert resctrl.groups() == set()


def test_a_failed_create_leaves_no_class(runtime, bundle, resctrl):
    """runtime.md, Errors"""
    bundle.linux["intelRdt"] = {"closID": "named", "schemata": ["L3:0=f"], "enableMonitoring": True}
    bundle.mount("/mnt", "x", "no-such-file-system")
    runtime.refuses(bundle)
    assert resctrl.groups() == set()


def test_processes_that_are_added_are_in_the_class(runtime, bundle, resctrl):
    """exec: the same limits"""
    container = _start(runtime, bundle, schemata=["L3:0=f"], enableMonitoring=True)
    before = len(resctrl.written)
    runtime.command("exec", container.id, "/bin/true").ok()
    assert [line.split()[0] for line in resctrl.written[before:]] == [
        f"/{container.id}/tasks", f"/{container.id}/mon_groups/{container.id}/tasks"]


def test_statistics_tell_of_the_class(runtime, bundle, resctrl):
    """events --stats: the member intel_rdt, as runc writes it"""
    container = _start(runtime, bundle, schemata=["L3:0=f"], enableMonitoring=True)
    data = runtime.command("events", "--stats", container.id).ok().json["data"]["intel_rdt"]
    assert data == {
        "l3_cache_info": {"cbm_mask": "7ff", "min_cbm_bits": 1, "num_closids": 4},
        "l3_cache_schema_root": "L3:0=7ff;1=7ff", "l3_cache_schema": "L3:0=00f;1=7ff",
        "mem_bw_info": {"bandwidth_gran": 10, "delay_linear": 1, "min_bandwidth": 10, "num_closids": 4},
        "mem_bw_schema_root": "MB:0=100;1=100", "mem_bw_schema": "MB:0=100;1=100",
        "mbm_stats": [{"mbm_total_bytes": 4096, "mbm_local_bytes": 4096}] * 2,
        "cmt_stats": [{"llc_occupancy": 1001}] * 2,
    }


def test_an_update_changes_the_schemata(runtime, bundle, resctrl):
    """update --l3-cache-schema --mem-bw-schema"""
    container = _start(runtime, bundle, schemata=["L3:0=f"])
    runtime.command("update", "--l3-cache-schema", "L3:0=3", "--mem-bw-schema", "MB:1=40", container.id).ok()
    assert resctrl.schemata(container.id) == {"L3": "0=003;1=7ff", "L2": "0=0ff;1=0ff", "MB": "0=100;1=40"}
    refused(
        runtime.command("update", "--l3-cache-schema", "L3:0=1", "--mem-bw-schema", "MB:1=400", container.id),
        names=["memBwSchema"])
    assert resctrl.schemata(container.id)["L3"] == "0=003;1=7ff", "all or nothing"


def test_an_update_gives_a_class_to_a_container_that_had_none(runtime, bundle, resctrl):
    """update --l3-cache-schema, as runc does it"""
    container = runtime.start(bundle.probe(["fork", 2], "hold"))
    container.wait_for("hold")
    runtime.command("update", "--l3-cache-schema", "L3:0=3", container.id).ok()
    assert resctrl.schemata(container.id)["L3"] == "0=003;1=7ff"
    assert resctrl.tasks(container.id) == set(runtime.command("ps", "-f", "json", container.id).ok().json)
    container.delete("--force").ok()
    assert resctrl.groups() == set()


def hook_of(pid: int) -> list[int]:
    """The process of a hook that has become `sleep`."""
    names = {child: Path(f"/proc/{child}/comm") for child in reaper.descendants(pid)}
    return [child for child, name in names.items() if name.exists() and name.read_text() == "sleep\n"]


def test_what_a_killed_create_left_is_cleared(runtime, bundle, resctrl):
    """A class of a create that did not come to its end is removed, also one with a name"""
    bundle.linux["intelRdt"] = {"closID": "named", "schemata": ["L3:0=f"], "enableMonitoring": True}
    bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "1000"]}]}
    bundle.probe("hold").write()
    id = runtime.new_id()
    process = runtime.spawn("create", "--bundle", bundle.path, id)
    host.wait_until(lambda: "named" in resctrl.groups() and resctrl.tasks("named"), "the create is on its way")
    hooks: list[int] = []
    host.wait_until(lambda: hooks.extend(hook_of(process.pid)) or hooks, "the hook runs")
    process.kill()
    process.wait()
    for pid in hooks:  # whoever kills a runtime has its hooks on their hands
        os.kill(pid, 9)
    runtime.command("delete", "--force", id).ok()
    runtime.expect_nothing()
    assert resctrl.groups() == set()
