"""Kubernetes' way: containerd's CRI plugin, driven as the agent of a node drives it."""

import os
import time

import pytest

from engines.engine import wait_for
from harness import host


def namespaces(pid: int) -> dict[str, str]:
    return {kind: os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("net", "ipc", "uts", "pid", "mnt")}


def limit(container_pid: int, v1: str, file: str, v2_file: str) -> str:
    """A limit of the control group of a process."""
    for line in open(f"/proc/{container_pid}/cgroup").read().splitlines():
        _, names, path = line.split(":", 2)
        for kinds, point in host.hierarchies().items():
            if v1 in names.split(",") and v1 in kinds.split(","):
                return (point / path.lstrip("/") / file).read_text().strip()
            if not names and kinds == "v2" and (found := point / path.lstrip("/") / v2_file).exists():
                return found.read_text().strip()
    raise AssertionError(f"no control group with {v1}")


def test_the_node_is_ready(cri):
    conditions = {one.type: one.status for one in cri.call("Status").status.conditions}
    assert conditions == {"RuntimeReady": True, "NetworkReady": True}


def test_the_containers_of_a_pod_share_its_namespaces(make_pod):
    pod = make_pod()
    one, two = (namespaces(pod.pid(pod.start("sleep", "60"))) for _ in range(2))
    for kind in "net", "ipc", "uts":
        assert one[kind] == two[kind] != os.readlink(f"/proc/self/ns/{kind}")
    for kind in "pid", "mnt":
        assert one[kind] != two[kind]


def test_the_containers_of_a_pod_may_share_their_processes(make_pod):
    pod = make_pod(security_context={"namespace_options": {"pid": "POD"}})
    shared = {"namespace_options": {"pid": "POD"}}
    pod.start("sleep", "71", security=shared)
    second = pod.start("sleep", "72", security=shared)
    seen, _ = pod.execute(second, "ps")
    assert "sleep 71" in seen and "sleep 72" in seen and "sleep infinity" in seen


def test_a_container_for_debugging_joins_the_processes_of_another(make_pod):
    pod = make_pod()
    target = pod.start("sleep", "71")
    guest = pod.start("sleep", "72", security={"namespace_options": {"pid": "TARGET", "target_id": target}})
    assert "sleep 71" in pod.execute(guest, "ps")[0]


def test_a_pod_in_the_namespaces_of_the_node(make_pod, containerd_engine):
    options = {"namespace_options": {"network": "NODE", "pid": "NODE", "ipc": "NODE"}}
    pod = make_pod(security_context=options)
    seen = namespaces(pod.pid(pod.start("sleep", "60", security=options)))
    node = namespaces(containerd_engine.daemon.pid)
    assert [seen[kind] for kind in ("net", "pid", "ipc")] == [node[kind] for kind in ("net", "pid", "ipc")]


def test_containers_of_a_pod_and_of_two_pods_reach_each_other(make_pod):
    pod, other = make_pod(), make_pod()
    pod.start("web", "serve", "80", "I am")
    ask = "until web get {} 80; do sleep 0.1; done"
    assert pod.execute(pod.start("sleep", "60"), "sh", "-c", ask.format("127.0.0.1"))[0] == f"I am {pod.name}\n"
    assert other.execute(other.start("sleep", "60"), "sh", "-c", ask.format(pod.address))[0] == f"I am {pod.name}\n"


def test_the_life_of_a_container(make_pod):
    pod = make_pod()
    id = pod.create("sh", "-c", "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 60 & wait; done")
    assert pod.state(id) == "created"
    pod.cri.call("StartContainer", container_id=id)
    wait_for(lambda: pod.log() == "up\n", "it is up")
    assert pod.state(id) == "running"
    pod.cri.call("StopContainer", container_id=id, timeout=20)
    status = pod.status(id)
    assert (pod.state(id), status.exit_code) == ("exited", 7)
    assert pod.log() == "up\nbye\n"
    pod.cri.call("RemoveContainer", container_id=id)


