"""scheduler, ioPriority, execCPUAffinity, memoryPolicy, personality (config.md, Linux Process; config-linux.md)."""

import os

import pytest

from harness import host

OTHER, FIFO, RR, BATCH, IDLE, DEADLINE = 0, 1, 2, 3, 5, 6


@pytest.mark.parametrize("name, policy, nice", [
    ("SCHED_OTHER", OTHER, 0), ("SCHED_OTHER", OTHER, 7), ("SCHED_BATCH", BATCH, 5), ("SCHED_IDLE", IDLE, 0)])
def test_the_policy_and_the_nice_value_are_those_of_the_configuration(runtime, bundle, name, policy, nice):
    """config.md, Linux Process: scheduler: policy, nice; if not set, nice is 0"""
    runtime.wrapper = ["nice", "-n", "3"]
    bundle.process["scheduler"] = {"policy": name} | ({"nice": nice} if nice else {})
    seen = runtime.look(bundle).report["scheduler"]
    assert (seen["policy"], seen["nice"]) == (policy, nice)


def test_a_negative_nice_value_needs_no_privilege_in_the_container(runtime, bundle):
    """config.md, Linux Process: scheduler: it is the runtime that sets it"""
    bundle.process["scheduler"] = {"policy": "SCHED_OTHER", "nice": -4}
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    assert runtime.look(bundle.capabilities()).report["scheduler"]["nice"] == -4


def test_without_a_scheduler_nothing_is_changed(runtime, bundle):
    """config.md, Linux Process: scheduler is OPTIONAL"""
    runtime.wrapper = ["nice", "-n", "6"]
    seen = runtime.look(bundle).report["scheduler"]
    assert (seen["policy"], seen["nice"]) == (OTHER, 6)


def test_flags_of_the_scheduler_are_applied(runtime, bundle):
    """config.md, Linux Process: scheduler: flags"""
    bundle.process["scheduler"] = {"policy": "SCHED_BATCH", "flags": ["SCHED_FLAG_RESET_ON_FORK"]}
    assert runtime.look(bundle).report["scheduler"]["flags"] & 1


@pytest.mark.parametrize("name, policy", [("SCHED_FIFO", FIFO), ("SCHED_RR", RR)])
def test_a_realtime_policy_has_its_priority(runtime, bundle, name, policy):
    """config.md, Linux Process: scheduler: priority"""
    if "RT" in _denied_realtime(runtime):
        pytest.skip("this kernel gives control groups of version 1 no realtime share")
    bundle.process["scheduler"] = {"policy": name, "priority": 12}
    seen = runtime.look(bundle).report["scheduler"]
    assert (seen["policy"], seen["priority"]) == (policy, 12)


def _denied_realtime(runtime) -> str:
    """A child group of the version 1 cpu controller starts with no realtime runtime."""
    cpu = next((path for name, path in host.hierarchies().items() if "cpu" in name.split(",")), None)
    return "RT" if cpu and (cpu / "cpu.rt_runtime_us").exists() else ""


def test_a_deadline_has_runtime_deadline_and_period(runtime, bundle):
    """config.md, Linux Process: scheduler: runtime, deadline, period"""
    bundle.process["scheduler"] = {
        "policy": "SCHED_DEADLINE", "runtime": 10_000_000, "deadline": 30_000_000, "period": 40_000_000}
    result = runtime.run(bundle)
    if result.status and "EBUSY" in result.stderr or "busy" in result.stderr.lower():
        pytest.skip("the kernel admits no more deadline tasks")
    seen = result.ok().seen.report["scheduler"]
    assert seen["policy"] == DEADLINE
    assert (seen["runtime"], seen["deadline"], seen["period"]) == (10_000_000, 30_000_000, 40_000_000)


@pytest.mark.parametrize("scheduler", [
    {"policy": "SCHED_NONE"}, {"policy": "other"}, {}, {"nice": 3}, {"policy": "SCHED_OTHER", "nice": 99},
    {"policy": "SCHED_OTHER", "nice": -21}, {"policy": "SCHED_FIFO", "priority": 200},
    {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_OF_TOMORROW"]}, {"policy": "SCHED_OTHER", "priority": 5},
    {"policy": "SCHED_BATCH", "deadline": 5000000}, {"policy": 3},
])
def test_a_scheduler_that_makes_no_sense_is_refused(runtime, bundle, scheduler):
    """config.md, Valid values: MUST generate an error when invalid values are encountered"""
    bundle.process["scheduler"] = scheduler
    runtime.refuses(bundle, "scheduler")


@pytest.mark.parametrize("name, number", [("IOPRIO_CLASS_RT", 1), ("IOPRIO_CLASS_BE", 2), ("IOPRIO_CLASS_IDLE", 3)])
def test_the_io_priority_is_that_of_the_configuration(runtime, bundle, name, number):
    """config.md, Linux Process: ioPriority: class, priority"""
    bundle.process["ioPriority"] = {"class": name, "priority": 4}
    assert runtime.look(bundle).report["ioprio"] == number << 13 | 4


def test_an_io_priority_without_a_level_has_the_highest(runtime, bundle):
    """config.md, Linux Process: ioPriority: priority: REQUIRED, but not so in the schema, which engines go by"""
    bundle.process["ioPriority"] = {"class": "IOPRIO_CLASS_BE"}
    assert runtime.look(bundle).report["ioprio"] == 2 << 13


@pytest.mark.parametrize("given", [
    {"class": "IOPRIO_CLASS_NONE", "priority": 4}, {"class": "BE", "priority": 4}, {"priority": 4},
    {"class": "IOPRIO_CLASS_BE", "priority": 8}, {"class": "IOPRIO_CLASS_BE", "priority": -1},
])
def test_an_io_priority_that_does_not_exist_is_refused(runtime, bundle, given):
    """config.md, Linux Process: ioPriority: three classes, levels 0 to 7"""
    bundle.process["ioPriority"] = given
    runtime.refuses(bundle, "ioPriority")


def test_the_affinity_for_exec_is_not_that_of_the_containers_process(runtime, bundle):
    """config.md, Linux Process: execCPUAffinity is not applicable to the container's init process"""
    cpus = sorted(os.sched_getaffinity(0))
    bundle.process["execCPUAffinity"] = {"initial": str(cpus[0]), "final": str(cpus[0])}
    assert runtime.look(bundle).report["affinity"] == cpus
