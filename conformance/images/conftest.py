"""Fixtures: a place for images, the command under test, and that nothing is left of it."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from harness import host
from images import disks, trees


def pytest_collection_modifyitems(items):
    if os.environ["RUNTIME_NAME"] != "swrun":
        for item in items:
            if "images" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason="no other runtime makes bundles from images"))


class Bundler:
    """`swrun bundle`, in a directory of the test's own."""

    def __init__(self, runtime, directory: Path):
        self.runtime, self.directory = runtime, directory
        self.serial = 0

    def __call__(self, image, *flags, **options):
        """Makes a bundle, which must succeed; its directory."""
        target = self.target()
        self.runtime.command("bundle", image, "-o", target, *flags, **options).ok()
        return target

    def target(self) -> Path:
        self.serial += 1
        return self.directory / f"bundle{self.serial}"

    def refused(self, image, *flags, seconds=2.0) -> str:
        """The one line of an error; the time and memory that it took are limited, and nothing is left."""
        target = self.target()
        before = set(self.directory.iterdir())
        meter = self.directory / "meter"
        words = ["/usr/bin/env", "python3", Path(__file__).parent / "meter.py", meter]
        began = time.monotonic()
        result = self.runtime.command_words(
            [*map(str, words), *self.runtime.words("bundle", image, "-o", target, *flags)], seconds=30)
        took = time.monotonic() - began
        assert result.status == 1, result
        lines = result.stderr.splitlines()
        assert len([line for line in lines if not line.startswith("swrun: warning: ")]) == 1, result
        kilobytes = int(meter.read_text())
        meter.unlink()
        assert took < host.timeout(seconds), f"{took:.1f} s: {result}"
        assert kilobytes < 64 << 10, f"{kilobytes} kB: {result}"
        assert set(self.directory.iterdir()) == before, "left behind"
        assert "root:x:0" not in result.stdout + result.stderr
        return lines[-1].removeprefix("swrun: ")

    def layout(self, image, *flags) -> str:
        return self.runtime.command("bundle", image, "--layout", *flags).ok().stdout

    def config(self, bundle: Path) -> dict:
        return json.loads((bundle / "config.json").read_text())


@pytest.fixture
def work(runtime):
    """A directory on a disk: tmpfs keeps not all attributes."""
    directory = runtime.directory / "images"
    directory.mkdir()
    yield directory
    for path in directory.iterdir():
        host.remove_tree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def bundler(runtime, work):
    yield Bundler(runtime, work)
    # Other tests read their images at the same time, and the samples are everybody's.
    host.wait_until(lambda: not disks.daemons(work), "qemu-storage-daemon is left")
    host.wait_until(lambda: not disks.loops(work), "loop devices are left")
    assert not host.mounts_below(work)


@pytest.fixture(scope="session")
def samples(ground):
    """Images that several tests read, made once."""
    return Samples(ground / "samples")


class Samples:
    def __init__(self, directory: Path):
        directory.mkdir()
        self.directory = directory
        self.busybox = Path(os.environ["CONFORMANCE_BUSYBOX"])
        self.manifests: dict[str, dict] = {}
        self.made: dict[str, Path] = {}

    def whole(self, kind="ext4", size=None) -> Path:
        """A raw disk that is one filesystem, with the odd files."""
        name = f"whole-{kind}"
        if name not in self.made:
            path = disks.blank(self.directory / f"{name}.raw", size or {"xfs": 320, "btrfs": 128}.get(kind, 32) * disks.MIB)
            # Of two btrfs with the same number only one can be mounted, and each worker has its own.
            disks.make(path, kind, uuid=None if kind == "btrfs" else disks.ROOT_UUID)
            with disks.mounted(path) as root:
                # ext2 has 16 GiB to 2 TiB for a file, by its block size
                trees.odd_files(trees.system(root, self.busybox), holes=kind != "ext2")
                self.manifests[name] = trees.manifest(root)
            self.made[name] = path
        return self.made[name]

    def manifest(self, kind="ext4") -> dict:
        self.whole(kind)
        return self.manifests[f"whole-{kind}"]

    def converted(self, name: str, format: str, *options) -> Path:
        if name not in self.made:
            self.made[name] = disks.convert(self.whole(), self.directory / name, format, *options)
        return self.made[name]

    def copy(self, name: str, target: Path) -> Path:
        shutil.copy(self.made[name], target)
        return target
