"""Every property of linux.resources ends up in its control file, or is refused by name (config-linux.md)."""

from dataclasses import dataclass

import pytest

from harness import host, limits, refused

MIB = 1 << 20


@dataclass
class Case:
    """A part of linux.resources, and the files that say it in version 1 and in version 2."""

    property: str
    resources: dict
    v1: dict[str, str] | None
    v2: dict[str, str] | None
    controller: tuple[str, str]
    is_no_limit: bool


def case(property, value, controller, v1, v2, id=None):
    """`property` is a path such as memory.limit; further properties come with `value` as a dictionary."""
    resources = {}
    place = resources
    *way, last = property.split(".")
    for name in way:
        place = place.setdefault(name, {})
    if isinstance(value, dict) and value.get("also") is not None:
        place |= value["also"]
        value = value["value"]
    place[last] = value
    names = controller if isinstance(controller, tuple) else (controller, controller)
    is_no_limit = value == -1 or (property, value) in [("memory.limit", 0), ("memory.useHierarchy", True)]
    return pytest.param(Case(property, resources, v1, v2, names, is_no_limit), id=id or f"{property}={value}")


def weight(shares):
    """The curve between cpu.shares and cpu.weight that systemd and every runtime use."""
    import math
    x = math.log2(shares)
    return str(math.ceil(10 ** ((x * x + 125 * x) / 612 - 7 / 34)))


