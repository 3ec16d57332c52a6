"""podman on a machine with systemd and cgroup v2: its manager of control groups, an ordinary user's containers,
containers that run systemd, and checkpoints."""

import os
from pathlib import Path

import pytest

from engines.engine import wait_for
from engines.podman_engine import IMAGE, Podman
from harness import host

pytestmark = pytest.mark.vm
MIB = 1 << 20
UID = 1000
COUNT = ["sh", "-c", "n=0; while :; do n=$((n+1)); echo $n >/new; mv /new /count; sleep 0.2; done"]


@pytest.fixture
def with_systemd(podman):
    """podman with systemd as the manager of control groups, as its default is."""
    words, options = podman.words, podman.options
    podman.words = by_systemd(words)
    podman.options = ["--network", "none"]
    yield podman
    podman.remove_everything()
    podman.words, podman.options = words, options


def by_systemd(words: list[str]) -> list[str]:
    return [*words[:words.index("--cgroup-manager")], "--cgroup-manager", "systemd"]


class UsersPodman(Podman):
    """podman of the machine's ordinary user, whose own systemd runs."""

    def __init__(self, program: str, directory: Path, prefix: str):
        super().__init__(program, directory, prefix)
        self.words = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--init-groups", *by_systemd(self.words)]
        self.environment = {
            **self.environment, "XDG_RUNTIME_DIR": f"/run/user/{UID}",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path=/run/user/{UID}/bus"}
        self.options = ["--network", "none"]

    def leftovers(self) -> list[str]:
        return [str(path) for path in host.cgroups_named("libpod-")]


@pytest.fixture
def of_a_user(runtime, rootfs):
    host.wait_until(lambda: Path(f"/run/user/{UID}/bus").exists(), "the user's systemd runs", 60)
    home = runtime.directory / "home"
    home.mkdir()
    made = UsersPodman(runtime.program, home, runtime.unique("pm"))
    host.command("tar", "-C", rootfs, "-cf", home / "root.tar", ".")
    host.command("chown", "-R", f"{UID}:{UID}", home)
    made("import", home / "root.tar", IMAGE)
    yield made
    made.remove_everything()
    for file in home.rglob("pause.pid"):  # it holds podman's user namespace
        os.kill(int(file.read_text()), 9)
    assert not made.leftovers()


def group_of(pid: int) -> Path:
    return Path("/sys/fs/cgroup" + Path(f"/proc/{pid}/cgroup").read_text().strip().removeprefix("0::"))


def test_systemd_holds_the_containers(with_systemd):
    """--cgroup-manager systemd: limits, exec, pause, update, rm"""
    name = with_systemd.start("sleep", "600", flags=["--memory", "64m", "--pids-limit", "50"])
    inspected = with_systemd.inspect(name)
    scope = f"libpod-{inspected['Id']}.scope"
    group = group_of(inspected["State"]["Pid"])
    assert scope in group.parts
    scope_group = Path(*group.parts[:group.parts.index(scope) + 1])
    assert host.command("systemctl", "show", "-p", "MemoryMax", scope).strip() == f"MemoryMax={64 * MIB}"
    assert (scope_group / "pids.max").read_text() == "50\n"
    assert with_systemd("exec", name, "cat", "/sys/fs/cgroup/memory.max").strip() == str(64 * MIB)
    with_systemd("pause", name)
    assert with_systemd.state(name)["Status"] == "paused"
    with_systemd("unpause", name)
    with_systemd("update", "--memory", "96m", name)
    assert (scope_group / "memory.max").read_text() == f"{96 * MIB}\n"
    with_systemd("rm", "--force", "--time", "0", name)
    state = ["systemctl", "show", "-p", "LoadState", scope]
    wait_for(lambda: host.command(*state).strip() == "LoadState=not-found", "the scope is gone")


def test_an_ordinary_user_has_limits_through_the_users_systemd(of_a_user):
    """rootless, with the controllers that are delegated to the user"""
    name = of_a_user.start("sleep", "600", flags=["--memory", "64m", "--pids-limit", "50"])
    inspected = of_a_user.inspect(name)
    group = group_of(inspected["State"]["Pid"])
    assert f"user@{UID}.service" in group.parts and f"libpod-{inspected['Id']}.scope" in group.parts
    assert of_a_user("exec", name, "cat", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/pids.max").split() == [
        str(64 * MIB), "50"]
    of_a_user("stop", "--time", "0", name)
    assert of_a_user.state(name)["Status"] == "exited"


def test_a_container_runs_systemd(with_systemd):
    """The machine's own files, with what the container writes kept apart. Its systemd makes groups in the container's:
    exec finds a place all the same."""
    name = with_systemd.name()
    with_systemd(
        "run", "-d", "--name", name, "--network", "none", "--systemd", "always", "--env", "container=podman",
        "--rootfs", "/:O", "/lib/systemd/systemd", "--unit=rescue.target", seconds=120)
    look = ["exec", name, "systemctl", "is-system-running"]
    wait_for(lambda: with_systemd.result(*look)[1].strip() in ("maintenance", "running", "degraded"), "it runs", 120)
    assert with_systemd("exec", name, "cat", "/proc/1/comm") == "systemd\n"
    with_systemd("rm", "--force", "--time", "0", name)


def test_a_container_is_saved_and_goes_on(podman):
    """container checkpoint, restore"""
    name = podman.start(*COUNT)
    wait_for(lambda: podman.result("exec", name, "cat", "/count")[1].strip() > "1", "it counts")
    podman("container", "checkpoint", name, seconds=120)
    assert podman.state(name)["Status"] == "exited"
    podman("container", "restore", name, seconds=120)
    first = int(podman("exec", name, "cat", "/count"))
    assert first > 1
    wait_for(lambda: int(podman("exec", name, "cat", "/count")) > first, "it goes on")


def test_a_container_moves_as_a_file(podman):
    """container checkpoint --export, restore --import"""
    name = podman.start(*COUNT)
    wait_for(lambda: podman.result("exec", name, "cat", "/count")[1].strip() > "1", "it counts")
    file = podman.directory / "saved.tar.gz"
    podman("container", "checkpoint", "--leave-running", "--export", file, name, seconds=120)
    assert podman.state(name)["Status"] == "running"
    podman("rm", "--force", "--time", "0", name)
    podman("container", "restore", "--import", file, "--name", f"{name}-other", seconds=120)
    assert int(podman("exec", f"{name}-other", "cat", "/count")) > 1
