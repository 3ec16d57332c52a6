"""What the probe printed, and how to read it."""

import json
from dataclasses import dataclass

from .host import CAPABILITIES


@dataclass
class Mount:
    """One line of /proc/self/mountinfo."""

    id: int
    parent: int
    root: str
    point: str
    options: list[str]
    propagation: list[str]
    type: str
    source: str
    super_options: list[str]


def parse_mountinfo(text: str) -> list[Mount]:
    mounts = []
    for line in text.splitlines():
        left, right = line.split(" - ")
        fields, (kind, source, options) = left.split(" "), (right.split(" ") + [""])[:3]
        mounts.append(Mount(
            int(fields[0]), int(fields[1]), fields[3], _unescape(fields[4]), fields[5].split(","), fields[6:],
            kind, source, options.split(",")))
    return mounts


def _unescape(path: str) -> str:
    return path.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def capability_bits(*names: str) -> str:
    """The mask of CAP_X names, as the probe prints it."""
    mask = 0
    for name in names:
        mask |= 1 << CAPABILITIES.index(name.removeprefix("CAP_"))
    return f"{mask:016x}"


class Seen:
    """The lines of JSON of one or several probes."""

    def __init__(self, text: str):
        self.text = text
        self.lines = []
        for line in text.splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):
                self.lines.append(json.loads(line))

    def __repr__(self) -> str:
        return f"Seen({self.text!r})"

    def tagged(self, tag: str) -> "Seen":
        """What the probe that was started with `-t TAG` printed."""
        part = Seen("")
        part.lines = [line for line in self.lines if line.get("tag") == tag]
        part.text = "\n".join(json.dumps(line) for line in part.lines)
        return part

    @property
    def tags(self) -> list[str]:
        """The tags in the order of their first line."""
        return list(dict.fromkeys(line["tag"] for line in self.lines if "tag" in line))

    @property
    def report(self) -> dict:
        return self("report")

    def all(self, verb: str, *arguments) -> list[dict]:
        wanted = [str(a) for a in arguments]
        return [
            line for line in self.lines
            if line["verb"] == verb and (not wanted or line.get("arguments", [])[: len(wanted)] == wanted)]

    def __call__(self, verb: str, *arguments) -> dict:
        """The first line of a verb, of that verb with these first arguments."""
        found = self.all(verb, *arguments)
        assert found, f"the probe did not get to {verb} {' '.join(map(str, arguments))}; it printed: {self.text!r}"
        return found[0]

    def error(self, verb: str, *arguments) -> str | None:
        """The errno name with which a verb failed, None when it did not fail."""
        return self(verb, *arguments).get("error")

    @property
    def mounts(self) -> list[Mount]:
        return parse_mountinfo(self.report["mountinfo"])

    def mount(self, point: str) -> Mount:
        """The topmost mount at a path."""
        found = [mount for mount in self.mounts if mount.point == point]
        assert found, f"nothing is mounted at {point}: {[m.point for m in self.mounts]}"
        return found[-1]

    def has_mount(self, point: str) -> bool:
        return any(mount.point == point for mount in self.mounts)

    def status_field(self, name: str) -> str:
        """A field of /proc/self/status."""
        for line in self.report["status"].splitlines():
            if line.startswith(name + ":"):
                return line.split(":", 1)[1].strip()
        raise AssertionError(f"/proc/self/status has no {name}")
