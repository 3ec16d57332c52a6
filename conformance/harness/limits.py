"""The control files of a container's groups, whichever version of control groups has a controller."""

from dataclasses import dataclass
from pathlib import Path

from . import host


@dataclass
class Group:
    """One of the container's control groups."""

    path: Path
    unified: bool

    def read(self, file: str) -> str:
        return (self.path / file).read_text().strip()

    def has(self, file: str) -> bool:
        return (self.path / file).exists()


def controllers() -> dict[str, bool]:
    """What this host can limit: the kernel's name of the controller, and whether version 2 has it."""
    found = {}
    for names, point in host.hierarchies().items():
        if names == "v2":
            found |= {name: True for name in (point / "cgroup.controllers").read_text().split()}
        else:
            found |= {name: False for name in names.split(",")}
    return found


def group_of(name: str, v1: str, v2: str | None = None) -> Group | None:
    """The group called `name` in which a controller (its name in each version) limits; None when the host lacks it."""
    has = controllers()
    for controller, unified in ((v1, False), (v2 or v1, True)):
        if has.get(controller) is unified:
            for names, point in host.hierarchies().items():
                if (names == "v2") is unified and (unified or controller in names.split(",")):
                    for path in host.cgroups_named(name):
                        if path.name == name and path.is_relative_to(point):
                            return Group(path, unified)
    return None


def group_in(name: str, controller: str, unified: bool) -> Group:
    """The group called `name` in the hierarchy of a version 1 controller, or in that of version 2."""
    for names, point in host.hierarchies().items():
        if (names == "v2") is unified and (unified or controller in names.split(",")) and (point / name).is_dir():
            return Group(point / name, unified)
    raise AssertionError(f"no group {name} of {controller}")
