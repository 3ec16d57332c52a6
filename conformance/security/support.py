"""What the tests of attacks share: a canary, an attacker, and links that lead out of a root filesystem.

A canary is a directory of the host that no container was given: its names, contents, owners and times must stay as
they are, whatever an image or another container does while a runtime makes a container.
"""

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from harness import host, reaper

# How many containers are made against an attacker who changes things meanwhile. More find rarer windows.
RACES = int(os.environ.get("CONFORMANCE_RACES", "40"))


class Canary:
    """`path` holds a file, a program, and an empty directory."""

    def __init__(self, path: Path, probe: Path):
        self.path = path
        path.mkdir()
        (path / "content").write_text("of the host")
        (path / "empty").mkdir()
        os.link(probe, path / "program")
        for entry in [*path.iterdir(), path]:
            if entry.name != "program":
                os.utime(entry, (1_000_000_000, 1_000_000_000))
        self.before = self.look()

    def look(self) -> dict:
        """The program is a link to the probe: others may have linked and executed it, so its times do not count."""
        found = {}
        for entry in [self.path, *sorted(self.path.rglob("*"))]:
            status = entry.lstat()
            times = () if entry.name == "program" else (status.st_mtime_ns, status.st_ctime_ns)
            content = entry.read_bytes() if stat.S_ISREG(status.st_mode) and entry.name != "program" else status.st_rdev
            found[str(entry.relative_to(self.path))] = (
                oct(status.st_mode), status.st_uid, status.st_gid, status.st_dev, status.st_ino, times, content)
        return found

    def check(self) -> None:
        assert self.path.is_dir(), "a directory of the host was removed"
        assert self.look() == self.before, "something of the host changed"
        assert not host.mounts_below(self.path), "something was mounted on the host"

    def renew(self) -> None:
        """After a change that the test itself made."""
        self.before = self.look()

    def link(self, at: Path, how: str, below="") -> None:
        """Puts a link to (a path below) the canary in the place of `at`: "absolute", "relative", or "upwards", which
        is a relative link that begins with more ".." than any path has."""
        target = self.path / below if below else self.path
        if at.is_dir() and not at.is_symlink():
            at.rmdir()
        at.unlink(missing_ok=True)
        texts = {
            "absolute": str(target), "relative": os.path.relpath(target, at.parent.resolve()),
            "upwards": "../" * 40 + str(target).lstrip("/"),
        }
        at.symlink_to(texts[how])


LINKS = ["absolute", "relative", "upwards"]


@dataclass
class Attacker:
    """The program attacker.c; processes of it are ended with the test."""

    program: Path
    runtime: object

    def exchange(self, *paths) -> reaper.Process:
        """Swaps the names of pairs of paths for ever."""
        assert len(paths) % 2 == 0
        return self.runtime.spawn_words([str(self.program), "exchange", *map(str, paths)])


class Snooper:
    """A container whose process looks into every other process of its pid namespace."""

    def __init__(self, runtime, bundle, program: Path, seal=False, canary: Path | None = None):
        self.directory = bundle.shared_directory()
        os.link(program, bundle.rootfs / "bin/attacker")
        words = ["/bin/attacker", "snoop", "/out/findings", "/out/stop", *(["seal"] if seal else [])]
        bundle.process["env"] += [f"CANARY={canary}"] if canary else []
        self.container = runtime.start(bundle.args(*words))
        host.wait_until(lambda: self.all("ready"), "the attacker looks around")

    def join(self, bundle, *kinds):
        """Another container in these namespaces of the attacker's."""
        names = {"network": "net", "mount": "mnt"}
        for kind in kinds:
            bundle.namespace(kind, f"/proc/{self.container.pid}/ns/{names.get(kind, kind)}")
        return bundle

    def all(self, *verbs) -> list[dict]:
        path = self.directory / "findings"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["verb"] in verbs]

    def finish(self) -> None:
        """Lets it try what it has prepared, and waits for its end."""
        (self.directory / "stop").touch()
        host.wait_until(lambda: self.all("done"), "the attacker is done", seconds=30)


def race(runtime, bundle, count=RACES, start=True):
    """Makes containers while somebody changes things, and yields how each fared: of `run`, or of `create` alone. An
    attack may make it fail now and then; if it always does, nothing was tried."""
    made = 0
    for _ in range(count):
        if start:
            result = runtime.run(bundle)
        else:
            container = runtime.try_create(bundle)
            result = container.created
            container.delete("--force")
        made += result.status == 0
        yield result
    assert made, f"no container could be made: {result}"


def changes_of(path: Path):
    """What must not change of a program of the host."""
    status = path.stat()
    return hashlib.sha256(path.read_bytes()).hexdigest(), status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns
