"""containerd in a room, and its client ctr, set to use the runtime under test."""

import os
import shutil
from pathlib import Path

from engines.engine import CommandLine, Room
from engines.image import make_archive
from harness import host
from harness.reaper import Process

NAMESPACE = "test"
IMAGE = "localhost/busybox:test"
PAUSE = "localhost/pause:test"  # what holds the namespaces of a pod

CONFIGURATION = """
version = 2
root = "{directory}/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = [{disabled}]
[grpc]
address = "/run/containerd/containerd.sock"
[plugins."io.containerd.runtime.v1.linux"]
no_shim = false
"""

# What a node of Kubernetes has in its configuration.
CRI = """
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{image}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{directory}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "tested"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested.options]
BinaryName = "{program}"
SystemdCgroup = false
"""


# The network of the pods: a bridge of the room.
NETWORK = """
{
  "cniVersion": "0.4.0",
  "name": "test",
  "plugins": [{
    "type": "bridge",
    "bridge": "pods",
    "isGateway": true,
    "ipam": {"type": "host-local", "subnet": "10.77.0.0/16", "dataDir": "DIRECTORY/addresses"}
  }]
}
"""


class Containerd:
    """The daemon."""

    def __init__(self, room: Room, program: str, cri=False):
        assert shutil.which("containerd"), "containerd is not installed: apt-get install containerd"
        self.room, self.program, self.directory = room, program, room.directory
        self.log = self.directory / "containerd.log"
        self.environment = {**os.environ, "HOME": str(self.directory), "TMPDIR": str(self.directory)}
        disabled = "" if cri else '"io.containerd.grpc.v1.cri"'
        text = CONFIGURATION.format(directory=self.directory, disabled=disabled)
        if cri:
            network = self.directory / "cni"
            network.mkdir()
            (network / "10-test.conflist").write_text(NETWORK.replace("DIRECTORY", str(self.directory)))
            text += CRI.format(image=PAUSE, directory=self.directory, program=program)
        (self.directory / "containerd.toml").write_text(text)
        self.daemon: Process | None = None

    def start(self) -> None:
        self.daemon = self.room.start(
            self.log, "containerd", "--config", self.directory / "containerd.toml", env=self.environment)
        socket = self.room.path("/run/containerd/containerd.sock")

        def answers() -> bool:
            assert self.daemon.poll() is None, f"containerd ended: {self.log.read_text()}"
            return socket.exists() and "Server" in self.room.command("ctr", "version", check=False)

        host.wait_until(answers, "containerd answers", 30)

    def import_images(self, rootfs: Path, namespace: str) -> None:
        for name, words in (IMAGE, ["sh"]), (PAUSE, ["sleep", "infinity"]):
            archive = self.directory / "image.tar"
            make_archive(rootfs, archive, name, words)
            self.room.command("ctr", "--namespace", namespace, "images", "import", archive)
            archive.unlink()

    def stop(self) -> None:
        self.room.stop(self.daemon)
        self.room.path("/run/containerd/containerd.sock").unlink(missing_ok=True)


class Ctr(CommandLine):
    """ctr, containerd's client."""

    def __init__(self, containerd: Containerd, namespace=NAMESPACE):
        super().__init__("ctr", containerd.directory)
        self.room, self.program, self.namespace = containerd.room, containerd.program, namespace
        self.environment = containerd.environment
        self.words = self.room.words("ctr", "--namespace", namespace)
        # the directory in which the runtime keeps its state when ctr is asked for a runtime by its path
        self.state = f"/run/containerd/runc/{namespace}"

    def name(self) -> str:
        self.serial += 1
        return f"{self.room.name}-c{self.serial}"

    def options(self, name: str) -> list[str]:
        return ["--runc-binary", self.program, "--cgroup", f"/{self.room.name}/{name}"]

    def run(self, *words, status=0, flags=()) -> str:
        """`ctr run --rm [FLAG...] IMAGE ID WORD...`: the output."""
        name = self.name()
        return self("run", "--rm", *self.options(name), *flags, IMAGE, name, *words, status=status)

    def start(self, *words, flags=()) -> str:
        """`ctr run --detach [FLAG...] IMAGE ID WORD...`: the id of the container."""
        name = self.name()
        self("run", "--detach", *self.options(name), *flags, IMAGE, name, *words)
        return name

    def tasks(self) -> dict[str, tuple[int, str]]:
        """The tasks: process and status."""
        lines = [line.split() for line in self("tasks", "list").splitlines()[1:]]
        return {words[0]: (int(words[1]), words[2]) for words in lines}

    def known_to_the_runtime(self) -> list[str]:
        """The containers in the runtime's state directory. (A name with @ is that of something it keeps for itself.)"""
        return [path.name for path in self.room.path(self.state).glob("[!@]*")]

    def remove_everything(self) -> None:
        for name in self.tasks():
            self("tasks", "delete", "--force", name)
        for name in self("containers", "list", "--quiet").split():
            self("containers", "delete", name)

    def leftovers(self) -> list[str]:
        left = [f"container {id}" for id in self.known_to_the_runtime()]
        left += [f"control group {path}" for path in host.cgroups_named(self.room.name) if path.name != self.room.name]
        left += [f"mount {path}" for path in self.room.mounts() if f"v2.task/{self.namespace}/" in path]
        return left