CASES = [
    case("memory.limit", 64 * MIB, "memory", {"memory.limit_in_bytes": str(64 * MIB)}, {"memory.max": str(64 * MIB)}),
    case("memory.limit", -1, "memory", {"memory.limit_in_bytes": "9223372036854771712"}, {"memory.max": "max"}),
    case("memory.limit", 0, "memory", {"memory.limit_in_bytes": "9223372036854771712"}, {"memory.max": "max"}),
    case(
        "memory.reservation", 32 * MIB, "memory", {"memory.soft_limit_in_bytes": str(32 * MIB)},
        {"memory.low": str(32 * MIB)}),
    case(
        "memory.swap", {"value": 96 * MIB, "also": {"limit": 64 * MIB}}, "memory",
        {"memory.limit_in_bytes": str(64 * MIB), "memory.memsw.limit_in_bytes": str(96 * MIB)},
        {"memory.max": str(64 * MIB), "memory.swap.max": str(32 * MIB)}),
    case(
        "memory.swap", {"value": -1, "also": {"limit": 64 * MIB}}, "memory",
        {"memory.limit_in_bytes": str(64 * MIB), "memory.memsw.limit_in_bytes": "9223372036854771712"},
        {"memory.max": str(64 * MIB), "memory.swap.max": "max"}),
    case("memory.swappiness", 7, "memory", {"memory.swappiness": "7"}, None),
    case("memory.disableOOMKiller", True, "memory", {"memory.oom_control": "oom_kill_disable 1"}, None),
    case("cpu.shares", 512, "cpu", {"cpu.shares": "512"}, {"cpu.weight": weight(512)}),
    case("cpu.shares", 1024, "cpu", {"cpu.shares": "1024"}, {"cpu.weight": "100"}),
    case(
        "cpu.quota", {"value": 50000, "also": {"period": 200000}}, "cpu",
        {"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "200000"}, {"cpu.max": "50000 200000"}),
    case("cpu.quota", -1, "cpu", {"cpu.cfs_quota_us": "-1"}, {"cpu.max": "max 100000"}),
    case("cpu.period", 50000, "cpu", {"cpu.cfs_period_us": "50000"}, {"cpu.max": "max 50000"}),
    case(
        "cpu.burst", {"value": 20000, "also": {"quota": 50000, "period": 100000}}, "cpu",
        {"cpu.cfs_burst_us": "20000"}, {"cpu.max.burst": "20000"}),
    case("cpu.idle", 1, "cpu", {"cpu.idle": "1"}, {"cpu.idle": "1"}),
    case("cpu.idle", {"value": 1, "also": {"shares": 512}}, "cpu", {"cpu.idle": "1"}, {"cpu.idle": "1"}, id="cpu.idle, shares"),
    case("cpu.realtimePeriod", 500000, "cpu", {"cpu.rt_period_us": "500000"}, None),
    case(
        "cpu.realtimeRuntime", {"value": 1000, "also": {"realtimePeriod": 500000}}, "cpu",
        {"cpu.rt_runtime_us": "1000", "cpu.rt_period_us": "500000"}, None),
    case("memory.useHierarchy", True, "memory", {"memory.use_hierarchy": "1"}, None, id="memory.useHierarchy"),
    case("memory.checkBeforeUpdate", {"value": True, "also": {"limit": 64 * MIB}}, "memory",
         {"memory.limit_in_bytes": str(64 * MIB)}, {"memory.max": str(64 * MIB)}),
    case("cpu.cpus", "0", "cpuset", {"cpuset.cpus": "0"}, {"cpuset.cpus": "0"}),
    case("cpu.mems", "0", "cpuset", {"cpuset.mems": "0"}, {"cpuset.mems": "0"}),
    case("pids.limit", 17, "pids", {"pids.max": "17"}, {"pids.max": "17"}),
    case("pids.limit", -1, "pids", {"pids.max": "max"}, {"pids.max": "max"}),
    case("pids.limit", 0, "pids", {"pids.max": "0"}, {"pids.max": "0"}),
    case(
        "network.classID", 1048577, ("net_cls", "none"), {"net_cls.classid": "1048577"}, None),
    case(
        "network.priorities", [{"name": "lo", "priority": 3}], ("net_prio", "none"), {"net_prio.ifpriomap": "lo 3"}, None,
        id="network.priorities"),
    case("blockIO.leafWeight", 300, ("blkio", "io"), None, None),
    case("rdma", {"nosuch0": {"hcaHandles": 2}}, "rdma", None, None, id="rdma"),
]


@pytest.mark.parametrize("case", CASES)
def test_a_limit_is_in_its_control_file_or_refused(runtime, bundle, case):
    """config-linux.md, Control groups: "If the conversion is not possible the runtime MUST generate an error." """
    bundle.linux["resources"] = case.resources
    if case.resources.get("pids") == {"limit": 0}:
        bundle.config["ociVersion"] = "1.3.0"  # before, 0 was how encoders wrote "not set"
    container = runtime.try_create(bundle.probe("hold"))
    if container.created.status:
        # Only what the kernel cannot do may be refused, and nothing is left behind.
        refused(container.created, names=[case.property.split(".")[0]])
        unified = limits.controllers().get(case.controller[1]) is True
        possible = case.v2 if unified else case.v1 if case.controller[0] in limits.controllers() else None
        assert not possible, f"{possible} could have been written: {container.created}"
        runtime.expect_nothing()
        return
    group = limits.group_of(bundle.name, *case.controller)
    if not group:
        assert case.is_no_limit, f"{case.property} was accepted, and no controller limits it"
        return
    expected = case.v2 if group.unified else case.v1
    if not expected and case.is_no_limit:  # as version 2 always does it
        return
    assert expected, f"{case.property} was accepted without a file for it"
    for file, text in expected.items():
        assert text in (group.read(file), group.read(file).splitlines()[0]), file


@pytest.mark.parametrize("resources, place, controller", [
    ({"network": {"classID": 1048577}}, "network.classID", "net_cls"),
    ({"network": {"priorities": [{"name": "lo", "priority": 3}]}}, "network.priorities[0]", "net_prio"),
    ({"rdma": {"mlx5_0": {"hcaHandles": 3}}}, "rdma", "rdma"),
])
def test_what_no_mounted_controller_limits_is_refused_by_its_name(runtime, bundle, resources, place, controller):
    """runtime.md, Create: if the runtime cannot apply a property, it MUST generate an error"""
    if controller in limits.controllers():
        pytest.skip(f"the controller {controller} is mounted here")
    bundle.linux["resources"] = resources
    runtime.refuses(bundle, f"linux.resources.{place}", controller)


@pytest.mark.vm(layout="hybrid")
def test_packets_have_a_class_and_a_priority(runtime, bundle):
    """config-linux.md, Network: classID and priorities, where a version 1 hierarchy has them"""
    bundle.linux["resources"] = {"network": {"classID": 1048577, "priorities": [{"name": "lo", "priority": 3}]}}
    runtime.create(bundle.probe("hold"))
    assert limits.group_of(bundle.name, "net_cls", "none").read("net_cls.classid") == "1048577"
    assert "lo 3" in limits.group_of(bundle.name, "net_prio", "none").read("net_prio.ifpriomap").splitlines()


@pytest.mark.parametrize("property", ["kernel", "kernelTCP"])
def test_limits_of_kernel_memory_are_refused_where_the_kernel_has_none(runtime, bundle, property):
    """config-linux.md, Memory: what a kernel lacks is refused by name, with what has taken its place"""
    bundle.linux["resources"] = {"memory": {property: 64 * MIB}}
    container = runtime.try_create(bundle.probe("hold"))
    if container.created.status == 0:
        file = {"kernel": "memory.kmem.limit_in_bytes", "kernelTCP": "memory.kmem.tcp.limit_in_bytes"}[property]
        group = limits.group_of(bundle.name, "memory")
        assert group and group.read(file) == str(64 * MIB)
        return
    refused(container.created, names=[f"memory.{property}", "memory.limit"])
    runtime.expect_nothing()


def test_what_every_engine_writes_for_no_limit_is_none(runtime, bundle):
    """Zeros and empty objects of an engine's default configuration: nothing is limited, nothing refused."""
    bundle.linux["resources"] = {
        "devices": [{"allow": False, "access": "rwm"}],
        "memory": {"disableOOMKiller": False},
        "cpu": {"shares": 0, "quota": 0, "period": 0, "realtimeRuntime": 0, "realtimePeriod": 0, "cpus": "", "mems": ""},
        "pids": {},
        "blockIO": {"weight": 0},
        "network": {},
    }
    runtime.start(bundle.probe("hold")).wait_for("hold")
    group = limits.group_of(bundle.name, "cpu")
    if group:
        assert group.read("cpu.weight" if group.unified else "cpu.shares") == ("100" if group.unified else "1024")


@pytest.mark.parametrize("size", ["2MB", "1GB"])
def test_huge_pages_are_limited(runtime, bundle, size):
    """config-linux.md, Huge page limits: reservations where the kernel counts them, else page faults"""
    bundle.linux["resources"] = {"hugepageLimits": [{"pageSize": size, "limit": 3 << 30}]}
    container = runtime.try_create(bundle.probe("hold"))
    has = "hugetlb" in limits.controllers()
    if container.created.status:
        refused(container.created, names=["hugepageLimits[0]"])
        runtime.expect_nothing()
        assert not has or not _has_page_size(size)
        return
    group = limits.group_of(bundle.name, "hugetlb")
    assert group
    names = ["max"] if group.unified else ["limit_in_bytes"]
    read = {name: group.read(f"hugetlb.{size}.{name}") for name in [*names, *(f"rsvd.{n}" for n in names)]
            if group.has(f"hugetlb.{size}.{name}")}
    assert str(3 << 30) in read.values(), read


def _has_page_size(size):
    from pathlib import Path
    kib = {"2MB": 2048, "1GB": 1 << 20}[size]
    return Path(f"/sys/kernel/mm/hugepages/hugepages-{kib}kB").exists()


def test_a_page_size_that_the_kernel_lacks_is_refused(runtime, bundle):
    """config-linux.md, Huge page limits: must match the file of the page size"""
    bundle.linux["resources"] = {"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}
    runtime.refuses(bundle, "hugepageLimits[0]")


def _disk() -> str | None:
    """A block device that throttles: the one below the root file system."""
    import os
    device = os.stat("/").st_dev
    return f"{os.major(device)}:{os.minor(device)}" if os.major(device) else None


@pytest.mark.parametrize("property, v1, v2", [
    ("throttleReadBpsDevice", "read_bps", "rbps"), ("throttleWriteBpsDevice", "write_bps", "wbps"),
    ("throttleReadIOPSDevice", "read_iops", "riops"), ("throttleWriteIOPSDevice", "write_iops", "wiops"),
])
def test_block_devices_are_throttled(runtime, bundle, property, v1, v2):
    """config-linux.md, Block IO"""
    disk = _disk()
    if not disk:
        pytest.skip("the root file system is on no block device")
    major, minor = map(int, disk.split(":"))
    bundle.linux["resources"] = {"blockIO": {property: [{"major": major, "minor": minor, "rate": 1 << 20}]}}
    container = runtime.try_create(bundle.probe("hold"))
    if container.created.status:
        refused(container.created, names=[property])
        runtime.expect_nothing()
        assert not {"blkio", "io"} & set(limits.controllers()), container.created
        return
    group = limits.group_of(bundle.name, "blkio", "io")
    assert group
    if group.unified:
        assert f"{v2}={1 << 20}" in group.read("io.max").split()
    else:
        assert group.read(f"blkio.throttle.{v1}_device") == f"{disk} {1 << 20}"


def test_a_weight_is_written_where_a_scheduler_knows_weights(runtime, bundle):
    """config-linux.md, Block IO: weight"""
    bundle.linux["resources"] = {"blockIO": {"weight": 300}}
    container = runtime.try_create(bundle.probe("hold"))
    if container.created.status:
        refused(container.created, names=["blockIO.weight"])
        runtime.expect_nothing()
        return
    group = limits.group_of(bundle.name, "blkio", "io")
    files = ["io.bfq.weight", "io.weight"] if group.unified else ["blkio.bfq.weight", "blkio.weight"]
    values = [group.read(file).split()[-1] for file in files if group.has(file)]
    assert values and values[0] in ("300", str(1 + 290 * 9999 // 990))


def test_unified_files_are_written_as_they_are(runtime, bundle):
    """config-linux.md, Unified: "Configuration unknown to the runtime MUST still be written to the relevant file" """
    bundle.linux["resources"] = {"unified": {"cgroup.max.depth": "3"}}
    container = runtime.try_create(bundle.probe("hold"))
    if "v2" not in host.hierarchies():
        refused(container.created, names=["unified"])
        runtime.expect_nothing()
        return
    container.created.ok()
    groups = [path for path in host.cgroups_named(bundle.name) if (path / "cgroup.max.depth").exists()]
    assert [(path / "cgroup.max.depth").read_text() for path in groups] == ["3\n"]


def test_controllers_are_enabled_for_unified_files(runtime, bundle):
    """config-linux.md, Unified: "MUST ensure that the needed cgroup controllers are enabled for the cgroup" """
    known = {"memory": ("memory.high", 64 * MIB), "pids": ("pids.max", 33), "hugetlb": ("hugetlb.2MB.max", 8 * MIB)}
    unified = [name for name, is_unified in limits.controllers().items() if is_unified and name in known]
    if not unified:
        pytest.skip("version 2 has none of these controllers here")
    bundle.linux["cgroupsPath"] = f"/{bundle.name}/deep/deeper"
    bundle.linux["resources"] = {"unified": {known[name][0]: str(known[name][1]) for name in unified}}
    runtime.create(bundle.probe("hold"))
    group = host.hierarchies()["v2"] / bundle.name / "deep/deeper"
    for name in unified:
        file, value = known[name]
        assert (group / file).read_text() == f"{value}\n"


@pytest.mark.parametrize("key", ["nosuch.max", "memory.nosuch", "cgroup.nosuch", "nosuch", "../cgroup.procs", "a/b.max", ""])
def test_a_unified_file_that_does_not_exist_is_refused(runtime, bundle, key):
    """config-linux.md, Unified: MUST generate an error for a controller that is not present or cannot be enabled"""
    bundle.linux["resources"] = {"unified": {key: "1"}}
    runtime.refuses(bundle, "unified")


@pytest.mark.parametrize("resources, name", [
    ({"memory": {"limit": 64 * MIB, "swap": 32 * MIB}}, "memory.swap"),
    ({"cpu": {"quota": 10000, "burst": 20000}}, "cpu.burst"),
    ({"cpu": {"period": 1}}, "cpu.period"),
    ({"cpu": {"cpus": "4095"}}, "cpu.cpus"),
    ({"cpu": {"cpus": "x"}}, "cpu.cpus"),
    ({"devices": [{"allow": True, "type": "x"}]}, "devices[0]"),
    ({"devices": [{"allow": True, "access": "q"}]}, "devices[0]"),
])
def test_values_that_make_no_sense_are_refused(runtime, bundle, resources, name):
    """runtime.md, Create: "If the runtime cannot apply a property as specified in the configuration, it MUST generate
    an error" """
    bundle.linux["resources"] = resources
    runtime.refuses(bundle, name)
