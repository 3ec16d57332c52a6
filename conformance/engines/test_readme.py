"""The sections of the README about engines, run as they are written."""

import json
import os
import re
import shlex
import signal

import pytest

from engines.containerd_engine import CONFIGURATION, CRI as CRI_CONFIGURATION, NAMESPACE, PAUSE, Containerd
from engines.cri_client import CRI, Pod
from engines.docker_engine import IMAGE as DOCKER_IMAGE, Docker
from engines.engine import CommandLine, wait_for
from engines.image import make_archive
from engines.podman_engine import IMAGE
from harness import host
from harness.readme import blocks, commands, section

pytestmark = pytest.mark.skipif(os.environ["RUNTIME_NAME"] != "swrun", reason="the README is about swrun")

SWRUN = "/usr/local/bin/swrun"
INSTALLED = f"mount -t tmpfs tmpfs /usr/local/bin && ln -s {os.environ['RUNTIME']} {SWRUN}"


class Typed(CommandLine):
    """Commands that somebody types where swrun is installed, on the storage of the tests."""

    def __init__(self, podman, **environment):
        super().__init__("sh", podman.directory)
        self.environment = {**podman.environment, **environment}
        self.words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{INSTALLED} && exec "$@"', "sh"]
        self.storage = ["--storage-driver", "vfs"]
        for name in "root", "runroot":
            self.storage += [f"--{name}", str(podman.directory / name)]
        # There is no systemd, and no log of it.
        self.podman = [*self.storage, "--tmpdir", str(podman.directory / "tmpdir"), "--cgroup-manager", "cgroupfs",
                       "--events-backend", "file"]
        self.run = [*podman.options, "--log-driver", "k8s-file", "--ulimit", "nofile=1024:1024",
                    "--ulimit", "nproc=1024:1024"]

    def type(self, command: str, **more: list[str]) -> str:
        """A command of the README, with options of the tests behind some of its words."""
        words = []
        for word in shlex.split(command.removeprefix("sudo ")):
            words += [word, *more.get(word, [])]
        return self("env", *words) if "=" in words[0] else self(*words)


def test_podman_for_one_command(podman):
    (command, _), *rest = commands(section("With podman"))
    assert not rest
    typed = Typed(podman)
    podman("tag", IMAGE, "docker.io/library/alpine")
    assert typed.type(command, podman=typed.podman, run=typed.run) == "hello\n"
    podman("untag", IMAGE, "docker.io/library/alpine")


def test_podman_for_all_commands(podman):
    (toml,) = blocks(section("With podman"), "toml")
    file = podman.directory / "readme.conf"
    file.write_text(toml)
    typed = Typed(podman, CONTAINERS_CONF=str(file))
    told = typed("podman", *typed.podman, "info", "--format", "{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}")
    assert told == f"swrun {SWRUN}\n"
    run = ["podman", *typed.podman, "run", "--rm", *typed.run]
    assert typed(*run, IMAGE, "echo", "hello") == "hello\n"
    status, _, err = typed.result(*run, IMAGE, "nosuch")
    assert status == 127 and err.startswith("Error: swrun: ") and "level" not in err, "errors come as JSON, and are read"


def test_buildah(podman, tmp_path):
    (build, _), (run, _) = commands(section("With buildah"))
    typed = Typed(podman)
    (tmp_path / "Containerfile").write_text(f"FROM {IMAGE}\nRUN echo built; cat /proc/1/cgroup\n")
    none = ["--network", "none"]
    printed = typed.type(build.removesuffix(" .") + f" {tmp_path}", buildah=typed.storage, build=none)
    assert "built" in printed
    name = typed("buildah", *typed.storage, "from", IMAGE).strip()
    made = run.replace("CONTAINER", name).replace("make", "echo made")
    assert typed.type(made, buildah=typed.storage, run=none) == "made\n"
    typed("buildah", *typed.storage, "rm", name)
    podman("image", "prune", "--force")


