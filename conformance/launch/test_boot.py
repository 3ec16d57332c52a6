"""--boot: a whole system."""

import json
import os
import shutil
import subprocess

import pytest

from harness import host
from harness.errors import refused

INIT = """#!/bin/sh
trap 'echo stopping; exit 8' RTMIN+3 2>/dev/null || trap 'echo stopping; exit 8' 37
echo "pid $$ container=$container"
for place in /run /run/lock /tmp /sys/fs/cgroup; do echo >$place/probe && echo "$place" || busybox mkdir $place/probe && echo "$place dir"; done
busybox grep NoNewPrivs /proc/self/status
echo up
while :; do sleep 0.05; done
"""


@pytest.fixture
def system(bundle):
    """A root filesystem with an init, which is a script."""
    (bundle.rootfs / "sbin").mkdir()
    init = bundle.rootfs / "sbin/init"
    init.write_text(INIT)
    init.chmod(0o755)
    return bundle.rootfs


def test_an_init_finds_what_it_expects_and_is_asked_to_stop_as_it_likes(runtime, launch, system):
    """/sbin/init as process 1; empty /run and /tmp; its own cgroup can be written; SIGRTMIN+3 for a SIGTERM"""
    out = runtime.directory / "out"
    with open(out, "wb") as stdout:
        process = runtime.spawn(*launch.words("--boot", rootfs=system), stdout=stdout)
        host.wait_until(lambda: "up" in out.read_text(), "the system is up")
        process.terminate()
        assert process.wait(10) == 8
    lines = out.read_text().splitlines()
    assert lines[0] == "pid 1 container=swrun"
    assert {"/run", "/run/lock", "/tmp"} <= set(lines)
    assert "NoNewPrivs:\t0" in lines and lines[-1] == "stopping"
    assert not (system / "tmp/probe").exists() and not (system / "run/probe").exists()
    runtime.expect_nothing()


def test_cgroups_can_be_written(launch, system):
    """an init manages the cgroups below its own"""
    seen = launch("--boot", rootfs=system, command=["/bin/probe", "report"]).ok().seen
    mounts = [mount for mount in seen.mounts if mount.point.startswith("/sys/fs/cgroup")]
    assert mounts and all("rw" in mount.options for mount in mounts)


def test_the_configuration_says_so(runtime, system):
    """spec --boot"""
    runtime.command("spec", "--boot", "--bundle", runtime.directory, system).ok()
    config = json.loads((runtime.directory / "config.json").read_text())
    assert config["process"]["args"] == ["/sbin/init"]
    assert config["annotations"] == {"org.opencontainers.image.stopSignal": "SIGRTMIN+3"}


def test_run_heeds_the_stop_signal_of_an_image(runtime, bundle):
    """org.opencontainers.image.stopSignal, which tools that convert images write"""
    bundle.config["annotations"] = {"org.opencontainers.image.stopSignal": "SIGUSR1"}
    bundle.shell("trap 'exit 5' USR1; echo up; while :; do sleep 0.05; done").write()
    out = runtime.directory / "out"
    with open(out, "wb") as stdout:
        process = runtime.spawn("run", "--bundle", bundle.path, runtime.new_id(), stdout=stdout)
        host.wait_until(lambda: "up" in out.read_text(), "the container runs")
        process.terminate()
        assert process.wait(10) == 5


def test_what_cannot_boot_is_refused(launch, runtime):
    """a system needs its own pid, mount and cgroup namespaces, and root"""
    refused(launch("--boot", "-m", "-p"), names=["--boot", "--cgroup"])
    refused(launch("--boot", "--user-id", "7"), names=["--boot", "--user-id"])
    refused(launch("--boot"), names=["/sbin/init"])
    runtime.expect_nothing()


