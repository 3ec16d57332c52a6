"""Fixtures: a canary, an attacker, and a copy of the runtime that may be damaged."""

import os
import shutil
from pathlib import Path

import pytest

from harness import Bundle, Runtime, host
from security.support import Attacker, Canary

SOURCE = Path(__file__).parent / "attacker.c"


@pytest.fixture(autouse=True)
def plain_containers_work(request, ground):
    """Many attacks may well end in an error of the runtime. That says something only if there is none without."""
    if not hasattr(request.session, "plain_container"):
        directory = ground / "plain"
        directory.mkdir()
        runtime = Runtime(os.environ["RUNTIME"], os.environ["RUNTIME_NAME"], directory, f"cf{directory.parent.name}p")
        (directory / "bundle").mkdir()
        bundle = Bundle(
            directory / "bundle", Path(os.environ["CONFORMANCE_PROBE"]), Path(os.environ["CONFORMANCE_BUSYBOX"]),
            f"cf{directory.parent.name}p-bundle")
        request.session.plain_container = runtime.run(bundle.probe("say"))
        runtime.clean_up()
    request.session.plain_container.ok()


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
