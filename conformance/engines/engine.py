"""What engines have in common: a command line whose results are checked, and a room of their own."""

import json
import os
import signal
import time
from pathlib import Path
from subprocess import DEVNULL, STDOUT, TimeoutExpired

from harness import host
from harness.reaper import Process, descendants, set_apart


class CommandLine:
    """An engine's command. What it prints goes to files, for a container inherits what it gets."""

    words: list[str]
    environment: dict[str, str]

    def __init__(self, name: str, directory: Path):
        self.command_name, self.directory = name, directory
        self.serial = 0

    def spawn(self, *words, **options) -> Process:
        # conmon leaves a file where it was started
        return Process([*self.words, *map(str, words)], env=self.environment, cwd=self.directory, **options)

    def result(self, *words, stdin="", seconds=60.0) -> tuple[int, str, str]:
        """Runs a command: its status, its output, its errors."""
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
                said = out.read_text(errors="replace") + err.read_text(errors="replace")
                raise AssertionError(f"{self.described(words)} did not end within {seconds} s: {said}") from None
        return status, out.read_text(errors="replace"), err.read_text(errors="replace")

    def __call__(self, *words, status=0, stdin="", seconds=60.0) -> str:
        """Runs a command that ends with a status: its output."""
        ended, out, err = self.result(*words, stdin=stdin, seconds=seconds)
        assert ended == status, f"{self.described(words)}: status {ended}, not {status}\n{out}\n{err}"
        return out

    def described(self, words) -> str:
        return " ".join([self.command_name, *map(str, words)])


class ContainerEngine(CommandLine):
    """What the commands of podman and Docker have in common."""

    image: str

    def __init__(self, name: str, directory: Path, prefix: str):
        super().__init__(name, directory)
        self.prefix = prefix

    def options_with(self, flags) -> list[str]:
        """The options of every container, and those of a test."""
        raise NotImplementedError

    def name(self, part="c") -> str:
        self.serial += 1
        return f"{self.prefix}-{part}{self.serial}"

    def run(self, *words, status=0, stdin="", flags=()) -> str:
        """`run --rm [FLAG...] IMAGE WORD...`: the output."""
        return self("run", "--rm", *self.options_with(flags), self.image, *words, status=status, stdin=stdin)

    def start(self, *words, flags=()) -> str:
        """`run -d [FLAG...] IMAGE WORD...`: the name of the container."""
        name = self.name()
        self("run", "-d", "--name", name, *self.options_with(flags), self.image, *words)
        return name

    def inspect(self, name: str) -> dict:
        return json.loads(self("inspect", name))[0]

    def state(self, name: str) -> dict:
        return self.inspect(name)["State"]

    def wait_for_log(self, name: str, text: str, seconds=20.0) -> None:
        limit = time.monotonic() + host.timeout(seconds)
        while text not in (printed := self("logs", name)):
            assert time.monotonic() < limit, f"{text!r} did not appear in the log of {name}: {printed!r}"
            time.sleep(0.1)


class Room:
    """Namespaces for the daemons of an engine: mounts (with a /run of its own), network and host name. They are held
    open by a process that sleeps, so that daemons can be stopped and started again in them."""

    def __init__(self, directory: Path, name: str):
        self.directory, self.name = directory, name
        # As on a machine with systemd, mounts are shared.
        furnish = f"""
            mount --make-rshared / && mount -t tmpfs -o mode=755 run /run && hostname {name} && ip link set lo up &&
            ln -s /run /run/run && touch {directory}/ready && exec sleep infinity"""
        self.holder = Process(
            ["unshare", "--mount", "--net", "--uts", "--ipc", "sh", "-c", furnish], stdin=DEVNULL)
        set_apart(self.holder)
        self.daemons: list[Process] = []
        host.wait_until(lambda: (directory / "ready").exists(), "the room is furnished")

    def words(self, *command) -> list[str]:
        """The words that run a command in the room."""
        return ["nsenter", f"--target={self.holder.pid}", "--mount", "--net", "--uts", "--ipc", *map(str, command)]

    def command(self, *command, **options) -> str:
        return host.command(*self.words(*command), **options)

    def path(self, inside: str) -> Path:
        """A path of the room as it is seen from outside."""
        return Path(f"/proc/{self.holder.pid}/root{inside}")

    def start(self, log: Path, *command, **options) -> Process:
        """Starts a daemon. Its log goes to the end of a file."""
        with open(log, "ab") as file:
            daemon = Process(self.words(*command), stdin=DEVNULL, stdout=file, stderr=STDOUT, **options)
        set_apart(daemon)
        self.daemons.append(daemon)
        return daemon

    def stop(self, daemon: Process, seconds=20.0) -> None:
        self.daemons.remove(daemon)
        daemon.terminate()
        try:
            daemon.wait(host.timeout(seconds))
        except TimeoutExpired:
            daemon.kill()
            daemon.wait(host.timeout(seconds))

    def mounts(self) -> list[str]:
        """The mount points in the room."""
        return [line.split()[4] for line in Path(f"/proc/{self.holder.pid}/mountinfo").read_text().splitlines()]

    def processes(self) -> list[int]:
        """What runs in the room: the processes with its host name, and those below them (containers have their own)."""
        uts = os.readlink(f"/proc/{self.holder.pid}/ns/uts")
        found = {pid for pid in descendants(os.getpid()) if pid != self.holder.pid and _link(pid, "uts") == uts}
        return sorted(found.union(*(descendants(pid) for pid in found)))

    def close(self) -> list[str]:
        """Stops the daemons, and ends what they left: a description of it."""
        if self.holder.poll() is not None:
            return []
        for daemon in reversed(self.daemons[:]):
            self.stop(daemon)
        limit = time.monotonic() + host.timeout(5)
        while (left := self.processes()) and time.monotonic() < limit:
            time.sleep(0.05)
        described = [f"process {pid} {_command_line(pid)}" for pid in left]
        groups = host.cgroups_named(self.name)
        self.kill()
        return described + [f"control group {group}" for group in groups if len(group.name) == 64]

    def kill(self) -> None:
        """Cuts the power: daemons, monitors and containers end at once. The control groups of the room's name go."""
        def targets():
            files = [group / "cgroup.procs" for group in host.cgroups_named(self.name)]
            return self.processes() + [int(pid) for file in files for pid in file.read_text().split()]

        self.daemons.clear()
        limit = time.monotonic() + host.timeout(10)
        while (alive := targets()) and time.monotonic() < limit:
            for pid in alive:
                _kill(pid)
            time.sleep(0.02)
        for group in host.cgroups_named(self.name):
            group.rmdir()
        self.holder.kill()
        self.holder.wait()


def _link(pid: int, kind: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return "(ended)"


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def wait_for(condition, what: str, seconds=20.0):
    """Waits until a function that asks an engine returns something true, which it returns."""
    limit = time.monotonic() + host.timeout(seconds)
    while not (value := condition()):
        assert time.monotonic() < limit, f"{what}: not within {seconds} s"
        time.sleep(0.1)
    return value
