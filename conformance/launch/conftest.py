"""Fixtures: `launch`, a command of swrun alone, as root and as an ordinary user."""

import os
from pathlib import Path

import pytest

from harness.seen import Seen
from harness.user import User
from launch.learning import offered


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
