"""podman on a machine with systemd and cgroup v2: its manager of control groups, containers that run systemd, and
checkpoints."""

import time

import pytest

from engines.engine import wait_for
from harness import host

pytestmark = pytest.mark.vm


@pytest.fixture
def with_systemd(podman):
    """podman with systemd as the manager of control groups, as its default is."""
    words, options = podman.words, podman.options
    podman.words = [*words[:words.index("--cgroup-manager")], "--cgroup-manager", "systemd"]
    podman.options = ["--network", "none"]
    yield podman
    podman.remove_everything()
    podman.words, podman.options = words, options


def test_systemd_holds_the_containers(with_systemd):
    name = with_systemd.start("sleep", "60", flags=["--memory", "64m", "--pids-limit", "50"])
    group = open(f"/proc/{with_systemd.state(name)['Pid']}/cgroup").read()
    scope = f"libpod-{with_systemd.inspect(name)['Id']}.scope"
    assert scope in group
    assert host.command("systemctl", "show", "-p", "MemoryMax", scope).strip() == f"MemoryMax={64 << 20}"
    assert with_systemd("exec", name, "cat", "/sys/fs/cgroup/memory.max").strip() == str(64 << 20)
    with_systemd("pause", name)
    assert with_systemd.state(name)["Status"] == "paused"
    with_systemd("unpause", name)
    with_systemd("update", "--memory", "96m", name)
    assert with_systemd("exec", name, "cat", "/sys/fs/cgroup/memory.max").strip() == str(96 << 20)
    with_systemd("rm", "--force", "--time", "0", name)
    state = ["systemctl", "show", "-p", "LoadState", scope]
    wait_for(lambda: host.command(*state).strip() == "LoadState=not-found", "the scope is gone")


def test_a_container_runs_systemd(with_systemd):
    """The machine's own files, with what the container writes kept apart."""
    name = with_systemd.name()
    with_systemd("run", "-d", "--name", name, "--network", "none", "--systemd", "always", "--env", "container=podman",
                 "--rootfs", "/:O", "/lib/systemd/systemd", "systemd.unit=rescue.target", seconds=120)
    look = ["exec", name, "systemctl", "is-system-running"]
    wait_for(lambda: with_systemd.result(*look)[1].strip() in ("maintenance", "running", "degraded"), "it runs", 120)
    assert with_systemd("exec", name, "cat", "/proc/1/comm") == "systemd\n"
    with_systemd("rm", "--force", "--time", "0", name)


def test_a_container_is_saved_and_goes_on(podman):
    name = podman.start("sh", "-c", "n=0; while :; do n=$((n+1)); echo $n >/count; sleep 0.2; done")
    wait_for(lambda: podman.result("exec", name, "cat", "/count")[0] == 0, "it counts")
    time.sleep(host.timeout(0.2))
    podman("container", "checkpoint", name, seconds=120)
    assert podman.state(name)["Status"] == "exited"
    podman("container", "restore", name, seconds=120)
    first = int(podman("exec", name, "cat", "/count"))
    assert first > 0
    wait_for(lambda: int(podman("exec", name, "cat", "/count") or 0) > first, "it goes on")


def test_a_container_moves_as_a_file(podman):
    name = podman.start("sh", "-c", "n=0; while :; do n=$((n+1)); echo $n >/count; sleep 0.2; done")
    wait_for(lambda: podman.result("exec", name, "cat", "/count")[0] == 0, "it counts")
    file = podman.directory / "saved.tar.gz"
    podman("container", "checkpoint", "--leave-running", "--export", file, name, seconds=120)
    assert podman.state(name)["Status"] == "running"
    podman("rm", "--force", "--time", "0", name)
    podman("container", "restore", "--import", file, "--name", f"{name}-other", seconds=120)
    assert int(podman("exec", f"{name}-other", "cat", "/count")) > 0
