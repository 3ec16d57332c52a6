"""update (the command line contract): limits of a container that runs are changed, all of them or none."""

import json
import time

import pytest

from harness import host, limits, refused

MIB = 1 << 20
FUSE = {"type": "c", "major": 10, "minor": 229}
DENY_ALL = {"allow": False, "access": "rwm"}


@pytest.fixture
def container(runtime, bundle):
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    return container


def _is_limited(controller) -> bool:
    return controller in limits.controllers()


def _read(container, controller, v1, v2, name=None) -> str:
    group = limits.group_of(container.bundle.name, controller, name)
    return group.read(v2 if group.unified else v1)


CASES = [
    (["--memory", "96m"], "memory", "memory.limit_in_bytes", "memory.max", str(96 * MIB), None),
    (["--memory", "1.5GiB"], "memory", "memory.limit_in_bytes", "memory.max", str(3 << 29), None),
    (["--memory-reservation", "64k"], "memory", "memory.soft_limit_in_bytes", "memory.low", "65536", None),
    (["--pids-limit", "55"], "pids", "pids.max", "pids.max", "55", None),
    (["--cpu-share", "512"], "cpu", "cpu.shares", "cpu.weight", ("512", "59"), None),
    (["--cpu-quota", "30000"], "cpu", "cpu.cfs_quota_us", "cpu.max", ("30000", "30000 100000"), None),
    (["--cpu-period", "50000"], "cpu", "cpu.cfs_period_us", "cpu.max", ("50000", "max 50000"), None),
    (["--cpu-idle", "1"], "cpu", "cpu.idle", "cpu.idle", "1", None),
    (["--cpuset-cpus", "0"], "cpuset", "cpuset.cpus", "cpuset.cpus", "0", None),
    (["--cpuset-mems", "0"], "cpuset", "cpuset.mems", "cpuset.mems", "0", None),
    (["--cpu-quota", "40000", "--cpu-burst", "20000"], "cpu", "cpu.cfs_burst_us", "cpu.max.burst", "20000", None),
]


