"""Fixtures: `launch`, a command of swrun alone, as root and as an ordinary user."""

import os
import pwd
from pathlib import Path

import pytest

from harness.seen import Seen
from launch.learning import offered

AS_USER = Path(__file__).parent / "as-user"


class Launcher:
    """Runs `launch` with the root filesystem of a bundle, under a name that the clean-up knows."""

    def __init__(self, runtime, rootfs: Path):
        self.runtime, self.rootfs = runtime, rootfs

    def words(self, *flags, command=(), rootfs=None) -> list[str]:
        return [
            "launch", "--name", self.runtime.new_id(), *map(str, flags), str(rootfs or self.rootfs),
            *(["--", *map(str, command)] if command else [])]

    def __call__(self, *flags, command=(), rootfs=None, **options):
        """`launch FLAGS ROOTFS -- COMMAND`"""
        return self.runtime.command(*self.words(*flags, command=command, rootfs=rootfs), **options)

    def raw(self, *words, **options):
        """`launch` with exactly these words."""
        return self.runtime.command("launch", *words, **options)

    def shell(self, script: str, *flags, **options) -> str:
        """What a script prints in the container."""
        return self(*flags, command=["/bin/sh", "-c", script], **options).ok().stdout

    def learn(self, *flags, command, **options):
        """The list for -S, after as many runs with --seccomp-explain as it takes until it offers nothing more, for
        allowing a call shows the next one; and the last result."""
        allowed: list[str] = []
        for _ in range(40):
            more = ["-S", ",".join(allowed)] if allowed else []
            result = self("-s", "--seccomp-explain", *more, *flags, command=command, **options)
            new = [name for name in offered(result) if name not in allowed]
            if not new:
                return allowed, result
            allowed += new
        raise AssertionError(f"there is always one more: {result}")

    def look(self, *flags, **options) -> Seen:
        result = self(*flags, command=["/bin/probe", "report"], **options)
        assert result.status == 0, f"expected success: {result}"
        return result.seen


@pytest.fixture(autouse=True)
def swrun_alone(runtime):
    if runtime.name != "swrun":
        pytest.skip("other runtimes have no command launch, and spec without options")


@pytest.fixture
def launch(runtime, bundle):
    return Launcher(runtime, bundle.rootfs)


class User:
    """An ordinary user whom only the commands of one test know: their mount namespace has its own passwd(5) and
    subuid(5)."""

    uid, gid, first, count = 4242, 4343, 300000, 65536

    def __init__(self, directory: Path):
        self.etc = directory / "etc"
        self.etc.mkdir()
        self.home = directory / "home"
        self.home.mkdir()
        os.chown(self.home, self.uid, self.gid)
        assert not any(entry.pw_uid == self.uid for entry in pwd.getpwall())
        (self.etc / "passwd").write_text(
            Path("/etc/passwd").read_text() + f"lana:x:{self.uid}:{self.gid}::{self.home}:/bin/sh\n")
        (self.etc / "group").write_text(Path("/etc/group").read_text() + f"lana:x:{self.gid}:\n")
        self.grant(f"lana:{self.first}:{self.count}\n")

    def grant(self, text: str, groups: str | None = None) -> "User":
        """What subuid(5) and subgid(5) say."""
        (self.etc / "subuid").write_text(text)
        (self.etc / "subgid").write_text(text if groups is None else groups)
        return self

    def replace(self, path: str, content: bytes | None, mode=0o755) -> "User":
        """Another file in the place of one of the host; None: as good as missing."""
        target = self.etc / path.replace("/", "@")
        target.write_bytes(content or b"")
        target.chmod(mode if content is not None else 0)
        return self

    def wrapper(self) -> list[str]:
        return [str(AS_USER), str(self.uid), str(self.gid), str(self.etc), str(self.home)]


@pytest.fixture
def user(runtime, bundle):
    """Commands of the runtime are from here on those of an ordinary user, who owns the root filesystem."""
    made = User(runtime.directory)
    for path in [bundle.path, bundle.rootfs, *bundle.rootfs.iterdir()]:
        os.chown(path, made.uid, made.gid, follow_symlinks=False)
    os.chown(runtime.root, made.uid, made.gid)
    runtime.wrapper = made.wrapper()
    yield made
    runtime.wrapper = []