def test_stop_kills_what_does_not_stop(make_pod):
    pod = make_pod()
    id = pod.start("sh", "-c", "trap '' TERM; echo up; while :; do sleep 60 & wait; done")
    wait_for(lambda: pod.log() == "up\n", "it is up")
    pod.cri.call("StopContainer", container_id=id, timeout=1)
    assert pod.status(id).exit_code == 137


def test_a_container_that_ends_is_completed_or_has_failed(make_pod):
    pod = make_pod()
    for words, code, reason in (["true"], 0, "Completed"), (["sh", "-c", "exit 3"], 3, "Error"):
        id = pod.start(*words)
        wait_for(lambda id=id: pod.state(id) == "exited", "it ends")
        assert (pod.status(id).exit_code, pod.status(id).reason) == (code, reason)


@pytest.mark.parametrize("path, text", [
    ("nosuch", "executable file not found"), ("/bin/nosuch", "no such file or directory"),
    ("/etc/passwd", "permission denied")])
def test_a_program_that_cannot_be_executed(make_pod, path, text):
    pod = make_pod()
    id = pod.create(path)
    with pytest.raises(pod.cri.failure) as failure:
        pod.cri.call("StartContainer", container_id=id)
    assert "OCI runtime create failed" in str(failure.value)
    assert path in str(failure.value) and text in str(failure.value).lower()
    assert (pod.state(id), pod.status(id).exit_code) == ("exited", 128)


# Probes


def test_an_exec_probe(make_pod):
    pod = make_pod()
    id = pod.start("sleep", "60")
    assert pod.execute(id, "sh", "-c", "echo seen; exit 3") == ("seen\n", 3)
    for _ in range(5):
        assert pod.execute(id, "true") == ("", 0)


def test_a_probe_that_takes_too_long_is_ended(make_pod):
    pod = make_pod()
    id = pod.start("sleep", "60")
    began = time.monotonic()
    with pytest.raises(pod.cri.failure) as failure:
        pod.execute(id, "sleep", "77", seconds=1)
    assert "timeout" in str(failure.value).lower() or "deadline" in str(failure.value).lower()
    assert time.monotonic() - began < host.timeout(30)
    wait_for(lambda: "sleep 77" not in pod.execute(id, "ps")[0], "the probe is ended")
    assert pod.state(id) == "running"


def test_a_probe_whose_program_is_missing(make_pod):
    pod = make_pod()
    id = pod.start("sleep", "60")
    with pytest.raises(pod.cri.failure) as failure:
        pod.execute(id, "nosuch")
    assert "OCI runtime exec failed: exec failed: " in str(failure.value)
    assert "executable file not found" in str(failure.value)
    assert pod.execute(id, "true") == ("", 0)


def test_a_probe_prints_much(make_pod):
    pod = make_pod()
    out, status = pod.execute(pod.start("sleep", "60"), "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x")
    assert (out, status) == ("x" * 3_000_000, 0)


# Limits


def test_limits_are_set_and_updated(make_pod):
    pod = make_pod()
    id = pod.start("sleep", "60", resources={
        "cpu_period": 100000, "cpu_quota": 20000, "cpu_shares": 512, "memory_limit_in_bytes": 64 << 20,
        "oom_score_adj": 900, "cpuset_cpus": "0"})
    pid = pod.pid(id)
    assert limit(pid, "memory", "memory.limit_in_bytes", "memory.max") == str(64 << 20)
    assert limit(pid, "cpu", "cpu.cfs_quota_us", "cpu.max").split()[0] == "20000"
    assert limit(pid, "cpuset", "cpuset.cpus", "cpuset.cpus") == "0"
    assert open(f"/proc/{pid}/oom_score_adj").read() == "900\n"
    pod.cri.call("UpdateContainerResources", container_id=id, linux={
        "cpu_period": 100000, "cpu_quota": 50000, "memory_limit_in_bytes": 96 << 20})
    assert limit(pid, "memory", "memory.limit_in_bytes", "memory.max") == str(96 << 20)
    assert limit(pid, "cpu", "cpu.cfs_quota_us", "cpu.max").split()[0] == "50000"
    assert limit(pid, "cpuset", "cpuset.cpus", "cpuset.cpus") == "0"