@pytest.fixture
def machine_files(runtime):
    """The machine's own files as a root filesystem; what is written to it is kept apart."""
    room = runtime.directory / "machine"
    for name in ("upper/etc/systemd/system", "work", "root"):
        (room / name).mkdir(parents=True)
    units = room / "upper/etc/systemd/system"
    for name in ("conformance-guest.service", "systemd-networkd.service"):
        (units / name).symlink_to("/dev/null")
    layers = f"lowerdir=/,upperdir={room}/upper,workdir={room}/work"
    host.command("mount", "-t", "overlay", "-o", layers, "overlay", room / "root")
    runtime.known_mounts = host.mounts_below(runtime.directory)
    yield room / "root"
    host.command("umount", room / "root")


@pytest.fixture
def machine_image(runtime, machine_files):
    """An image of the machine's own disk, without what a system can do without."""
    for name in ("usr/bin/podman", "usr/bin/containerd", "usr/share/doc", "usr/share/locale", "var/cache", "var/lib/apt",
                 "usr/sbin/runc", "usr/bin/crun", "usr/lib/modules", "boot", "root", "var/lib/containers", "usr/share/man"):
        place = machine_files / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    image = runtime.directory / "machine.raw"
    with open(image, "wb") as file:
        file.truncate(2 << 30)
    host.command("mkfs.ext4", "-q", "-F", "-d", machine_files, image)
    return image


@pytest.mark.vm
def test_a_debian_boots_and_takes_further_processes(runtime, launch, machine_files):
    """A real systemd: it makes groups in the container's own, where no process may be beside them; exec finds a place"""
    words = launch.words("--boot", "--memory", "512m", rootfs=machine_files)
    out = runtime.directory / "out"
    with open(out, "wb") as stdout:
        process = runtime.spawn(*words, stdout=stdout, stderr=stdout)
        id = runtime.ids[-1]

        def state() -> str:
            assert process.poll() is None, out.read_text(errors="replace")
            return runtime.command("exec", id, "systemctl", "is-system-running").stdout.strip()

        host.wait_until(lambda: state() in ("running", "degraded"), "the system is up", 60)
        listed = runtime.command("exec", id, "systemctl", "list-units", "--type=service", "--state=running", "--plain")
        assert {"dbus.service", "systemd-journald.service"} <= {line.split()[0] for line in listed.stdout.splitlines() if line}
        inner = runtime.command("exec", id, "/bin/ls", "/sys/fs/cgroup").ok().stdout.split()
        assert {"init.scope", "system.slice"} <= set(inner)
        limit = runtime.command("exec", id, "/bin/cat", "/sys/fs/cgroup/memory.max").ok().stdout
        assert limit == f"{512 << 20}\n"
        # In a group of the container's, whichever it is.
        place = runtime.command("exec", id, "/bin/cat", "/proc/self/cgroup").ok().stdout
        assert place.startswith("0::/") and ".." not in place
        process.terminate()
        process.wait(host.timeout(20))
    assert not os.path.ismount(machine_files / "proc")
    runtime.expect_nothing(id)


@pytest.mark.vm
def test_a_debian_boots_from_an_image_of_its_disk(runtime, machine_image):
    """launch --boot -Q: nothing of the image is changed, and nothing is left"""
    id, out = runtime.new_id(), runtime.directory / "out"
    with open(out, "wb") as stdout:
        process = runtime.spawn(
            "launch", "--name", id, "--boot", "-Q", machine_image, stdout=stdout, stderr=stdout)

        def state() -> str:
            assert process.poll() is None, out.read_text(errors="replace")
            return runtime.command("exec", id, "systemctl", "is-system-running").stdout.strip()

        host.wait_until(lambda: state() in ("running", "degraded"), "the system is up", 60)
        runtime.command("exec", id, "/bin/sh", "-c", "echo kept >/etc/changed").ok()
        process.terminate()
        process.wait(host.timeout(20))
    assert b"kept" not in subprocess.run(
        ["debugfs", "-R", "cat /etc/changed", machine_image], capture_output=True, check=False).stdout
    runtime.expect_nothing(id)