def test_docker(make_room, rootfs):
    (document,) = blocks(section("With Docker"), "json")
    room = make_room("rd")
    room.command("sh", "-c", INSTALLED)
    engine = Docker(room, SWRUN, **json.loads(document))
    engine.start_everything(rootfs)
    assert engine.run("echo", "hello") == "hello\n"
    name = engine.start("sleep", "60")
    assert engine.inspect(name)["HostConfig"]["Runtime"] == "swrun"
    assert engine("exec", name, "echo", "hello") == "hello\n"
    engine("rm", "--force", name)
    engine("run", "--rm", "--network", "none", "--runtime", "swrun", DOCKER_IMAGE, "true")
    wait_for(lambda: not engine.leftovers(), "nothing is left")
    engine.stop_daemon()
    engine.containerd.stop()


def test_swarm(make_room, rootfs):
    """A node whose services run with another runtime gets the configuration, and the command of the section replaces
    what runs"""
    (update,) = re.findall(r"`docker (service [^`]*)`", section("With Docker Swarm"))
    (document,) = blocks(section("With Docker"), "json")
    room = make_room("rs")
    room.command("sh", "-c", INSTALLED)
    engine = Docker(room, SWRUN, default_runtime="before", runtimes={"before": {"path": SWRUN}})
    engine.start_everything(rootfs)
    engine("swarm", "init", "--advertise-addr", "127.0.0.1")
    engine("network", "create", "--driver", "overlay", "wide")
    engine("service", "create", "--detach", "--name", "sleeping", "--no-resolve-image", "--network", "wide",
           "--endpoint-mode", "dnsrr", "--stop-grace-period", "0s", DOCKER_IMAGE, "sleep", "1000")

    def runtimes() -> list[str]:
        return [engine.inspect(id)["HostConfig"]["Runtime"] for id in engine("ps", "--quiet").split()]

    wait_for(lambda: runtimes() == ["before"], "the service runs", 60)
    settings = json.loads(document)
    settings["runtimes"]["before"] = {"path": SWRUN}
    engine.configure(**settings)
    engine.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: engine("info", "--format", "{{.DefaultRuntime}}").strip() == "swrun", "the daemon has read it")
    assert runtimes() == ["before"]
    engine(*shlex.split(update.replace("SERVICE", "sleeping")), "--detach")
    wait_for(lambda: runtimes() == ["swrun"], "the task is replaced", 60)
    engine("service", "rm", "sleeping")
    wait_for(lambda: not engine.leftovers(), "nothing is left", 60)
    engine("swarm", "leave", "--force")
    engine.stop_daemon()
    engine.containerd.stop()


def test_containerd_and_ctr(make_room, rootfs):
    text = section("With containerd and Kubernetes")
    (toml,) = blocks(text, "toml")
    ((command, _),) = commands(text)
    room = make_room("rc")
    room.command("sh", "-c", INSTALLED)
    engine = Containerd(room, SWRUN, cri=True)
    # What a node has anyway, and the block of the README; here no systemd makes control groups.
    node = CRI_CONFIGURATION.split('[plugins."io.containerd.grpc.v1.cri".containerd]')[0]
    disabled = CONFIGURATION.format(directory=room.directory, disabled="")
    (room.directory / "containerd.toml").write_text(
        disabled + node.format(image=PAUSE, directory=room.directory)
        + toml.replace("version = 2\n", "").replace("SystemdCgroup = true", "SystemdCgroup = false"))
    engine.start()
    engine.import_images(rootfs, "k8s.io")
    channel = CRI(room.path("/run/containerd/containerd.sock"), room.directory)
    logs = room.directory / "logs"
    logs.mkdir()
    pod = Pod(channel, "pod", "localhost/busybox:test", f"/{room.name}", logs)
    container = pod.start("sleep", "60")
    assert pod.execute(container, "echo", "hello") == ("hello\n", 0)
    listed = room.command(SWRUN, "--root", "/run/containerd/runc/k8s.io", "list", "--quiet").split()
    assert sorted(listed) == sorted([pod.id, container])
    pod.remove()
    channel.close()
    archive = room.directory / "alpine.tar"
    make_archive(rootfs, archive, "docker.io/library/alpine:latest")
    ctr = room.words("ctr", "--namespace", NAMESPACE)
    host.command(*ctr, "images", "import", archive)
    words = shlex.split(command.removeprefix("sudo ctr run "))
    assert host.command(*ctr, "run", "--cgroup", f"/{room.name}/one", *words) == "hello\n"
    engine.stop()
