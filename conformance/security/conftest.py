"""Fixtures: a canary, an attacker, and a copy of the runtime that may be damaged."""

import os
import shutil
from pathlib import Path

import pytest

from harness import Runtime, host
from security.support import Attacker, Canary

SOURCE = Path(__file__).parent / "attacker.c"


@pytest.fixture(scope="session")
def attacker_program(ground):
    program = ground / "attacker"
    host.command("gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, SOURCE)
    return program


@pytest.fixture
def attacker(attacker_program, runtime):
    return Attacker(attacker_program, runtime)


@pytest.fixture
def canary(runtime):
    return Canary(runtime.directory / "canary", Path(os.environ["CONFORMANCE_PROBE"]))


@pytest.fixture
def spare_runtime(runtime) -> Runtime:
    """The runtime under test, executed from a file of the test's own: if an attack succeeds, it damages that one."""
    copy = runtime.directory / "bin" / Path(runtime.program).name
    copy.parent.mkdir()
    shutil.copy2(runtime.program, copy)
    runtime.program = str(copy)
    return runtime


@pytest.fixture
def volume(runtime, bundle):
    """A directory of the host that the attacker's container and the one that is made both have, at /v."""
    path = runtime.directory / "volume"
    path.mkdir()
    bundle.mount("/v", path, "bind", ["rbind", "rw"])
    return path
