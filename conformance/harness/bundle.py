"""A bundle of a test: a directory with config.json and a small root filesystem."""

import json
import os
from pathlib import Path

from .config import default_config
from .seen import Seen

APPLETS = "sh true false sleep cat ls env id echo".split()
DIRECTORIES = "bin dev etc home mnt out proc root run sys tmp usr/bin var/tmp".split()


def make_rootfs(rootfs: Path, probe: Path, busybox: Path) -> None:
    """A root filesystem of the probe and a shell; the two programs are links, so that it costs next to nothing."""
    for name in DIRECTORIES:
        (rootfs / name).mkdir(parents=True)
    (rootfs / "tmp").chmod(0o1777)
    os.link(probe, rootfs / "bin/probe")
    os.link(busybox, rootfs / "bin/busybox")
    for name in APPLETS:
        (rootfs / "bin" / name).symlink_to("busybox")
    (rootfs / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n")
    (rootfs / "etc/group").write_text("root:x:0:\ntty:x:5:\nuser:x:1000:\n")


def probe_words(*verbs) -> list[str]:
    """["stat", "/x"], "report" -> stat /x : report"""
    words: list[str] = []
    for verb in verbs:
        words += [":"] if words else []
        words += [str(word) for word in ([verb] if isinstance(verb, str) else verb)]
    return words


class Bundle:
    """`config` is a dictionary to change; it is written when the bundle is used."""

    def __init__(self, path: Path, probe: Path, busybox: Path, name: str):
        self.path = path
        self.name = name
        self.probe_on_host = probe
        self.rootfs = path / "rootfs"
        make_rootfs(self.rootfs, probe, busybox)
        self.config = default_config(f"/{name}")
        self.written = path / "seen"

    # What runs

    @property
    def process(self) -> dict:
        return self.config["process"]

    @process.setter
    def process(self, value: dict) -> None:
        self.config["process"] = value

    @property
    def linux(self) -> dict:
        return self.config["linux"]

    @linux.setter
    def linux(self, value: dict) -> None:
        self.config["linux"] = value

    def args(self, *words) -> "Bundle":
        self.process["args"] = [str(word) for word in words]
        return self

    def probe(self, *verbs) -> "Bundle":
        """The container's process is the probe, with these verbs in turn: "report", ["stat", "/dev/null"]."""
        return self.args("/bin/probe", *probe_words(*verbs))

    def shell(self, script: str) -> "Bundle":
        return self.args("/bin/sh", "-c", script)

    # What it sees

    def mount(self, destination: str, source=None, type=None, options=(), first=False, **more) -> dict:
        entry = {"destination": destination, **more}
        if source is not None:
            entry["source"] = str(source)
        if type is not None:
            entry["type"] = type
        if options:
            entry["options"] = list(options)
        self.config["mounts"].insert(0 if first else len(self.config["mounts"]), entry)
        return entry

    def without_mount(self, destination: str) -> "Bundle":
        self.config["mounts"] = [m for m in self.config["mounts"] if m["destination"] != destination]
        return self

    def namespace(self, kind: str, path=None) -> "Bundle":
        """Adds or replaces a namespace."""
        self.without_namespace(kind)
        self.linux["namespaces"].append({"type": kind} | ({"path": str(path)} if path else {}))
        return self

    def without_namespace(self, kind: str) -> "Bundle":
        self.linux["namespaces"] = [n for n in self.linux["namespaces"] if n["type"] != kind]
        return self

    def user_namespace(self, host_id=100000, size=65536) -> "Bundle":
        """Its own user namespace, whose root is an unprivileged user of the host."""
        self.namespace("user")
        self.linux["uidMappings"] = [{"containerID": 0, "hostID": host_id, "size": size}]
        self.linux["gidMappings"] = [{"containerID": 0, "hostID": host_id, "size": size}]
        return self

    def capabilities(self, *names, sets=("bounding", "effective", "permitted")) -> "Bundle":
        self.process["capabilities"] = {kind: list(names) for kind in sets}
        return self

    def add_capabilities(self, *names) -> "Bundle":
        for kind in ("bounding", "effective", "permitted"):
            self.process["capabilities"][kind] += names
        return self

    # Hooks, which are probes too

    def hook(self, moment: str, *verbs, tag=None, path=None, **more) -> dict:
        """Adds a probe as a hook; it appends to a file that `seen()` reads. A startContainer hook runs in the
        container: the directory of that file is mounted there."""
        inside = moment == "startContainer"
        target = "/out/seen" if inside else str(self.written)
        program = path or ("/bin/probe" if inside else str(self.probe_on_host))
        if inside and not any(m["destination"] == "/out" for m in self.config["mounts"]):
            self.shared_directory()
        entry = {
            "path": program,
            "args": ["probe", "-t", tag or moment, "-o", target, *probe_words(*verbs or ("report", "stdin"))], **more,
        }
        self.written.touch()
        self.written.chmod(0o666)
        self.config.setdefault("hooks", {}).setdefault(moment, []).append(entry)
        return entry

    def failing_hook(self, moment: str, status=7, **more) -> dict:
        return self.hook(moment, "say", ["exit", status], **more)

    def shared_directory(self) -> Path:
        """A directory of the host that the container sees as /out, writable for everybody."""
        directory = self.path / "shared"
        if not directory.exists():
            directory.mkdir()
            directory.chmod(0o777)
            self.mount("/out", directory, "bind", ["rbind", "rw"])
            self.written = directory / "seen"
            for hooks in self.config.get("hooks", {}).values():
                for hook in hooks:
                    if hook["args"][3:4] == ["-o"] and hook["args"][4] == str(self.path / "seen"):
                        hook["args"][4] = str(self.written)
        return directory

    def seen(self) -> Seen:
        """What hooks, and processes that were told to, have written so far."""
        return Seen(self.written.read_text() if self.written.exists() else "")

    # On disk

    def write(self) -> Path:
        (self.path / "config.json").write_text(json.dumps(self.config, indent=1))
        return self.path
