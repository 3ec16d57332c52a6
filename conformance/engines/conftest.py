"""Fixtures: engines with a room of their own."""

import os
import secrets
import shutil
import time
from pathlib import Path

import pytest

from engines.containerd_engine import IMAGE, NAMESPACE, Containerd, Ctr
from engines.cri_client import CRI, Pod
from engines.docker_engine import Docker
from engines.engine import Room
from engines.image import make_rootfs
from engines.podman_engine import Podman
from harness import host


@pytest.fixture(scope="session")
def rootfs(ground):
    """The root filesystem of the image. (The virtual machine has no compiler; no test there needs the program web.)"""
    return make_rootfs(ground / "busybox", web=shutil.which("gcc") is not None)


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
    check_that_nothing_is_left(engine)


@pytest.fixture(params=["json", "text"])
def log_format(request, podman):
    """podman takes the runtime's errors from a JSON log, or, of a runtime that it does not know, from what it prints."""
    podman.configure(Path(podman.program).name if request.param == "json" else "another")
    yield request.param
    podman.configure(Path(podman.program).name)


@pytest.fixture(scope="session")
def make_room(ground):
    """Makes rooms for the daemons of engines. At the end nothing may run in them."""
    made = []

    def make(part: str) -> Room:
        name = f"{part}{secrets.token_hex(3)}"
        directory = ground / name
        directory.mkdir()
        made.append(Room(directory, name))
        return made[-1]

    yield make
    left = [what for room in made for what in room.close()]
    assert not left, f"left behind: {left}"


@pytest.fixture(scope="session")
def docker_engine(make_room, rootfs):
    engine = Docker(make_room("dk"), os.environ["RUNTIME"])
    engine.start_everything(rootfs)
    yield engine
    engine.stop_daemon()
    engine.containerd.stop()


@pytest.fixture
def docker(docker_engine):
    """Docker, with all containers removed at the end of the test; none of them may leave anything behind."""
    yield docker_engine
    check_that_nothing_is_left(docker_engine)


@pytest.fixture(params=["podman", "docker"])
def any_engine(request):
    """podman, then Docker: what they do alike."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def containerd_engine(make_room, rootfs):
    engine = Containerd(make_room("cd"), os.environ["RUNTIME"], cri=True)
    engine.start()
    for namespace in NAMESPACE, "k8s.io":
        engine.import_images(rootfs, namespace)
    yield engine
    engine.stop()


@pytest.fixture
def ctr(containerd_engine):
    """containerd's client, with all containers removed at the end of the test."""
    client = Ctr(containerd_engine)
    yield client
    check_that_nothing_is_left(client)


@pytest.fixture(scope="session")
def cri_channel(containerd_engine):
    channel = CRI(containerd_engine.room.path("/run/containerd/containerd.sock"), containerd_engine.directory)

    def is_ready() -> bool:
        return all(one.status for one in channel.call("Status").status.conditions)

    host.wait_until(is_ready, "the node is ready", 30)
    yield channel
    channel.close()


@pytest.fixture
def cri(containerd_engine, cri_channel):
    """containerd's CRI plugin, with all pods removed at the end of the test."""
    yield cri_channel
    for pod in cri_channel.call("ListPodSandbox").items:
        cri_channel.call("StopPodSandbox", pod_sandbox_id=pod.id)
        cri_channel.call("RemovePodSandbox", pod_sandbox_id=pod.id)
    check_that_nothing_is_left(Ctr(containerd_engine, "k8s.io"))


@pytest.fixture
def make_pod(cri, containerd_engine):
    room = containerd_engine.room

    def make(**settings) -> Pod:
        name = f"pod-{secrets.token_hex(3)}"
        logs = room.directory / name
        logs.mkdir()
        return Pod(cri, name, IMAGE, f"/{room.name}", logs, **settings)

    return make


def check_that_nothing_is_left(engine) -> None:
    engine.remove_everything()
    limit = time.monotonic() + host.timeout(5)
    while (left := engine.leftovers()) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not left, f"left behind: {left}"
