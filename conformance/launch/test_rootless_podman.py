"""podman of an ordinary user, with swrun as its runtime."""

import os
import tarfile
from pathlib import Path

import pytest

from engines.podman_engine import Podman
from harness import host


class RootlessPodman(Podman):
    """podman's own state is in the user's home; it stays in the mount namespace that its commands are started in."""

    def __init__(self, program: str, directory: Path, prefix: str, wrapper: list[str]):
        super().__init__(program, directory, prefix)
        self.words = [*wrapper, *self.words]
        self.options = ["--network", "none"]


@pytest.fixture
def podman(runtime, bundle, user):
    home = user.home
    made = RootlessPodman(runtime.program, home, runtime.unique("pm"), user.wrapper())
    host.command("chown", "-R", f"{user.uid}:{user.gid}", home)
    archive = runtime.directory / "root.tar"
    # tar(1) fails where the number of links to a file changes, and other tests link to the same programs.
    with tarfile.open(archive, "w") as tar:
        tar.add(bundle.rootfs, ".")
    archive.chmod(0o644)
    made("import", archive, "localhost/busybox:test")
    yield made
    made("rm", "--force", "--all", "--time", "0")
    # The process that holds podman's user namespace outlives its commands.
    for file in home.rglob("pause.pid"):
        os.kill(int(file.read_text()), 9)


def run(podman, *words, flags=(), status=0) -> str:
    return podman("run", "--rm", *podman.options, *flags, "localhost/busybox:test", *words, status=status)


def test_a_container_runs_as_root_of_the_users_namespace(podman):
    """run: the output and the exit status"""
    assert run(podman, "sh", "-c", "id -u; echo $((6 * 7))") == "0\n42\n"
    assert run(podman, "sh", "-c", "exit 9", status=9) == ""


def test_subordinate_ids_are_those_of_the_user(podman):
    """another user of the container"""
    assert run(podman, "id", "-u", flags=["--user", "1000"]) == "1000\n"


def test_without_cgroups(podman):
    """--cgroups disabled"""
    assert run(podman, "echo", "free", flags=["--cgroups", "disabled"]) == "free\n"


def test_a_volume_belongs_to_the_user(podman, user):
    """--volume"""
    (user.home / "shared").mkdir()
    os.chown(user.home / "shared", user.uid, user.gid)
    run(podman, "sh", "-c", "echo written >/shared/file", flags=["--volume", f"{user.home}/shared:/shared"])
    assert (user.home / "shared/file").read_text() == "written\n"
    assert (user.home / "shared/file").stat().st_uid == user.uid


def test_a_detached_container_is_listed_stopped_and_removed(podman):
    """run -d, ps, exec where the runtime has it, stop, rm"""
    script = "trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done"
    podman("run", "-d", "--name", "web", *podman.options, "localhost/busybox:test", "sh", "-c", script)
    host.wait_until(lambda: "up" in podman("logs", "web"), "the container runs")
    assert podman("ps", "--format", "{{.Names}}") == "web\n"
    podman("stop", "--time", "20", "web")
    assert podman.state("web")["ExitCode"] == 3
    podman("rm", "web")
    assert podman("ps", "-a", "-q") == ""


def test_the_user_keeps_its_id(podman, user):
    """--userns keep-id"""
    assert run(podman, "id", "-u", flags=["--userns", "keep-id"]) == f"{user.uid}\n"


def test_a_process_under_an_init(podman):
    """--init"""
    seen = run(podman, "sh", "-c", "echo $$; cat /proc/1/comm", flags=["--init"]).split()
    assert int(seen[0]) > 1 and seen[1] in ("podman-init", "catatonit")


def test_processes_are_added_killed_and_their_health_is_asked(podman):
    """exec, healthcheck, kill, attach to what was said"""
    health = ["--health-cmd", "sh -c 'test -e /tmp/ok'", "--health-interval", "disable", "--health-retries", "1"]
    script = "trap 'exit 7' USR1; echo up; while :; do sleep 0.1; done"
    podman("run", "-d", "--name", "one", *podman.options, *health, "localhost/busybox:test", "sh", "-c", script)
    host.wait_until(lambda: "up" in podman("logs", "one"), "the container runs")
    assert podman("exec", "--user", "1000", "one", "id", "-u") == "1000\n"
    podman("exec", "one", "sh", "-c", "exit 9", status=9)
    podman("exec", "one", "nosuch", status=127)
    podman("healthcheck", "run", "one", status=1)
    podman("exec", "one", "sh", "-c", "echo >/tmp/ok")
    podman("healthcheck", "run", "one")
    assert "trap 'exit 7' USR1" in podman("top", "one", "args")
    podman("kill", "--signal", "USR1", "one")
    assert podman("wait", "one") == "7\n"


def test_the_containers_of_a_pod_share_their_network(podman):
    """pod create"""
    podman("pod", "create", "--name", "pod", "--network", "none")
    for name in "first", "second":
        podman("run", "-d", "--name", name, "--pod", "pod", "localhost/busybox:test", "sleep", "60")
    places = {podman("exec", name, "busybox", "readlink", "/proc/self/ns/net") for name in ("first", "second")}
    assert len(places) == 1
    podman("pod", "rm", "--force", "--time", "0", "pod")


def test_what_fails_is_told(podman):
    """an error of the runtime reaches the user"""
    status, _, errors = podman.result("run", "--rm", *podman.options, "localhost/busybox:test", "/not/there")
    assert status == 127 and "/not/there" in errors
