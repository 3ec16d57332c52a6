"""Fixtures: engines with a room of their own."""

import os
import secrets
import time
from pathlib import Path

import pytest

from engines.podman_engine import TOP, Podman
from harness import host


@pytest.fixture(scope="session")
def rootfs(ground):
    """The root filesystem of a busybox bundle."""
    host.command(TOP / "bundles/make-busybox", ground / "busybox")
    return ground / "busybox/rootfs"


@pytest.fixture(scope="session")
def engine(ground, rootfs):
    token = secrets.token_hex(3)
    directory = ground / f"pm{token}"
    directory.mkdir()
    made = Podman(os.environ["RUNTIME"], directory, f"pm{token}")
    made.import_image(rootfs)
    yield made
    for group in host.cgroups_named(made.prefix):
        group.rmdir()


@pytest.fixture
def podman(engine):
    """podman, with all containers removed at the end of the test; none of them may leave anything behind."""
    yield engine
    engine.remove_everything()
    limit = time.monotonic() + host.timeout(5)
    while (left := engine.leftovers()) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not left, f"left behind: {left}"


@pytest.fixture(params=["json", "text"])
def log_format(request, podman):
    """podman takes the runtime's errors from a JSON log, or, of a runtime that it does not know, from what it prints."""
    podman.configure(Path(podman.program).name if request.param == "json" else "another")
    yield request.param
    podman.configure(Path(podman.program).name)
