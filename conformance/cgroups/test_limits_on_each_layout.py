"""The same limits where only version 1 is to be seen, and where only version 2 is: applied, or refused by name."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import limits, refused

MIB = 1 << 20


@dataclass
class Limit:
    """A limit, the controller that has it in each version, and the file and the text that say it."""

    resources: dict
    place: str
    v1: tuple[str, str, str]
    v2: tuple[str, str, str] | None


LIMITS = [
    Limit({"memory": {"limit": 64 * MIB}}, "memory.limit",
          ("memory", "memory.limit_in_bytes", str(64 * MIB)), ("memory", "memory.max", str(64 * MIB))),
    Limit({"cpu": {"quota": 20000, "period": 100000}}, "cpu.quota",
          ("cpu", "cpu.cfs_quota_us", "20000"), ("cpu", "cpu.max", "20000 100000")),
    Limit({"cpu": {"cpus": "0"}}, "cpu.cpus", ("cpuset", "cpuset.cpus", "0"), ("cpuset", "cpuset.cpus", "0")),
    Limit({"pids": {"limit": 9}}, "pids.limit", ("pids", "pids.max", "9"), ("pids", "pids.max", "9")),
    Limit({"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]}, "hugepageLimits[0]",
          ("hugetlb", "hugetlb.2MB.limit_in_bytes", str(4 * MIB)), ("hugetlb", "hugetlb.2MB.max", str(4 * MIB))),
    Limit({"memory": {"swappiness": 7}}, "memory.swappiness", ("memory", "memory.swappiness", "7"), None),
    Limit({"unified": {"cgroup.max.depth": "3"}}, "unified", ("none", "", ""), ("", "cgroup.max.depth", "3")),
]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.place)
def test_a_limit_is_applied_in_each_layout_or_refused_by_name(runtime, bundle, layout, limit):
    """config-linux.md, Control groups: "If the conversion is not possible the runtime MUST generate an error." """
    bundle.linux["resources"] = limit.resources
    container = runtime.try_create(bundle.probe("hold"))
    wanted = limit.v2 if layout == "v2" else limit.v1
    has = wanted and (wanted[0] == "" or limits.controllers().get(wanted[0]) is (layout == "v2"))
    if not has:
        refused(container.created, names=[f"linux.resources.{limit.place}"])
        runtime.expect_nothing()
        return
    container.created.ok()
    controller, file, text = wanted
    group = limits.group_in(bundle.name, controller, layout == "v2")
    assert group.read(file) == text


def test_processes_beyond_the_limit_fail_in_each_layout(runtime, bundle, layout):
    """pids.limit, where its controller is to be seen"""
    if limits.controllers().get("pids") is not (layout == "v2"):
        pytest.skip(f"{layout} has no controller pids here")
    bundle.linux["resources"] = {"pids": {"limit": 4}}
    children = runtime.start(bundle.probe(["fork", 6], "hold")).wait_for("hold")("fork")["children"]
    assert [child for child in children if child < 0] == [-1] * 3, children


def test_every_limit_of_a_layout_is_gone_with_the_container(runtime, bundle, layout):
    """Nothing of the other version is made, nothing of this one left"""
    has = {name for name, unified in limits.controllers().items() if unified is (layout == "v2")}
    bundle.linux["resources"] = {
        name: value for limit in LIMITS for name, value in limit.resources.items()
        if (limit.v2 if layout == "v2" else limit.v1) and (limit.v2 if layout == "v2" else limit.v1)[0] in has}
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    own = Path(f"/proc/{container.pid}/cgroup").read_text().splitlines()
    lines = [line for line in own if line.endswith(f"/{bundle.name}")]
    assert lines and all(line.startswith("0::") is (layout == "v2") for line in lines), lines
    container.delete("--force").ok()
    runtime.expect_nothing(bundle.name)
