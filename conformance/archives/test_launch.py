"""`launch --image`: a container of an image, in one command."""

import os

import pytest

from harness import host
from harness.errors import refused
from archives import samples as a

pytestmark = pytest.mark.usefixtures("one_at_a_time")


@pytest.fixture
def image(work):
    with open(os.environ["CONFORMANCE_BUSYBOX"], "rb") as file:
        busybox = file.read()
    layout = a.Layout(work / "layout")
    return layout.write(layout.image(
        a.tar(a.directory("bin"), a.member("bin/busybox", data=busybox, mode=0o755), a.symlink("bin/sh", "busybox"),
              a.directory("srv"), a.directory("proc")),
        config={"Entrypoint": ["/bin/sh", "-c"], "Cmd": ["echo $A in $(/bin/busybox pwd)"], "Env": ["A=from-image"],
                "WorkingDir": "/srv"}))


def left() -> list[str]:
    return [name for name in os.listdir("/var/tmp") if name.startswith("swrun-launch-")]


def launch(runtime, image, *words, **options):
    before = left()
    result = runtime.command("launch", "--name", runtime.new_id(), "--image", image, *words, **options)
    assert left() == before, "the unpacked image is left"
    return result


def test_the_program_of_the_image_runs(runtime, image):
    assert launch(runtime, image).ok().stdout == "from-image in /srv\n"


def test_flags_go_before_the_image(runtime, image):
    result = launch(runtime, image, "-e", "A=flag", "-w", "/bin", "--", "/bin/sh", "-c", "echo $A in $(/bin/busybox pwd)")
    assert result.ok().stdout == "flag in /bin\n"


def test_the_status_is_that_of_the_program(runtime, image):
    assert launch(runtime, image, "--", "/bin/sh", "-c", "exit 7").status == 7


def test_a_launch_that_is_killed_leaves_its_image_to_the_next_one(runtime, image):
    words = ["launch", "--name", runtime.new_id(), "--image", image]
    out = runtime.directory / "up"
    with open(out, "wb") as stdout:
        process = runtime.spawn(*words, "--", "/bin/sh", "-c", "echo up; exec /bin/busybox sleep 1000", stdout=stdout)
    host.wait_until(lambda: out.read_text() == "up\n", "the container runs", 60)
    before = left()
    process.kill()
    process.wait(host.timeout(10))
    assert len(before) == 1 and left() == before
    runtime.command("launch", "--name", runtime.new_id(), "--image", image).ok()
    assert not left()
    runtime.expect_nothing()


def test_an_ordinary_user_can(runtime, image, work):
    os.chmod(work, 0o755)
    (work / "state").mkdir()
    os.chown(work / "state", 23456, 23456)
    words = [runtime.program, "--root", work / "state", "launch", "-U", "--name", "rootless", "--image", image]
    result = runtime.command_words(words, user=23456, group=23456, extra_groups=[])
    assert result.ok().stdout == "from-image in /srv\n"
    assert not left()


def test_an_image_that_cannot_be_unpacked_is_told(runtime, image):
    (image / "index.json").write_text("{}")
    refused(launch(runtime, image), names=["index.json", "manifests"])


def test_a_configuration_cannot_name_an_image(runtime, image):
    refused(runtime.command("spec", "--image", image), names=["--image"])
