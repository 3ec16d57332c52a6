"""Docker beyond one container: networks, builds, other runtimes, mapped users, and a daemon that is restarted."""

import os
import signal
import time

import pytest

from engines.docker_engine import IMAGE, Docker
from engines.engine import wait_for
from harness import host

WEB = ["web", "serve", "80", "I am"]


# Containers that talk to each other


def test_two_containers_on_a_bridge_of_their_own(docker):
    network = docker.name("n")
    docker("network", "create", network)
    docker("run", "-d", "--name", docker.name(), "--hostname", "first", "--network", network, "--network-alias", "web",
           IMAGE, *WEB)
    ask = "until web get web 80; do sleep 0.1; done"
    assert docker.run("sh", "-c", ask, flags=["--network", network]) == "I am first\n"


def test_a_published_port(docker):
    docker("run", "-d", "--name", docker.name(), "--hostname", "published", "--network", "bridge",
           "--publish", "127.0.0.1:8080:80", IMAGE, *WEB)
    ask = ["timeout", "5", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080; cat <&3"]
    wait_for(lambda: docker.room.command(*ask, check=False) == "I am published\n", "the port answers")


def test_a_network_is_connected_to_a_running_container(docker):
    network = docker.name("n")
    docker("network", "create", "--subnet", "10.99.0.0/24", network)
    name = docker.start("sleep", "60", flags=["--network", "bridge"])
    docker("network", "connect", "--ip", "10.99.0.77", network, name)
    assert "10.99.0.77/24" in docker("exec", name, "ip", "address")
    docker("network", "disconnect", network, name)
    assert "10.99.0.77" not in docker("exec", name, "ip", "address")
    docker("rm", "--force", name)


# Builds


RECIPE = """
FROM busybox:test AS first
ARG WORD=none
RUN echo "$WORD" >/word && test "$(id -u)" = 0
RUN ["sh", "-c", "chmod 600 /word"]
FROM busybox:test
COPY --from=first /word /copied
USER 1000:5
WORKDIR /work
RUN id -u >/tmp/user && pwd >/tmp/directory
CMD ["cat", "/tmp/user", "/tmp/directory"]
"""


@pytest.mark.parametrize("kit", ["0", "1"], ids=["builder", "buildkit"])
class TestBuild:
    def build(self, docker, kit, recipe, tmp_path, *flags):
        (tmp_path / "Dockerfile").write_text(recipe)
        docker.environment["DOCKER_BUILDKIT"] = kit
        try:
            return docker.result("build", "--network", "none", *flags, tmp_path)
        finally:
            del docker.environment["DOCKER_BUILDKIT"]

    def test_every_step_runs(self, docker, kit, tmp_path):
        tag = f"built:{kit}"
        recipe = RECIPE.replace("RUN id", "USER 0\nRUN mkdir -p /tmp && chmod 1777 /tmp\nUSER 1000:5\nRUN id")
        status, out, err = self.build(docker, kit, recipe, tmp_path, "--tag", tag, "--build-arg", "WORD=hello")
        assert status == 0, out + err
        assert docker("run", "--rm", tag) == "1000\n/work\n"
        assert docker("run", "--rm", "--user", "0", tag, "cat", "/copied") == "hello\n"
        docker("rmi", "--force", tag)

    def test_a_step_that_fails_ends_the_build_with_its_status(self, docker, kit, tmp_path):
        status, out, err = self.build(docker, kit, "FROM busybox:test\nRUN exit 42\n", tmp_path)
        assert status == (1 if kit == "1" else 42), out + err
        assert "42" in out + err

    def test_a_step_whose_program_is_missing(self, docker, kit, tmp_path):
        status, out, err = self.build(docker, kit, 'FROM busybox:test\nRUN ["nosuch"]\n', tmp_path)
        assert status != 0 and "executable file not found" in out + err


# The daemon


def test_an_added_runtime(docker):
    """The runtime beside the usual one, chosen for one container. The daemon takes a changed configuration in."""
    docker.configure(default_runtime="runc")
    os.kill(docker.daemon.pid, signal.SIGHUP)
    wait_for(lambda: docker("info", "--format", "{{.DefaultRuntime}}") != "tested\n", "the configuration is read")
    name = docker.start("sleep", "60", flags=["--runtime", "tested"])
    assert docker.inspect(name)["HostConfig"]["Runtime"] == "tested"
    assert docker("exec", name, "echo", "hello") == "hello\n"
    docker("rm", "--force", name)
    docker.configure()
    os.kill(docker.daemon.pid, signal.SIGHUP)
    wait_for(lambda: docker("info", "--format", "{{.DefaultRuntime}}") == "tested\n", "the configuration is read")


@pytest.fixture(scope="module")
def second_engine(make_room, rootfs):
    """A Docker of its own for what stops its daemon."""
    engine = Docker(make_room("dl"), os.environ["RUNTIME"], live_restore=True)
    engine.start_everything(rootfs)
    yield engine
    engine.stop_daemon()
    engine.containerd.stop()


@pytest.fixture
def live(second_engine, request):
    from engines.conftest import check_that_nothing_is_left

    yield second_engine
    check_that_nothing_is_left(second_engine)


COUNT = "trap 'exit 7' TERM; n=0; while :; do echo $n; n=$((n+1)); sleep 0.1 & wait; done"


def test_containers_live_while_the_daemon_is_restarted(live):
    name = live.start("sh", "-c", COUNT)
    pid = live.state(name)["Pid"]
    live.wait_for_log(name, "1\n")
    live.stop_daemon()
    time.sleep(0.5)
    assert os.path.exists(f"/proc/{pid}")
    live.start_daemon()
    state = live.state(name)
    assert (state["Running"], state["Pid"]) == (True, pid)
    assert live("exec", name, "echo", "still here") == "still here\n"
    counted = [int(word) for word in live("logs", name).split()]
    assert counted == list(range(len(counted))), "lines were lost"
    live("stop", name)
    assert live.state(name)["ExitCode"] == 7


def test_containers_live_when_the_daemons_are_killed(live):
    name = live.start("sh", "-c", COUNT)
    pid = live.state(name)["Pid"]
    for daemon in live.daemon, live.containerd.daemon:
        live.room.daemons.remove(daemon)
        daemon.kill()
        daemon.wait()
    live.containerd.start()
    live.start_daemon()
    assert live.state(name)["Pid"] == pid
    assert live("exec", name, "echo", "still here") == "still here\n"
    live("stop", name)
    assert live.state(name)["ExitCode"] == 7


def test_the_end_of_a_container_while_the_daemon_is_away(live):
    name = live.start("sh", "-c", "while ! [ -e /end ]; do sleep 0.1; done; exit 9")
    pid = live.state(name)["Pid"]
    live.stop_daemon()
    open(f"/proc/{pid}/root/end", "w").close()
    host.wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the container ends")
    live.start_daemon()
    wait_for(lambda: live.state(name)["Status"] == "exited", "the daemon knows")
    assert live.state(name)["ExitCode"] == 9


def test_without_live_restore_containers_are_started_again(live):
    live.configure(live_restore=False)
    live.stop_daemon()
    live.start_daemon()
    name = live.start("sleep", "60", flags=["--restart", "always"])
    other = live.start("sh", "-c", "trap 'exit 6' TERM; while :; do sleep 60 & wait; done")
    first = live.state(name)["Pid"]
    live.stop_daemon()
    assert not os.path.exists(f"/proc/{first}")
    assert not live.leftovers()
    live.start_daemon()
    wait_for(lambda: live.state(name)["Running"], "the container is started again")
    assert live.state(other)["Status"] == "exited"


def test_users_of_the_containers_are_mapped(make_room, rootfs):
    """The daemon's userns-remap: every container has a user namespace."""
    room = make_room("du")
    for name, line in (("passwd", "mapped:x:3333:3333::/:/bin/false"), ("group", "mapped:x:3333:")):
        changed = room.directory / name
        changed.write_text(open(f"/etc/{name}").read() + line + "\n")
        room.command("mount", "--bind", changed, f"/etc/{name}")
    for name in "subuid", "subgid":
        (room.directory / name).write_text("mapped:200000:65536\n")
        room.command("mount", "--bind", room.directory / name, f"/etc/{name}")
    engine = Docker(room, os.environ["RUNTIME"], userns_remap="mapped")
    engine.start_everything(rootfs)
    name = engine.start("sleep", "60")
    assert "200000" in open(f"/proc/{engine.state(name)['Pid']}/uid_map").read()
    look = "id -u; cat /proc/self/uid_map; stat -c %u /bin/busybox; echo >/made; ls -ld /proc/1/root/."
    for words in ["run", "--rm", IMAGE], ["exec", name]:
        assert engine(*words, "sh", "-c", look).split()[:5] == ["0", "0", "200000", "65536", "0"]
    assert engine.run("cat", "/proc/self/uid_map", flags=["--userns", "host"]).split()[:2] == ["0", "0"]
    engine.remove_everything()
    host.wait_until(lambda: not engine.leftovers(), "nothing is left")
    engine.stop_daemon()
    engine.containerd.stop()
