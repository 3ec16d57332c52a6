"""podman with storage, state and configuration of its own, set to use the runtime under test."""

import os
import shutil
import time
from pathlib import Path
from subprocess import DEVNULL

from engines.engine import ContainerEngine
from harness import host
from harness.reaper import Process

IMAGE = "localhost/busybox:test"

# Nothing of the host's configuration is read. podman asks a runtime for JSON logs, and for containers without control
# groups, only when its name is in these lists. (podman 4.3 knows the last one without the s.)
CONFIGURATION = """
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime_supports_json = ["{name}"]
runtime_supports_nocgroups = ["{name}"]
runtime_supports_nocgroup = ["{name}"]
"""


class Podman(ContainerEngine):
    image = IMAGE

    def __init__(self, program: str, directory: Path, prefix: str):
        assert shutil.which("podman"), "podman is not installed: apt-get install podman catatonit"
        super().__init__("podman", directory, prefix)
        self.program = program
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CONTAINER")},
            "HOME": str(directory),
            "TMPDIR": str(directory),
        }
        self.configure(Path(program).name)
        self.words = ["podman", "--runtime", program]
        for name in "root", "runroot", "tmpdir":
            self.words += [f"--{name}", str(directory / name)]
        self.words += ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]
        self.options = ["--cgroup-parent", f"/{prefix}", "--network", "none"]

    def configure(self, name: str) -> None:
        """Writes the configuration, with a name for the lists of what runtimes support."""
        configuration = self.directory / f"containers-{name}.conf"
        configuration.write_text(CONFIGURATION.format(name=name))
        self.environment["CONTAINERS_CONF"] = str(configuration)

    def options_with(self, flags) -> list[str]:
        """The usual options and those of a test; it gets no network unless it asks for one."""
        return [*(self.options[:2] if "--network" in flags else self.options), *map(str, flags)]

    def known_to_the_runtime(self) -> list[str]:
        """The containers of this engine that the runtime knows."""
        return [id for id in self("ps", "-aq", "--no-trunc").split() if self._state(id) == 0]

    def _state(self, id: str) -> int:
        command = [self.program, "state", id]
        return Process(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL).wait(host.timeout(20))

    def delete_behind_its_back(self, name: str) -> None:
        """`delete --force`, by hand."""
        host.command(self.program, "delete", "--force", self.inspect(name)["Id"])

    def leftovers(self) -> list[str]:
        """Control groups and mounts of containers of this engine."""
        groups = [str(path) for path in host.cgroups_named(self.prefix) if "libpod-" in path.name]
        mounts = [point for point in host.mounts_below(self.directory) if point != str(self.directory / "root")]
        return groups + [point for point in mounts if not point.endswith("/root/vfs")]

    def import_image(self, rootfs: Path) -> None:
        archive = self.directory / "busybox.tar"
        host.command("tar", "-C", rootfs, "-cf", archive, ".")
        self("import", archive, IMAGE)
        archive.unlink()

    def remove_everything(self) -> None:
        self("pod", "rm", "--force", "--all", "--time", "0")
        words = ("rm", "--force", "--all", "--time", "0")
        # podman unmounts its own /dev/shm lazily, and may try to remove it before another namespace has let go of it.
        for _ in range(5):
            if self.result(*words)[0] == 0:
                return
            time.sleep(0.5)
        self(*words)
