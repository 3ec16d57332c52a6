"""podman and a running container: exec, attach, pause, update, statistics, health checks, pods."""

import json
import os
import time
from subprocess import DEVNULL, PIPE

import pytest

from engines.engine import wait_for
from engines.podman_engine import IMAGE
from harness import host
from harness.broken import BROKEN


@pytest.fixture
def running(podman):
    """The name of a container that sleeps."""
    return podman.start("sleep", "60")


@pytest.mark.parametrize("path, status", [("nosuch", 127), ("/bin/nosuch", 127), ("/etc", 126), ("/etc/passwd", 126)])
def test_exec_of_what_cannot_be_executed(podman, log_format, running, path, status):
    ended, _, err = podman.result("exec", running, path)
    assert ended == status, err
    assert path in err
    assert podman("exec", running, "echo", "hello") == "hello\n"


def test_exec_in_a_directory_that_is_missing_gives_127(podman, log_format, running):
    status, _, err = podman.result("exec", "--workdir", "/nosuch", running, "true")
    assert status in (126, 127), err
    assert "/nosuch" in err


def test_exec_as_an_unknown_user_is_an_error(podman, running):
    status, _, err = podman.result("exec", "--user", "nosuch", running, "true")
    assert status != 0 and "nosuch" in err


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.name)
def test_why_the_kernel_refused_a_program_is_told(podman, broken, tmp_path):
    """podman knows no words for another format: 255, the runtime's own status. The user gets the reason."""
    broken.put(tmp_path / "refused")
    name = podman.start("sleep", "60", flags=["--volume", f"{tmp_path}:/b:ro"])
    status, out, err = podman.result("exec", name, "/b/refused")
    assert status == (127 if broken.is_missing else 255), out + err
    assert broken.text in (out + err).lower() and "/b/refused" in out + err
    assert broken.told in out + err or os.environ["RUNTIME_NAME"] != "swrun", out + err


def test_exec_has_the_capabilities_and_the_filter_of_the_container(podman):
    name = podman.start("sleep", "60", flags=["--cap-drop", "all", "--cap-add", "net_raw"])
    look = "grep -E '^(CapPrm|CapEff|CapBnd|Seccomp):' /proc/self/status | cut -f2 | sort -u"
    assert podman("exec", name, "sh", "-c", look).split() == ["0000000000002000", "2"]


def test_exec_in_a_container_of_mapped_users(podman):
    name = podman.start("sleep", "60", flags=["--uidmap", "0:100000:5000", "--gidmap", "0:100000:5000"])
    seen = podman("exec", name, "sh", "-c", "id -u; cat /proc/self/uid_map; echo >/made; stat -c %u /made")
    assert seen.split() == ["0", "0", "100000", "5000", "0"]


def test_exec_in_a_stopped_container_is_an_error(podman, running):
    podman("stop", "--time", "0", running)
    assert podman.result("exec", running, "true")[0] == 255


def test_many_execs_at_the_same_time(podman, running):
    started = [podman.spawn("exec", running, "sh", "-c", f"exit {number}", stdin=DEVNULL) for number in range(8)]
    assert [process.wait(host.timeout(60)) for process in started] == list(range(8))


def test_attach_joins_the_streams(podman):
    name = podman.name()
    podman("run", "-d", "-i", "--name", name, *podman.options, IMAGE, "sh", "-c", "read x; echo got $x; exit 6")
    attached = podman.spawn("attach", name, stdin=PIPE, stdout=PIPE, text=True)
    attached.stdin.write("word\n")
    attached.stdin.flush()
    assert attached.stdout.read().strip() == "got word"
    attached.stdin.close()
    attached.wait(host.timeout(20))
    assert podman("wait", name) == "6\n"


def test_pause_stops_the_processes_and_unpause_continues_them(podman):
    name = podman.start("sh", "-c", "n=0; while :; do n=$((n+1)); echo $n >/count; sleep 0.02; done")
    count = f"/proc/{podman.state(name)['Pid']}/root/count"
    host.wait_until(lambda: os.path.exists(count), "it counts")
    podman("pause", name)
    assert podman.state(name)["Status"] == "paused"
    with open(count) as file:
        before = file.read()
    time.sleep(0.2)
    with open(count) as file:
        assert file.read() == before
    podman("unpause", name)
    assert podman.state(name)["Status"] == "running"
    wait_for(lambda: open(count).read() not in ("", before), "it counts again")


def test_a_paused_container_can_be_removed(podman, running):
    podman("pause", running)
    podman("rm", "--force", "--time", "0", running)
    assert not podman.leftovers()


def test_top_lists_the_processes(podman):
    name = podman.start("sh", "-c", "sleep 71 & sleep 72 & wait")
    seen = podman("top", name, "pid", "args")
    assert "sleep 71" in seen and "sleep 72" in seen


def test_stats_show_what_a_container_uses(podman):
    name = podman.start("sh", "-c", "sleep 71 & sleep 72 & wait")
    seen = json.loads(podman("stats", "--no-stream", "--format", "json", name))[0]
    assert seen["pids"] == "3"
    assert not seen["mem_usage"].startswith("0B"), seen


def test_update_changes_limits(podman):
    name = podman.start("sleep", "60", flags=["--memory", "64m", "--pids-limit", "50"])
    podman("update", "--memory", "96m", "--memory-swap", "128m", "--cpus", "0.5", name)
    look = "cat /sys/fs/cgroup/{} 2>/dev/null || cat /sys/fs/cgroup/{}"
    for v1, v2, value in (
            ("memory/memory.limit_in_bytes", "memory.max", str(96 << 20)),
            ("cpu/cpu.cfs_quota_us", "cpu.max", "50000"), ("pids/pids.max", "pids.max", "50")):
        assert podman("exec", name, "sh", "-c", look.format(v1, v2)).split()[0] == value


def test_a_container_that_uses_too_much_memory_ends_with_137(podman):
    podman.run("tail", "/dev/zero", flags=["--memory", "24m", "--memory-swap", "24m"], status=137)


def test_a_health_check(podman):
    name = podman.start("sh", "-c", "touch /tmp/ok; sleep 60", flags=[
        "--health-cmd", "test -e /tmp/ok", "--health-interval", "disable", "--health-retries", "1"])
    wait_for(lambda: podman.result("healthcheck", "run", name)[0] == 0, "healthy")
    podman("exec", name, "rm", "/tmp/ok")
    podman("healthcheck", "run", name, status=1)
    assert podman.state(name)["Health" if "Health" in podman.state(name) else "Healthcheck"]["Status"] == "unhealthy"


def test_a_pod_is_paused_stopped_and_started(podman):
    pod = podman.name("p")
    podman("pod", "create", "--name", pod, "--network", "none", "--cgroup-parent", f"/{podman.prefix}")
    names = [podman.name() for _ in range(2)]
    for name in names:
        podman("run", "-d", "--name", name, "--pod", pod, IMAGE, "sleep", "60")
    podman("pod", "pause", pod)
    assert {podman.state(name)["Status"] for name in names} == {"paused"}
    podman("pod", "unpause", pod)
    podman("pod", "stop", "--time", "0", pod)
    assert {podman.state(name)["Status"] for name in names} == {"exited"}
    podman("pod", "start", pod)
    assert podman("exec", names[1], "echo", "hello") == "hello\n"


def test_a_restart_policy(podman):
    name = podman.start("sh", "-c", "echo x; exit 3", flags=["--restart", "on-failure:2"])
    wait_for(lambda: podman("logs", name) == "x\n" * 3 and podman.state(name)["Status"] == "exited", "restarts")
