"""Layouts that a test can put the runtime in, whatever the host has; file systems that Python programs answer for."""

import importlib.util
import os
import subprocess
import sys

import pytest

from harness import host


@pytest.fixture(params=["v1", "v2"])
def layout(request, runtime):
    """The runtime sees version 1 alone, or version 2 alone."""
    runtime.show(request.param)
    return request.param


# Where the host has one version alone, the other views would show the same.
_HAS_BOTH = len({name == "v2" for name in host.hierarchies()}) == 2


@pytest.fixture(params=["host", "v1", "v2"] if _HAS_BOTH else ["host"])
def every_layout(request, runtime):
    """The runtime sees the host as it is, and each version alone if it has both."""
    if request.param != "host":
        runtime.show(request.param)
    return request.param


@pytest.fixture
def mount_program(runtime):
    """Mounts what a Python program (its words, without the directory) answers for: the directory, and the process."""
    if not os.access("/dev/fuse", os.W_OK):
        pytest.skip("this machine has no FUSE")
    if not importlib.util.find_spec("fusepy"):
        pytest.skip("python3-fusepy is not installed")
    mounted = []

    def mount(name: str, *words):
        path = runtime.directory / name
        path.mkdir()
        process = runtime.spawn_words([sys.executable, *map(str, words), str(path)], stderr=subprocess.PIPE)
        mounted.append((path, process))
        host.wait_until(lambda: os.path.ismount(path) or process.poll() is not None, "the file system is mounted")
        assert process.poll() is None, process.stderr.read()
        runtime.known_mounts = host.mounts_below(runtime.directory)
        return path, process

    yield mount
    for path, process in mounted:
        host.command("umount", "-l", path, check=False)
        process.kill()
        process.wait()
