"""`docker exec`: more processes in a running container, and what Docker measures and changes in it."""

import os

import pytest

from engines.docker_engine import IMAGE
from engines.engine import wait_for
from harness import host
from harness.broken import BROKEN
from harness.terminal import Attached


@pytest.fixture
def running(docker):
    """The name of a container that sleeps."""
    return docker.start("sleep", "60")


def test_exec_is_in_the_control_groups_of_the_container(docker, running):
    groups = docker("exec", running, "cat", "/proc/1/cgroup")
    assert docker("exec", running, "cat", "/proc/self/cgroup") == groups


@pytest.mark.parametrize("path", ["nosuch", "/bin/nosuch", "/etc", "/etc/passwd"])
def test_exec_of_what_cannot_be_executed(docker, running, path):
    """Docker 20.10 gives 126 for all of them, later ones 127 for what is missing."""
    status, out, err = docker.result("exec", running, path)
    assert status in ((126, 127) if "nosuch" in path else (126,)), err
    assert path in out + err
    assert "OCI runtime exec failed: exec failed: " in out + err


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.name)
def test_why_the_kernel_refused_a_program_is_told(docker, broken, tmp_path):
    """Docker 20.10 gives 126 for all of them, later ones 127 for what is missing. The user gets the reason."""
    broken.put(tmp_path / "refused")
    name = docker.start("sleep", "60", flags=["--volume", f"{tmp_path}:/b:ro"])
    status, out, err = docker.result("exec", name, "/b/refused")
    assert status in ((126, 127) if broken.is_missing else (126,)), out + err
    assert broken.text in (out + err).lower() and "/b/refused" in out + err
    assert broken.told in out + err or os.environ["RUNTIME_NAME"] != "swrun", out + err


def test_exec_has_the_capabilities_of_the_container(docker):
    name = docker.start("sleep", "60", flags=["--cap-drop", "all", "--cap-add", "net_raw"])
    status = ["sh", "-c", "grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2 | sort -u"]
    assert docker("exec", name, *status) == "0000000000002000\n"
    assert docker("exec", name, "sh", "-c", "grep Seccomp: /proc/self/status").split()[1] == "2"


def test_privileged_exec(docker, running):
    look = ["sh", "-c", "grep CapEff: /proc/self/status | cut -f2"]
    usual, more = (int(docker("exec", *flags, running, *look), 16) for flags in ([], ["--privileged"]))
    admin = 1 << host.CAPABILITIES.index("SYS_ADMIN")
    assert not usual & admin
    assert more & admin and more & usual == usual


def test_a_terminal_of_exec_follows_the_users_one(docker, running):
    script = "trap 'stty size' WINCH; until stty size 2>&1 | grep '[0-9]'; do sleep 0.1; done; while :; do sleep 0.1; done"
    attached = Attached([*docker.words, "exec", "-it", running, "sh", "-c", script], rows=33, columns=99, env=docker.environment)
    attached.terminal.read("33 99", 20)
    attached.terminal.size = (44, 111)
    attached.terminal.read("44 111", 20)
    attached.terminal.write("\x03")
    assert attached.wait(20) == 130
    attached.close()


def test_run_on_a_terminal_and_control_c(docker):
    work = "trap 'echo interrupted; exit 5' INT; test -t 0 && test -t 1 && echo up; while :; do sleep 1; done"
    words = [*docker.words, "run", "--rm", "-it", "--network", "none", IMAGE, "sh", "-c", work]
    attached = Attached(words, env=docker.environment)
    attached.terminal.read("up\n", 20)
    attached.terminal.write("\x03")
    attached.terminal.read("interrupted")
    assert attached.wait(20) == 5
    attached.close()


def test_exec_in_a_stopped_container_is_an_error(docker, running):
    docker("stop", "--time", "0", running)
    status, _, err = docker.result("exec", running, "true")
    assert status == 1 and "is not running" in err


def test_many_execs_at_the_same_time(docker, running):
    started = [docker.spawn("exec", running, "sh", "-c", f"exit {number}") for number in range(12)]
    assert [process.wait() for process in started] == list(range(12))


def test_a_container_becomes_healthy_and_unhealthy(docker):
    flags = ["--health-cmd", "test -e /tmp/ok", "--health-interval", "300ms", "--health-retries", "1"]
    name = docker.start("sh", "-c", "mkdir -p /tmp; touch /tmp/ok; sleep 60", flags=flags)
    wait_for(lambda: docker.state(name)["Health"]["Status"] == "healthy", "healthy")
    docker("exec", name, "rm", "/tmp/ok")
    wait_for(lambda: docker.state(name)["Health"]["Status"] == "unhealthy", "unhealthy")


# Limits


def limit_file(docker, name, v1, v2):
    """Reads a limit in the container, whichever version of control groups has it."""
    look = f"cat /sys/fs/cgroup/{v1} 2>/dev/null || cat /sys/fs/cgroup/{v2}"
    return docker("exec", name, "sh", "-c", look).strip()


def test_update_changes_limits(docker):
    name = docker.start("sleep", "60", flags=["--memory", "64m", "--pids-limit", "50"])
    assert limit_file(docker, name, "memory/memory.limit_in_bytes", "memory.max") == str(64 << 20)
    assert limit_file(docker, name, "pids/pids.max", "pids.max") == "50"
    docker("update", "--memory", "96m", "--memory-swap", "128m", "--pids-limit", "60", name)
    assert limit_file(docker, name, "memory/memory.limit_in_bytes", "memory.max") == str(96 << 20)
    assert limit_file(docker, name, "pids/pids.max", "pids.max") == "60"
    docker("update", "--cpus", "0.5", "--cpuset-cpus", "0", name)
    assert limit_file(docker, name, "cpu/cpu.cfs_quota_us", "cpu.max").split()[0] == "50000"
    assert limit_file(docker, name, "cpuset/cpuset.cpus", "cpuset.cpus") == "0"
    assert limit_file(docker, name, "memory/memory.limit_in_bytes", "memory.max") == str(96 << 20)


def test_a_container_that_uses_too_much_memory_is_told_so(docker):
    flags = ["--memory", "24m", "--memory-swap", "24m"]
    name = docker.name()
    docker("run", "--name", name, "--network", "none", *flags, IMAGE, "tail", "/dev/zero", status=137)
    wait_for(lambda: docker.state(name)["OOMKilled"], "OOMKilled")
    assert docker.state(name)["ExitCode"] == 137


# Restart policies


def test_on_failure_starts_a_container_again(docker):
    name = docker.start("sh", "-c", "echo x; exit 3", flags=["--restart", "on-failure:2"])
    wait_for(lambda: docker.state(name)["Status"] == "exited" and docker.inspect(name)["RestartCount"] == 2, "restarts")
    assert docker("logs", name) == "x\n" * 3


def test_always_starts_a_killed_container_again(docker):
    name = docker.start("sleep", "60", flags=["--restart", "always"])
    first = docker.state(name)["Pid"]
    os.kill(first, 9)
    wait_for(lambda: docker.state(name)["Running"] and docker.state(name)["Pid"] not in (0, first), "another process")
