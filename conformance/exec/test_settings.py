"""What the process is given besides its identity: limits, scores, scheduling, filters (config.md, Process)."""

import os

import pytest

from harness import host, refused


def _process(bundle, **changes) -> dict:
    return bundle.process | {"args": ["/bin/probe", "report"]} | changes


def test_limits_are_those_of_the_container(start, bundle):
    """config.md, Process: rlimits"""
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 88}]
    assert start().look().report["rlimits"]["NOFILE"] == [77, 88]


def test_the_oom_score_is_that_of_the_container_or_of_the_process_document(start, bundle):
    """config.md, Process: oomScoreAdj"""
    bundle.process["oomScoreAdj"] = 400
    container = start()
    assert container.look().report["oom_score_adj"].strip() == "400"
    result = container.exec_process(_process(bundle, oomScoreAdj=500)).ok()
    assert result.seen.report["oom_score_adj"].strip() == "500"


def test_the_scheduler_is_that_of_the_process_document(container, bundle):
    """config.md, Process: scheduler, ioPriority"""
    document = _process(
        bundle, scheduler={"policy": "SCHED_BATCH", "nice": 7},
        ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6})
    report = container.exec_process(document).ok().seen.report
    assert report["scheduler"]["policy"] == 3 and report["scheduler"]["nice"] == 7
    assert report["ioprio"] == 2 << 13 | 6


@pytest.mark.parametrize("which", ["initial", "final"])
def test_the_cpu_affinity_for_exec_counts_for_exec_only(start, bundle, which):
    """config.md, Process: execCPUAffinity"""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("the machine has one cpu")
    bundle.process["execCPUAffinity"] = {which: str(cpus[-1])}
    bundle.probe("report", "hold")
    container = start()
    assert container.wait_for("hold").report["affinity"] == cpus
    expected = [cpus[-1]] if which == "final" else None
    affinity = container.look().report["affinity"]
    # A cpuset that the process moves into afterwards may widen what was set before.
    assert affinity == (expected or affinity) and set(affinity) <= set(cpus)
    assert cpus[-1] in affinity


def test_a_cpu_that_is_not_there_is_an_error(container, bundle):
    """config.md, Process: execCPUAffinity: an error if the cpus cannot be set"""
    refused(
        container.exec_process(_process(bundle, execCPUAffinity={"final": "4000"})),
        names=["execCPUAffinity.final"], status=255)


def test_the_filter_of_the_container_holds_the_process_too(start, bundle):
    """config-linux.md, Seccomp"""
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77}]}
    seen = start().look("report", ["syscall", "getpriority", "0", "0"])
    assert seen("syscall")["errno" if "errno" in seen("syscall") else "error"] in (77, "EBADFD")
    assert seen.status_field("Seccomp") == "2"


def test_the_filter_is_that_of_create(start, bundle):
    """runtime.md, Lifecycle 2: any updates to config.json after create MUST NOT affect the container"""
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}
    container = start()
    del bundle.linux["seccomp"]
    bundle.process["env"].append("ADDED=later")
    bundle.write()
    report = container.look().report
    assert "ADDED=later" not in report["env"]
    assert container.look().status_field("Seccomp") == "2"


def test_personality_is_that_of_the_container(start, bundle):
    """config-linux.md, Personality"""
    bundle.linux["personality"] = {"domain": "LINUX32"}
    assert start().look().report["personality"] & 0xFF == 8


def test_the_keyring_is_not_the_callers(container):
    """the command line contract: a session keyring of its own"""
    id = container.id
    assert container.look().report["keyring"].endswith((f";_ses.{id}", f";{id}", ";_ses"))


def test_the_process_is_in_the_cgroups_of_the_container(container):
    """config-linux.md, Control groups: all processes of the container"""
    report = container.look().report
    def places(text):
        return sorted(line.split(":", 1)[1] for line in text.splitlines())

    inside = container.exec("/bin/cat", "/proc/1/cgroup").ok().stdout
    assert places(report["cgroup"]) == places(inside)


def test_limits_count_in_a_user_namespace_too(start, bundle):
    """config.md, Process: rlimits"""
    bundle.namespace("user")
    mapping = [{"containerID": 0, "hostID": 200000, "size": 65536}]
    bundle.linux |= {"uidMappings": mapping, "gidMappings": mapping}
    bundle.process["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]
    report = start().look().report
    assert report["rlimits"]["CORE"] == [0, 0]
    assert report["namespaces"]["user"] != host.namespaces("self")["user"]
