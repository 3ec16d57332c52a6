"""podman with storage, state and configuration of its own, set to use the runtime under test."""

import json
import os
import shutil
from pathlib import Path
from subprocess import DEVNULL, TimeoutExpired

from harness import host
from harness.reaper import Process

TOP = Path(__file__).resolve().parents[2]
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


class Podman:
    def __init__(self, program: str, directory: Path, prefix: str):
        assert shutil.which("podman"), "podman is not installed: apt-get install podman catatonit"
        self.program, self.directory, self.prefix = program, directory, prefix
        self.serial = 0
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CONTAINER")},
            "HOME": str(directory),
            "TMPDIR": str(directory),
        }
        self.configure(Path(program).name)
        self.globals = ["podman", "--runtime", program]
        for name in "root", "runroot", "tmpdir":
            self.globals += [f"--{name}", str(directory / name)]
        self.globals += ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]
        self.options = ["--cgroup-parent", f"/{prefix}", "--network", "none"]

    def configure(self, name: str) -> None:
        """Writes the configuration, with a name for the lists of what runtimes support."""
        configuration = self.directory / f"containers-{name}.conf"
        configuration.write_text(CONFIGURATION.format(name=name))
        self.environment["CONTAINERS_CONF"] = str(configuration)

    def name(self, part="c") -> str:
        self.serial += 1
        return f"{self.prefix}-{part}{self.serial}"

    def spawn(self, *words, **options) -> Process:
        return Process([*self.globals, *map(str, words)], env=self.environment, **options)

    def result(self, *words, stdin="", seconds=60.0) -> tuple[int, str, str]:
        """Runs a podman command: its status, its output, its errors. Files, for a container inherits what it gets."""
        self.serial += 1
        given, out, err = (self.directory / f"{kind}{self.serial}" for kind in ("in", "out", "err"))
        given.write_bytes(stdin if isinstance(stdin, bytes) else stdin.encode())
        with open(given, "rb") as stdin_file, open(out, "wb") as stdout, open(err, "wb") as stderr:
            process = self.spawn(*words, stdin=stdin_file, stdout=stdout, stderr=stderr)
            try:
                status = process.wait(host.timeout(seconds))
            except TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"podman {' '.join(map(str, words))} did not end within {seconds} s") from None
        return status, out.read_text(errors="replace"), err.read_text(errors="replace")

    def __call__(self, *words, status=0, stdin="", seconds=60.0) -> str:
        """Runs a podman command that ends with a status: its output."""
        ended, out, err = self.result(*words, stdin=stdin, seconds=seconds)
        assert ended == status, f"podman {' '.join(map(str, words))}: status {ended}, not {status}\n{out}\n{err}"
        return out

    def run(self, *words, status=0, stdin="", flags=()) -> str:
        """`podman run --rm [FLAG...] IMAGE WORD...`: the output."""
        return self("run", "--rm", *self.options_with(flags), IMAGE, *words, status=status, stdin=stdin)

    def options_with(self, flags) -> list[str]:
        """The usual options and those of a test; it gets no network unless it asks for one."""
        return [*(self.options[:2] if "--network" in flags else self.options), *map(str, flags)]

    def start(self, *words, flags=()) -> str:
        """`podman run -d [FLAG...] IMAGE WORD...`: the name of the container."""
        name = self.name()
        self("run", "-d", "--name", name, *self.options_with(flags), IMAGE, *words)
        return name

    def inspect(self, name: str) -> dict:
        return json.loads(self("inspect", name))[0]

    def state(self, name: str) -> dict:
        return self.inspect(name)["State"]

    def known_to_the_runtime(self) -> list[str]:
        """The containers of this engine that the runtime knows."""
        return [id for id in self("ps", "-aq", "--no-trunc").split() if self._state(id) == 0]

    def _state(self, id: str) -> int:
        command = [self.program, "state", id]
        return Process(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL).wait(host.timeout(20))

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
        self("rm", "--force", "--all", "--time", "0")
