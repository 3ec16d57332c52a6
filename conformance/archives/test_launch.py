"""`launch --image`: a container of an image, in one command."""

import os

import pytest

from harness import host
from harness.booting import INIT, booted
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


@pytest.fixture
def settled(work):
    """An image with more to say: a user, a place for data, a signal."""
    with open(os.environ["CONFORMANCE_BUSYBOX"], "rb") as file:
        busybox = file.read()
    layout = a.Layout(work / "settled")
    return layout.write(layout.image(
        a.tar(a.directory("bin"), a.member("bin/busybox", data=busybox, mode=0o755), a.symlink("bin/sh", "busybox"),
              a.directory("etc"), a.member("etc/passwd", data=b"root:x:0:0::/:/bin/sh\nbob:x:7:8::/home:/bin/sh\n"),
              a.directory("data", uid=7, gid=8), a.member("data/there", data=b"of the image\n", uid=7), a.directory("proc")),
        config={"User": "bob", "Volumes": {"/data": {}}, "WorkingDir": "/data", "StopSignal": "SIGUSR1"}))


def test_the_program_runs_as_the_user_of_the_image(runtime, settled):
    assert launch(runtime, settled, "-C", "/bin/busybox id -u").ok().stdout == "7\n"


def test_a_user_namespace_has_the_users_of_the_image(runtime, settled):
    """-U as root"""
    script = "/bin/busybox id -u; /bin/busybox stat -c %u:%g /data /etc; echo x >/data/new && /bin/busybox readlink /proc/self/ns/user"
    *lines, namespace = launch(runtime, settled, "-U", "--", "/bin/sh", "-c", script).ok().stdout.splitlines()
    assert lines == ["7", "7:8", "0:0"] and namespace != os.readlink("/proc/self/ns/user")


def test_flags_may_ask_for_root_and_the_top_directory(runtime, settled):
    """Though these are what there is without flags and image"""
    result = launch(runtime, settled, "--user-id", "0", "-w", "/", "-C", "/bin/sh -c '/bin/busybox id -u; /bin/busybox pwd'")
    assert result.ok().stdout == "0\n/\n"


def test_places_for_data_can_be_written(runtime, settled):
    """conversion.md, Config.Volumes: with what the image has there, also where the root filesystem cannot be written"""
    script = "/bin/busybox cat there && echo x > /data/new && ! echo x 2>/dev/null > /new && /bin/busybox cat new"
    assert launch(runtime, settled, "--read-only", "--", "/bin/sh", "-c", script).ok().stdout == "of the image\nx\n"


def test_a_directory_of_the_host_goes_before_a_place_of_the_image(runtime, settled, work):
    (work / "mine").mkdir()
    (work / "mine/there").write_text("mine\n")
    assert launch(runtime, settled, "-v", f"{work}/mine:/data", "-C", "/bin/busybox cat there").ok().stdout == "mine\n"


def test_the_program_is_asked_to_stop_as_the_image_says(runtime, settled):
    """org.opencontainers.image.stopSignal"""
    out = runtime.directory / "out"
    with open(out, "wb") as stdout:
        process = runtime.spawn(
            "launch", "--name", runtime.new_id(), "--image", settled, "--", "/bin/sh", "-c",
            "trap 'echo asked; exit 3' USR1; echo up; while :; do /bin/busybox sleep 0.05; done", stdout=stdout)
    host.wait_until(lambda: out.read_text() == "up\n", "the container runs", 60)
    process.terminate()
    assert process.wait(host.timeout(10)) == 3 and out.read_text() == "up\nasked\n"


def test_a_system_of_an_image_boots(runtime, work):
    """--boot: its init as root and process 1, whatever program, user and signal the image is for otherwise"""
    with open(os.environ["CONFORMANCE_BUSYBOX"], "rb") as file:
        busybox = file.read()
    layout = a.Layout(work / "system")
    system = layout.write(layout.image(
        a.tar(a.directory("bin"), a.member("bin/busybox", data=busybox, mode=0o755), a.symlink("bin/sh", "busybox"),
              a.directory("sbin"), a.member("sbin/init", data=INIT.encode(), mode=0o755), a.directory("etc"),
              a.member("etc/passwd", data=b"root:x:0:0::/:/bin/sh\nbob:x:7:8::/home:/bin/sh\n"),
              *(a.directory(name) for name in ("proc", "run", "tmp", "sys"))),
        config={"User": "bob", "Cmd": ["/bin/busybox", "true"], "StopSignal": "SIGUSR1", "Env": ["A=from-image"]}))
    before = left()
    assert booted(runtime, "--image", system) == "pid 1 user 0 container=swrun A=from-image"
    assert left() == before


def test_the_status_is_that_of_the_program(runtime, image):
    assert launch(runtime, image, "--", "/bin/sh", "-c", "exit 7").status == 7


@pytest.mark.parametrize("who", ["launch", "gc"])
def test_a_launch_that_is_killed_leaves_its_image_to_the_next_one(runtime, image, who):
    """or to bundle --gc"""
    id, others = runtime.new_id(), left()
    words = ["launch", "--name", id, "--image", image]
    out = runtime.directory / "up"
    with open(out, "wb") as stdout:
        process = runtime.spawn(*words, "--", "/bin/sh", "-c", "echo up; exec /bin/busybox sleep 1000", stdout=stdout)
    host.wait_until(lambda: out.read_text() == "up\n", "the container runs", 60)
    (place,) = set(left()) - set(others)
    process.kill()
    process.wait(host.timeout(10))
    assert place in left()
    if who == "launch":
        runtime.command("launch", "--name", runtime.new_id(), "--image", image).ok()
    else:
        cleared = runtime.command("bundle", "--gc").ok().stdout.splitlines()
        assert cleared == [f"removed the container {id}, whose launch was killed",
                           f"removed the temporary directory /var/tmp/{place}"]
    assert left() == others
    runtime.expect_nothing()


def test_an_ordinary_user_can(runtime, image, work):
    os.chmod(work, 0o755)
    (work / "state").mkdir()
    os.chown(work / "state", 23456, 23456)
    before = left()
    words = [runtime.program, "--root", work / "state", "launch", "-U", "--name", "rootless", "--image", image]
    result = runtime.command_words(words, user=23456, group=23456, extra_groups=[])
    assert result.ok().stdout == "from-image in /srv\n"
    assert left() == before


def test_an_image_that_cannot_be_unpacked_is_told(runtime, image):
    (image / "index.json").write_text("{}")
    refused(launch(runtime, image), names=["index.json", "manifests"])


def test_a_configuration_cannot_name_an_image(runtime, image):
    refused(runtime.command("spec", "--image", image), names=["--image"])