@pytest.mark.parametrize("words, controller, v1, v2, expected, other", CASES, ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_an_option_changes_a_limit(runtime, container, words, controller, v1, v2, expected, other):
    """Each option of runc's"""
    if not _is_limited(controller):
        pytest.skip(f"this host has no controller {controller}")
    runtime.command("update", *words, container.id).ok()
    unified = limits.controllers()[controller]
    assert _read(container, controller, v1, v2) == (expected if isinstance(expected, str) else expected[unified])


@pytest.mark.parametrize("words, place, controllers", [
    (["--blkio-weight", "300"], "blockIO.weight", ("blkio", "io")),
    (["--cpu-rt-period", "500000"], "cpu.realtimePeriod", ("cpu",)),
    (["--cpu-rt-runtime", "1000"], "cpu.realtimeRuntime", ("cpu",)),
    (["--l3-cache-schema", "L3:0=f"], "l3CacheSchema|resctrl", ()),
    (["--mem-bw-schema", "MB:0=50"], "memBwSchema|resctrl", ()),
], ids=lambda v: v[0] if isinstance(v, list) else "")
def test_an_option_for_what_a_kernel_may_lack_is_applied_or_refused_by_name(
        runtime, container, words, place, controllers):
    """The rest of runc's options; what is refused changes nothing"""
    result = runtime.command("update", *words, container.id)
    if result.status:
        refused(result, names=[place])
        return
    group = limits.group_of(container.bundle.name, *controllers)
    files = {
        "--blkio-weight": ["blkio.bfq.weight", "blkio.weight", "io.bfq.weight", "io.weight"],
        "--cpu-rt-period": ["cpu.rt_period_us"], "--cpu-rt-runtime": ["cpu.rt_runtime_us"]}[words[0]]
    written = {file: group.read(file).split()[-1] for file in files if group.has(file)}
    file = next(iter(written), None)
    # io.weight goes from 1 to 10000 where the option goes from 10 to 1000
    assert written.get(file) == ("2930" if file == "io.weight" else words[1]), written


def test_kernel_memory_has_no_limit_of_its_own_any_more(runtime, container):
    """--kernel-memory, which engines of yesterday give: a warning"""
    result = runtime.command("update", "--kernel-memory", "32m", container.id)
    if runtime.name == "swrun":
        assert result.ok().stderr.count("\n") == 1 and "kernel memory" in result.stderr


def test_options_may_follow_the_id(runtime, container):
    """As podman and people write it"""
    if not _is_limited("pids"):
        pytest.skip("no pids controller")
    runtime.command("update", container.id, "--pids-limit", "44").ok()
    assert _read(container, "pids", "pids.max", "pids.max") == "44"


def test_minus_one_takes_limits_away(runtime, container):
    """-1 is unlimited"""
    if not (_is_limited("pids") and _is_limited("memory")):
        pytest.skip("no pids or no memory controller")
    runtime.command("update", "--pids-limit", "44", "--memory", "64m", "--memory-swap", "96m", container.id).ok()
    runtime.command("update", "--pids-limit", "-1", "--memory=-1", "--memory-swap", "-1", container.id).ok()
    assert _read(container, "pids", "pids.max", "pids.max") == "max"
    assert _read(container, "memory", "memory.limit_in_bytes", "memory.max") in ("9223372036854771712", "max")


def test_memory_grows_and_shrinks_with_swap(runtime, container):
    """The limit of both is never below that of memory, whichever is written first"""
    if not _is_limited("memory"):
        pytest.skip("no memory controller")
    for memory, swap in [(64, 96), (128, 160), (32, 40), (48, 48)]:
        runtime.command("update", "--memory", f"{memory}m", "--memory-swap", f"{swap}m", container.id).ok()
        assert _read(container, "memory", "memory.limit_in_bytes", "memory.max") == str(memory * MIB)
        group = limits.group_of(container.bundle.name, "memory")
        if group.has("memory.memsw.limit_in_bytes"):
            assert group.read("memory.memsw.limit_in_bytes") == str(swap * MIB)
        elif group.has("memory.swap.max"):
            assert group.read("memory.swap.max") == str((swap - memory) * MIB)


@pytest.mark.parametrize("how", ["file", "stdin", "equals"])
def test_limits_come_from_a_document(runtime, container, how):
    """--resources FILE and --resources -: what is not named stays"""
    if not (_is_limited("pids") and _is_limited("memory")):
        pytest.skip("no pids or no memory controller")
    runtime.command("update", "--memory", "64m", container.id).ok()
    text = json.dumps({"pids": {"limit": 33}, "cpu": {}, "memory": {}, "unknown": 1})
    file = runtime.directory / "resources.json"
    file.write_text(text)
    match how:
        case "file":
            runtime.command("update", "--resources", file, container.id).ok()
        case "stdin":
            runtime.command("update", "-r", "-", container.id, stdin=text).ok()
        case "equals":
            runtime.command("update", "--resources=-", container.id, stdin=text).ok()
    assert _read(container, "pids", "pids.max", "pids.max") == "33"
    assert _read(container, "memory", "memory.limit_in_bytes", "memory.max") == str(64 * MIB)


@pytest.mark.parametrize("words, name", [
    (["--memory", "x"], "--memory"), (["--memory", "-5"], "--memory"), (["--pids-limit", "x"], "--pids-limit"),
    (["--pids-limit", "-2"], "pids.limit"), (["--cpu-share", "-1"], "--cpu-share"), (["--cpu-idle", "2"], "cpu.idle"),
    (["--cpuset-cpus", "4095"], "cpu.cpus"), (["--resources", "/no/such/file"], "/no/such/file"),
    (["--memory", "64m", "--memory-swap", "32m"], "memory.swap"),
])
def test_what_makes_no_sense_is_refused(runtime, container, words, name):
    """By the option, or the property"""
    refused(runtime.command("update", *words, container.id), names=[name])


@pytest.mark.parametrize("text", ["", "{", '{"pids": {"limit": "x"}}', "[]"])
def test_a_document_that_makes_no_sense_is_refused(runtime, container, text):
    """It is told what is wrong with standard input"""
    refused(runtime.command("update", "--resources", "-", container.id, stdin=text), names=["standard input"])


def test_one_change_that_is_refused_takes_the_others_back(runtime, container):
    """All or none"""
    if not (_is_limited("pids") and _is_limited("memory") and _is_limited("cpu")):
        pytest.skip("no pids, no memory or no cpu controller")
    runtime.command(
        "update", "--pids-limit", "44", "--memory", "64m", "--cpu-quota", "50000", "--cpu-share", "512",
        container.id).ok()
    files = [("pids", "pids.max", "pids.max"), ("memory", "memory.limit_in_bytes", "memory.max"),
             ("cpu", "cpu.cfs_quota_us", "cpu.max"), ("cpu", "cpu.shares", "cpu.weight")]
    before = [_read(container, *file) for file in files]
    text = json.dumps({
        "pids": {"limit": 45}, "memory": {"limit": 128 * MIB}, "cpu": {"quota": 70000, "shares": 700},
        "hugepageLimits": [{"pageSize": "3MB", "limit": 1}]})
    refused(runtime.command("update", "--resources", "-", container.id, stdin=text), names=["hugepageLimits[0]"])
    assert [_read(container, *file) for file in files] == before


def test_limits_of_block_devices_are_taken_back_too(runtime, container):
    """Files with a line for each device"""
    import os
    device = os.stat("/").st_dev
    if not os.major(device) or not {"blkio", "io"} & set(limits.controllers()):
        pytest.skip("nothing to throttle")
    number = {"major": os.major(device), "minor": os.minor(device)}
    runtime.command("update", "-r", "-", container.id, stdin=json.dumps(
        {"blockIO": {"throttleReadBpsDevice": [number | {"rate": 1 << 20}]}})).ok()
    text = json.dumps({
        "blockIO": {"throttleReadBpsDevice": [number | {"rate": 2 << 20}],
                    "throttleWriteBpsDevice": [number | {"rate": 2 << 20}]},
        "hugepageLimits": [{"pageSize": "3MB", "limit": 1}]})
    refused(runtime.command("update", "--resources", "-", container.id, stdin=text), names=["hugepageLimits[0]"])
    group = limits.group_of(container.bundle.name, "blkio", "io")
    if group.unified:
        assert f"rbps={1 << 20} wbps=max" in group.read("io.max")
    else:
        assert group.read("blkio.throttle.read_bps_device").endswith(f" {1 << 20}")
        assert group.read("blkio.throttle.write_bps_device") == ""


@pytest.mark.parametrize("check", [True, False])
def test_a_limit_below_what_is_used_is_refused_if_asked(runtime, bundle, check):
    """config-linux.md, Memory: checkBeforeUpdate"""
    if not _is_limited("memory"):
        pytest.skip("no memory controller")
    bundle.linux["resources"] = {"memory": {"limit": 96 * MIB, "swap": 96 * MIB}}
    container = runtime.start(bundle.probe(["memory", 48 * MIB], "hold"))
    container.wait_for("hold")
    result = runtime.command("update", "-r", "-", container.id, stdin=json.dumps(
        {"memory": {"limit": 16 * MIB, "swap": 16 * MIB, "checkBeforeUpdate": check}}), seconds=60)
    if check:
        refused(result, names=["memory.limit"])
        assert _read(container, "memory", "memory.limit_in_bytes", "memory.max") == str(96 * MIB)
        assert container.status == "running"
    elif result.status:
        # Version 1 refuses it by itself, and leaves the container alone.
        assert not limits.controllers()["memory"]
        assert container.status == "running"
    else:
        container.wait()


@pytest.fixture
def opener(runtime, bundle, every_layout):
    """A container that opens /dev/fuse again and again; what the last try came to."""
    bundle.linux["devices"] = [{"path": "/dev/fuse", "fileMode": 0o666, **FUSE}]
    bundle.linux["resources"] = {"devices": [DENY_ALL]}
    container = runtime.start(bundle.shell(
        "while :; do if true </dev/fuse; then echo yes; else echo no; fi 2>/dev/null; sleep 0.01; done"))

    def opens() -> str:
        count = len(container.text.splitlines())
        host.wait_until(lambda: len(container.text.splitlines()) > count + 2, "it goes on trying")
        return container.text.splitlines()[-1]

    return container, opens


def _update(runtime, container, *rules):
    return runtime.command("update", "-r", "-", container.id, stdin=json.dumps({"devices": list(rules)}))


def test_device_rules_are_replaced_while_the_container_runs(runtime, opener):
    """A list of version 1, a program of version 2"""
    container, opens = opener
    assert opens() == "no"
    _update(runtime, container, DENY_ALL, {"allow": True, **FUSE, "access": "rw"}).ok()
    assert opens() == "yes"
    runtime.command("update", "-r", "-", container.id, stdin="{}").ok()
    assert opens() == "yes", "an update without devices leaves them"
    _update(runtime, container, DENY_ALL).ok()
    assert opens() == "no"
    _update(runtime, container, {"allow": True, "access": "rwm"}).ok()
    assert opens() == "yes"
    _update(runtime, container, {"allow": True, "access": "rwm"}, {"allow": False, **FUSE, "access": "r"}).ok()
    assert opens() == "no"


def test_default_devices_work_while_rules_are_replaced(runtime, bundle, every_layout):
    """At no moment is a device denied that both the old and the new rules allow"""
    bundle.linux["resources"] = {"devices": [DENY_ALL]}
    container = runtime.start(bundle.shell(
        "echo begin; while :; do true </dev/null || echo denied; done"))
    host.wait_until(lambda: "begin" in container.text, "the loop runs")
    for number in range(8):
        rules = [DENY_ALL, {"allow": True, **FUSE, "access": "rw"}][:1 + number % 2]
        _update(runtime, container, *rules).ok()
    time.sleep(0.1)
    assert "denied" not in container.text


def test_the_same_device_rules_leave_what_a_hook_has_allowed(runtime, opener, every_layout):
    """Engines give all limits for the change of one; a hook may have allowed a device by itself"""
    container, opens = opener
    files = [path / "devices.allow" for path in host.cgroups_named(container.bundle.name)
             if (path / "devices.allow").exists()]
    if every_layout == "v2" or not files:
        pytest.skip("hooks can add to the lists of version 1 only")
    for file in files:
        file.write_text("c 10:229 rw")
    _update(runtime, container, DENY_ALL).ok()
    assert opens() == "yes"


def test_only_a_container_that_is_there_can_be_updated(runtime, container):
    """The words that engines match"""
    refused(runtime.command("update", "--pids-limit", "5", "nosuch"), "does not exist")
    container.kill("KILL").ok()
    container.wait()
    refused(runtime.command("update", "--pids-limit", "5", container.id), "not running")


@pytest.mark.parametrize("state", ["created", "paused"])
def test_a_container_that_does_not_run_now_is_updated(runtime, bundle, state):
    """Before its start, and while it is paused"""
    if not _is_limited("pids"):
        pytest.skip("no pids controller")
    container = runtime.create(bundle.probe("hold"))
    if state == "paused":
        container.start().ok()
        runtime.command("pause", container.id).ok()
    runtime.command("update", "--pids-limit", "44", container.id).ok()
    assert _read(container, "pids", "pids.max", "pids.max") == "44"
    assert container.status == state
