"""Tests of `bundle`, a command that only swrun has."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    if os.environ["RUNTIME_NAME"] == "swrun":
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="only swrun has the command bundle"))


@dataclass
class Made:
    """What `bundle` came to."""

    result: object
    path: Path
    peak: int  # bytes of memory
    cpu: float  # seconds

    @property
    def rootfs(self) -> Path:
        return self.path / "rootfs"


@pytest.fixture
def work(runtime):
    """A directory for images and bundles."""
    path = runtime.directory / "images"
    path.mkdir()
    yield path
    # Trees that were unpacked hold everything, also directories that nobody may enter.
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make(runtime, work):
    """Runs `bundle IMAGE -o DIR` and looks at what it takes; nothing but DIR may be new beside it."""

    def run(image, *flags, name="bundle", **options) -> Made:
        target = work / name
        before = set(work.iterdir())
        peak = runtime.directory / runtime.unique("peak")
        peak.touch()
        peak.chmod(0o666)  # also for an ordinary user
        if "--progress" not in flags:
            flags = (*flags, "--progress", "none")  # a slow machine would see lines that are no errors
        command = [sys.executable, HERE / "measure.py", peak, *runtime.words("bundle", image, "-o", target, *flags)]
        result = runtime.command_words(command, **options)
        new = set(work.iterdir()) - before - {target}
        assert not new, f"left beside the bundle: {new}: {result}"
        assert result.status == 0 or target in before or not target.exists(), f"a failure left a bundle: {result}"
        memory, cpu = peak.read_text().split()
        return Made(result, target, int(memory), float(cpu))

    return run
