"""containerd on a machine on which criu works: checkpoints."""

import os

import pytest

from engines.containerd_engine import NAMESPACE, Containerd, Ctr
from engines.conftest import check_that_nothing_is_left
from engines.engine import wait_for

pytestmark = pytest.mark.vm
SAVED = "localhost/saved:test"


@pytest.fixture
def ctr(make_room, rootfs):
    """containerd's client. Where this runs, one daemon for a test is enough."""
    engine = Containerd(make_room("cd"), os.environ["RUNTIME"])
    engine.start()
    engine.import_images(rootfs, NAMESPACE)
    client = Ctr(engine)
    yield client
    check_that_nothing_is_left(client)
    engine.stop()


def test_a_container_is_saved_as_an_image_and_goes_on(ctr):
    """containers checkpoint --task --rw, restore --live --rw"""
    name = ctr.start("sh", "-c", "n=0; while :; do n=$((n+1)); echo $n >/new; mv /new /count; sleep 0.2; done")

    def count(name: str) -> int:
        with open(f"/proc/{ctr.tasks()[name][0]}/root/count") as file:
            return int(file.read())

    wait_for(lambda: os.path.exists(f"/proc/{ctr.tasks()[name][0]}/root/count") and count(name) > 2, "it counts")
    ctr("containers", "checkpoint", "--task", "--rw", "--image", name, SAVED, seconds=120)
    assert ctr.tasks()[name][1] == "RUNNING"
    saved = count(name)
    ctr("tasks", "delete", "--force", name)
    ctr("containers", "delete", name)
    other = ctr.name()
    ctr("containers", "restore", "--rw", "--live", other, SAVED, seconds=120)
    assert ctr.tasks()[other][1] == "RUNNING" and ctr.known_to_the_runtime() == [other]
    first = count(other)
    assert first > 1, f"it began anew, and was saved at {saved}"
    wait_for(lambda: count(other) > first, "it goes on")
