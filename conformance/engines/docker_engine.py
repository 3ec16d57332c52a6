"""Docker in a room: containerd, dockerd and the client, set to use the runtime under test."""

import json
import os
import shutil
from pathlib import Path

from engines.containerd_engine import Containerd
from engines.engine import ContainerEngine, Room
from engines.image import make_layer
from harness import host
from harness.reaper import Process

IMAGE = "busybox:test"


class Docker(ContainerEngine):
    image = IMAGE

    def __init__(self, room: Room, program: str, **settings):
        assert shutil.which("dockerd"), "Docker is not installed: apt-get install docker.io"
        super().__init__("docker", room.directory, room.name)
        self.room, self.program = room, program
        self.log = self.directory / "dockerd.log"
        # BuildKit of this version takes the `runc` that it finds in PATH, whatever the configuration says
        path = self.directory / "bin"
        path.mkdir()
        (path / "runc").symlink_to(program)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DOCKER", "BUILD"))},
            "HOME": str(self.directory),
            "TMPDIR": str(self.directory),
            "PATH": f"{path}:/usr/sbin:/usr/bin:/sbin:/bin",
        }
        self.words = room.words("/usr/bin/docker")
        self.containerd = Containerd(room, program)
        self.configure(**settings)
        self.daemon: Process | None = None

    def configure(self, **settings) -> None:
        """Writes daemon.json. A setting that is None is left out."""
        document = {
            "default-runtime": "tested",
            "runtimes": {"tested": {"path": self.program}},
            "cgroup-parent": f"/{self.room.name}",
            "data-root": str(self.directory / "docker"),
            "containerd": "/run/containerd/containerd.sock",
            **{name.replace("_", "-"): value for name, value in settings.items()},
        }
        text = json.dumps({name: value for name, value in document.items() if value is not None}, indent=2)
        (self.directory / "daemon.json").write_text(text)

    def start_daemon(self) -> None:
        self.daemon = self.room.start(
            self.log, "dockerd", "--config-file", self.directory / "daemon.json", env=self.environment)

        def answers() -> bool:
            assert self.daemon.poll() is None, f"dockerd ended: {self.log.read_text()}"
            return self.result("version")[0] == 0

        host.wait_until(answers, "dockerd answers", 60)

    def stop_daemon(self) -> None:
        self.room.stop(self.daemon, 60)

    def start_everything(self, rootfs: Path) -> None:
        self.containerd.start()
        self.start_daemon()
        self.import_image(rootfs)

    def options_with(self, flags) -> list[str]:
        """A container gets no network unless it asks for one."""
        return [*(() if "--network" in flags else ("--network", "none")), *map(str, flags)]

    def import_image(self, rootfs: Path) -> None:
        archive = self.directory / "busybox.tar"
        make_layer(rootfs, archive)
        self("import", "--change", "ENV PATH=/usr/bin:/bin:/sbin", archive, IMAGE)
        archive.unlink()

    def known_to_the_runtime(self) -> list[str]:
        """The ids of containers in the state directory that Docker gives its runtimes."""
        return [path.name for path in self.room.path("/run/docker").glob("runtime-*/moby/*") if len(path.name) == 64]

    def delete_behind_its_back(self, name: str) -> None:
        """`delete --force`, by hand."""
        id = self.inspect(name)["Id"]
        (place,) = self.room.path("/run/docker").glob(f"runtime-*/moby/{id}")
        root = "/run/docker/" + str(place.parent).rsplit("/run/docker/", 1)[1]
        self.room.command(self.program, "--root", root, "delete", "--force", id)

    def remove_everything(self) -> None:
        if found := self("ps", "--all", "--quiet").split():
            self("rm", "--force", "--volumes", *found)
        self("network", "prune", "--force")

    def leftovers(self) -> list[str]:
        """What containers of this engine have left: state, control groups and mounts."""
        left = [f"container {id}" for id in self.known_to_the_runtime()]
        left += [f"control group {path}" for path in host.cgroups_named(self.room.name) if len(path.name) == 64]
        left += [f"mount {path}" for path in self.room.mounts() if path.endswith("/merged") or "v2.task/moby/" in path]
        return left