def test_a_container_that_uses_too_much_memory_is_told_so(make_pod):
    pod = make_pod()
    id = pod.start("sh", "-c", "exec tail /dev/zero", resources={"memory_limit_in_bytes": 24 << 20})
    wait_for(lambda: pod.state(id) == "exited", "it ends", 60)
    wait_for(lambda: pod.status(id).reason == "OOMKilled", "the reason is known")
    assert pod.status(id).exit_code == 137


def test_statistics(make_pod):
    pod = make_pod()
    id = pod.start("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 60")

    def stats():
        return pod.cri.call("ContainerStats", container_id=id).stats

    wait_for(lambda: stats().cpu.usage_core_nano_seconds.value > 0, "usage")
    assert stats().memory.working_set_bytes.value > 0


# What a pod's description asks for


def test_user_groups_environment_and_directory(make_pod):
    pod = make_pod()
    id = pod.start("sleep", "60", working_dir="/usr/bin", envs=[{"key": "A", "value": "b c"}], security={
        "run_as_user": {"value": 1000}, "run_as_group": {"value": 5}, "supplemental_groups": [77]})
    out, _ = pod.execute(id, "sh", "-c", "echo $A; pwd; id -u; id -G")
    assert out == "b c\n/usr/bin\n1000\n5 77\n"


def test_privileges(make_pod):
    pod = make_pod()
    status = ["sh", "-c", "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | cut -f2; touch /made || true"]
    id = pod.start("sleep", "60", security={
        "capabilities": {"drop_capabilities": ["ALL"], "add_capabilities": ["NET_RAW"]}, "no_new_privs": True,
        "readonly_rootfs": True, "namespace_options": {"pid": "CONTAINER"}})
    assert pod.execute(id, *status)[0].split() == ["0000000000002000", "1", "2"]
    assert pod.execute(id, "touch", "/made")[1] == 1


def test_volumes(make_pod, tmp_path):
    pod = make_pod()
    (tmp_path / "given").write_text("from outside")
    mounts = [{"container_path": f"/{name}", "host_path": str(tmp_path), "readonly": name == "ro"}
              for name in ("rw", "ro")]
    id = pod.start("sleep", "60", mounts=mounts)
    assert pod.execute(id, "cat", "/ro/given") == ("from outside", 0)
    assert pod.execute(id, "touch", "/ro/made")[1] == 1
    assert pod.execute(id, "touch", "/rw/made")[1] == 0


def test_masked_and_read_only_paths(make_pod):
    pod = make_pod()
    id = pod.start("sleep", "60", security={"masked_paths": ["/proc/kcore", "/etc"], "readonly_paths": ["/usr"],
                                            "namespace_options": {"pid": "CONTAINER"}})
    assert pod.execute(id, "ls", "/etc") == ("", 0)
    assert pod.execute(id, "touch", "/usr/made")[1] == 1


def test_sysctls_of_a_pod(make_pod):
    pod = make_pod(sysctls={"net.ipv4.ip_local_port_range": "4000 5000", "kernel.msgmax": "4321"})
    out, _ = pod.execute(pod.start("sleep", "60"), "cat", "/proc/sys/net/ipv4/ip_local_port_range",
                         "/proc/sys/kernel/msgmax")
    assert out.split() == ["4000", "5000", "4321"]


def test_pods_survive_a_restart_of_containerd(make_pod, containerd_engine):
    pod = make_pod()
    id = pod.start("sh", "-c", "trap 'exit 7' TERM; while :; do sleep 60 & wait; done")
    pid = pod.pid(id)
    containerd_engine.stop()
    containerd_engine.start()
    wait_for(lambda: answers(pod, id), "the container is known again")
    assert (pod.state(id), pod.pid(id)) == ("running", pid)
    assert pod.execute(id, "echo", "hello") == ("hello\n", 0)
    pod.cri.call("StopContainer", container_id=id, timeout=20)
    assert pod.status(id).exit_code == 7


def answers(pod, id: str) -> bool:
    try:
        return pod.state(id) == "running"
    except pod.cri.failure:
        return False
