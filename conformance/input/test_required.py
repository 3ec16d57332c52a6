"""What the specification calls REQUIRED: an entry without it is refused by name (config.md, config-linux.md)."""

import copy

import pytest

ID = {"containerID": 0, "hostID": 100000, "size": 65536}
RATE = {"major": 8, "minor": 0, "rate": 1 << 20}
COMPARISON = {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}
RULE = {"names": ["sync"], "action": "SCMP_ACT_ERRNO"}

# A property of config.json, a valid value of it, and which names in its (first) object are required.
CASES = [
    ("mounts", [{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"}], ["destination"]),
    ("process.consoleSize", {"height": 24, "width": 80}, ["height", "width"]),
    ("process.rlimits", [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}], ["type", "soft", "hard"]),
    ("process.scheduler", {"policy": "SCHED_OTHER", "nice": 1}, ["policy"]),
    ("process.ioPriority", {"class": "IOPRIO_CLASS_BE", "priority": 4}, ["class"]),
    ("hooks.prestart", [{"path": "/bin/true"}], ["path"]),
    ("hooks.createRuntime", [{"path": "/bin/true"}], ["path"]),
    ("hooks.createContainer", [{"path": "/bin/true"}], ["path"]),
    ("hooks.startContainer", [{"path": "/bin/true"}], ["path"]),
    ("hooks.poststart", [{"path": "/bin/true"}], ["path"]),
    ("hooks.poststop", [{"path": "/bin/true"}], ["path"]),
    ("linux.uidMappings", [ID], list(ID)),
    ("linux.gidMappings", [ID], list(ID)),
    ("linux.devices", [{"type": "c", "path": "/dev/x", "major": 1, "minor": 5}], ["type", "path", "major", "minor"]),
    ("linux.resources.devices", [{"allow": True, "access": "r"}], ["allow"]),
    ("linux.resources.blockIO.weightDevice", [{"major": 8, "minor": 0, "weight": 300}], ["major", "minor", "weight"]),
    ("linux.resources.blockIO.throttleReadBpsDevice", [RATE], list(RATE)),
    ("linux.resources.blockIO.throttleWriteBpsDevice", [RATE], list(RATE)),
    ("linux.resources.blockIO.throttleReadIOPSDevice", [RATE], list(RATE)),
    ("linux.resources.blockIO.throttleWriteIOPSDevice", [RATE], list(RATE)),
    ("linux.resources.hugepageLimits", [{"pageSize": "2MB", "limit": 0}], ["pageSize", "limit"]),
    ("linux.resources.network.priorities", [{"name": "lo", "priority": 1}], ["name", "priority"]),
    ("linux.resources.rdma", {"mlx5_0": {"hcaHandles": 3}}, ["hcaHandles"]),
    ("linux.memoryPolicy", {"mode": "MPOL_DEFAULT"}, ["mode"]),
    ("linux.personality", {"domain": "LINUX"}, ["domain"]),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [RULE]}, ["defaultAction"]),
    ("linux.seccomp.syscalls", [RULE], list(RULE)),
    ("linux.seccomp.syscalls[0].args", [COMPARISON], list(COMPARISON)),
]


def _set(config: dict, path: str, value) -> None:
    """Sets `a.b[0].c`, with what is missing on the way."""
    *way, last = path.replace("[0]", ".0").split(".")
    for name in way:
        config = config[int(name)] if name == "0" else config.setdefault(name, {})
    config[last] = value


@pytest.mark.parametrize("place, value, name", [
    pytest.param(place, value, name, id=f"{place}:{name}") for place, value, names in CASES for name in names])
def test_a_required_property_that_is_missing_is_refused(runtime, bundle, place, value, name):
    """config.md, config-linux.md: REQUIRED; Valid values: MUST generate an error"""
    if "Mappings" in place:
        bundle.user_namespace()
    if place == "process.consoleSize":
        bundle.process["terminal"] = True
    if place.startswith("linux.seccomp."):
        bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [dict(RULE)]}
    value = copy.deepcopy(value)
    entry = value[0] if isinstance(value, list) else next(iter(value.values())) if place.endswith("rdma") else value
    del entry[name]
    _set(bundle.config, place, value)
    runtime.refuses(bundle, place, name)


def test_ids_that_the_schema_lets_out_are_those_of_root(runtime, bundle):
    """config.md, User: uid, gid: REQUIRED, but not so in the schema, which engines go by"""
    del bundle.process["user"]["uid"], bundle.process["user"]["gid"]
    report = runtime.look(bundle).report
    assert (report["uids"][0], report["gids"][0]) == (0, 0)
