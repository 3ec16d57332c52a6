"""Drives the runtime under test through its command line."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import host, reaper
from .bundle import Bundle, probe_words
from .seen import Seen

CGROUP_VIEW = Path(__file__).parent / "cgroup-view"


@dataclass
class Result:
    """How a command ended: `status` is negative when a signal ended it."""

    command: list[str]
    status: int
    stdout: str
    stderr: str
    seconds: float

    def ok(self) -> "Result":
        assert self.status == 0, f"expected success: {self}"
        return self

    @property
    def seen(self) -> Seen:
        return Seen(self.stdout)

    @property
    def json(self):
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return f"{' '.join(self.command)}\nstatus {self.status}\nstdout: {self.stdout[-3000:]}\nstderr: {self.stderr[-3000:]}"


class Container:
    """A container that `create` or `run --detach` was asked to make."""

    def __init__(self, runtime: "Runtime", bundle: Bundle, id: str, stdout: Path):
        self.runtime, self.bundle, self.id, self.stdout = runtime, bundle, id, stdout
        self.created: Result | None = None

    def start(self, **options) -> Result:
        return self.runtime.command("start", self.id, **options)

    def kill(self, *words, **options) -> Result:
        return self.runtime.command("kill", self.id, *words, **options)

    def exec(self, *words, flags=(), **options) -> Result:
        """`exec` of a command line in it."""
        return self.runtime.command("exec", *flags, self.id, *words, **options)

    def look(self, *verbs, flags=(), **options) -> Seen:
        """Runs the probe in it with these verbs and reads what it saw."""
        return self.exec("/bin/probe", *probe_words(*(verbs or ("report",))), flags=flags, **options).ok().seen

    def exec_process(self, process: dict, *flags, **options) -> Result:
        """`exec --process`."""
        path = self.runtime.directory / f"{self.runtime.unique('process')}.json"
        path.write_text(json.dumps(process))
        return self.runtime.command("exec", "--process", path, *flags, self.id, **options)

    def delete(self, *flags, **options) -> Result:
        return self.runtime.command("delete", *flags, self.id, **options)

    def state(self) -> dict:
        return json.loads(self.runtime.command("state", self.id).ok().stdout)

    @property
    def status(self) -> str:
        return self.state()["status"]

    @property
    def pid(self) -> int:
        return self.state()["pid"]

    def wait(self, status="stopped", seconds=10.0) -> "Container":
        """Waits for a status."""
        limit = time.monotonic() + host.timeout(seconds)
        while (now := self.status) != status:
            assert time.monotonic() < limit, f"{self.id} is {now}, not {status}, after {seconds} s; it saw: {self.text}"
            time.sleep(0.005)
        return self

    @property
    def text(self) -> str:
        return self.stdout.read_text(errors="surrogateescape")

    @property
    def seen(self) -> Seen:
        return Seen(self.text)

    def wait_for(self, verb: str, count=1, seconds=10.0) -> Seen:
        """Waits until the probe has printed a verb."""
        limit = time.monotonic() + host.timeout(seconds)
        while len(self.seen.all(verb)) < count:
            assert time.monotonic() < limit, f"the probe did not print {verb} {count} times: {self.text!r}"
            time.sleep(0.003)
        return self.seen


class Runtime:
    """One runtime binary with a state directory of the test's own."""

    def __init__(self, program: str, name: str, directory: Path, prefix: str):
        self.program, self.name, self.directory, self.prefix = program, name, directory, prefix
        self.root = directory / "state"
        self.root.mkdir(mode=0o700)
        self.serial = 0
        self.ids: list[str] = []
        self.started: list[reaper.Process] = []
        self.wrapper: list[str] = []
        self.known_mounts: list[str] = []

    def unique(self, part="c") -> str:
        """A name that no other test uses, for containers and control groups."""
        self.serial += 1
        return f"{self.prefix}-{part}{self.serial}"

    def show(self, view: str) -> None:
        """Lets the runtime see another layout of control groups: version 1 alone, or version 2 alone."""
        if view == "v2" and self.name == "crun" and not host.may_grant("SYS_RESOURCE"):
            pytest.skip("crun raises its limit of locked memory for version 2, which takes CAP_SYS_RESOURCE")
        if view == "v1" and not [name for name in host.hierarchies() if name != "v2"]:
            pytest.skip("this kernel has no version 1 hierarchy mounted")
        if view == "v2" and set(host.hierarchies()) == {"v2"}:  # it sees that without help
            return
        room = self.directory / "room"
        room.mkdir()
        self.wrapper = ["unshare", "--mount", "--propagation", "private", str(CGROUP_VIEW), view, str(room)]

    # Commands

    def words(self, *words, flags=()) -> list[str]:
        return [*self.wrapper, self.program, "--root", str(self.root), *map(str, flags), *map(str, words)]

    def spawn(self, *words, flags=(), stdin=subprocess.DEVNULL, stdout=None, stderr=None, **options) -> reaper.Process:
        """Starts a command without waiting for it."""
        return self.spawn_words(self.words(*words, flags=flags), stdin, stdout, stderr, **options)

    def spawn_words(self, words, stdin=subprocess.DEVNULL, stdout=None, stderr=None, **options) -> reaper.Process:
        process = reaper.Process(
            words, stdin=stdin, stdout=stdout or subprocess.DEVNULL,
            stderr=stderr or subprocess.DEVNULL, **options)
        self.started.append(process)
        return process

    def command(self, *words, flags=(), **options) -> Result:
        """Runs a command to its end."""
        return self.command_words(self.words(*words, flags=flags), **options)

    def command_words(self, words, stdin=None, stdout: Path | None = None, seconds=20.0, **options) -> Result:
        """Runs a whole command line. Its output goes to files: a container that keeps them open is no hindrance."""
        self.serial += 1
        out_path = stdout or self.directory / f"out{self.serial}"
        err_path = self.directory / f"err{self.serial}"
        text = isinstance(stdin, str)
        if text:
            in_path = self.directory / f"in{self.serial}"
            in_path.write_text(stdin)
        began = time.monotonic()
        with open(out_path, "ab") as out, open(err_path, "ab") as err, open(
                in_path if text else "/dev/null", "rb") as given:
            process = self.spawn_words(
                [str(word) for word in words], stdin=given if stdin is None or text else stdin, stdout=out, stderr=err,
                **options)
        try:
            process.wait(host.timeout(seconds))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(host.timeout(5))
            raise AssertionError(
                f"{' '.join(process.args)} did not end within {seconds} s; stdout: {out_path.read_text()!r}; "
                f"stderr: {err_path.read_text()!r}") from None
        return Result(
            process.args, process.returncode, out_path.read_text(errors="surrogateescape"),
            err_path.read_text(errors="surrogateescape"), time.monotonic() - began)

    # Containers

    def new_id(self, id: str | None = None) -> str:
        id = id if id is not None else self.unique()
        self.ids.append(id)
        return id

    def try_create(self, bundle: Bundle, *flags, id: str | None = None, write=True, **options) -> Container:
        """`create`, which may fail: the container tells how in `created`."""
        if write:
            bundle.write()
        self.known_mounts = host.mounts_below(self.directory)
        container = Container(self, bundle, self.new_id(id), self.directory / f"stdout-{len(self.ids)}")
        container.created = self.command(
            "create", "--bundle", bundle.path, *flags, container.id, stdout=container.stdout, **options)
        return container

    def create(self, bundle: Bundle, *flags, **options) -> Container:
        container = self.try_create(bundle, *flags, **options)
        container.created.ok()
        return container

    def start(self, bundle: Bundle, *flags, **options) -> Container:
        """`create` and `start`."""
        container = self.create(bundle, *flags, **options)
        container.start().ok()
        return container

    def run(self, bundle: Bundle, *flags, id: str | None = None, write=True, **options) -> Result:
        """`run` in the foreground; the status is the container's."""
        if write:
            bundle.write()
        self.known_mounts = host.mounts_below(self.directory)
        return self.command("run", "--bundle", bundle.path, *flags, self.new_id(id), **options)

    def look(self, bundle: Bundle, *verbs, **options) -> Seen:
        """Runs the probe with these verbs and reads what it saw."""
        if verbs:
            bundle.probe(*verbs)
        result = self.run(bundle, **options)
        assert result.status == 0, f"expected success: {result}"
        return result.seen

    def refuses(self, bundle: Bundle, *names: str, **options) -> str:
        """`create` fails with one line that names the culprit, and leaves nothing behind."""
        from .errors import refused

        before = host.cgroups_named(self.prefix)
        container = self.try_create(bundle, **options)
        if container.created.status == 0:
            state = container.state()["status"]
            raise AssertionError(f"expected that create fails, but the container is {state}")
        line = refused(container.created, names=names)
        self.expect_nothing(container.id)
        made = [str(group) for group in host.cgroups_named(self.prefix) if group not in before]
        assert not made, f"left behind: {made}"
        return line

    # What is left

    def state_entries(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir() if path.is_dir())

    def leftovers(self, name: str | None = None) -> list[str]:
        """What of this test (or of one of its containers) is still there."""
        name = name or self.prefix
        found = [f"state directory {path}" for path in self.root.iterdir() if name in path.name and path.is_dir()]
        found += [f"control group {path}" for path in host.cgroups_named(name)]
        points = host.mounts_below(self.directory)
        for point in self.known_mounts:  # those of the test itself
            if point in points:
                points.remove(point)
        return found + [f"mount {point}" for point in points]

    def expect_nothing(self, id: str | None = None) -> None:
        """Nothing of the container is there any more: no state, no control group, no mount, no process."""
        left = self.leftovers(id) + [f"process {pid}: {_command_line(pid)}" for pid in self._lingering()]
        assert not left, f"left behind: {left}"

    def clean_up(self) -> list[str]:
        """Ends and deletes everything; what even that left behind."""
        for process in self.started:
            if process.poll() is None:
                children = reaper.descendants(process.pid)
                process.kill()
                process.wait()
                for pid in children:
                    _kill(pid)
        for id in self.ids:
            if id in self.state_entries():
                try:
                    self.command("delete", "--force", id, seconds=15)
                except AssertionError:
                    pass
        self.known_mounts = []
        found = self.leftovers() + [f"process {pid}: {_command_line(pid)}" for pid in self._lingering()]
        for pid in reaper.descendants():
            _kill(pid)
        self._lingering()
        for group in host.cgroups_named(self.prefix):
            try:
                group.rmdir()
            except OSError as error:
                found.append(f"control group {group}: {error}")
        host.remove_tree(self.directory)
        reaper.forget()
        return found

    def _lingering(self) -> list[int]:
        """Processes that are still there after the moment that a killed one needs."""
        limit = time.monotonic() + host.timeout(0.5)
        while time.monotonic() < limit:
            ours: set[int] = set()
            for process in self.started:
                if process.poll() is None:
                    ours |= {process.pid, *reaper.descendants(process.pid)}
            left = [pid for pid in reaper.descendants() if pid not in ours]
            if not left:
                break
            time.sleep(0.005)
        return left


def _kill(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        pass


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "?"
