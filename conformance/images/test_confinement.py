"""What reads an image has nothing but the image: a mistake in it is then worth little to whoever made the image."""

import gzip
import os
import re
from pathlib import Path

import pytest

from harness import host
from images.disks import MIB
from images.test_mount_mode import attached, image, mounted, set_process  # noqa: F401  fixtures

NAMESPACES = ("mnt", "pid", "net", "ipc", "uts")


def status(pid) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


@pytest.fixture
def daemon(runtime, mounted):  # noqa: F811
    """The process id of the daemon that an image in use is read through."""
    name = runtime.unique()
    runtime.command("create", "--bundle", mounted, name).ok()
    yield attached(mounted)["helper"]
    runtime.command("delete", "--force", name).ok()


def test_the_daemon_has_no_privileges(daemon):
    """No capability, none to be had by executing something, and a filter of system calls"""
    found = status(daemon)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(found[kind], 16) == 0, kind
    assert found["NoNewPrivs"] == "1" and found["Seccomp"] == "2"
    limits = Path(f"/proc/{daemon}/limits").read_text()
    assert re.search(r"Max file size +4096 +4096", limits), "it writes nothing"
    assert os.getsid(daemon) != os.getsid(0)


def test_the_daemon_reads_an_image_of_another_user(runtime, bundler, image, work):  # noqa: F811
    """With the one capability for it"""
    path = image("other.qcow2")
    path.chmod(0o600)
    os.chown(path, 1000, 1000)
    bundle = set_process(bundler(path, "--mode", "mount"), "/bin/true")
    name = runtime.unique()
    runtime.command("create", "--bundle", bundle, name).ok()
    assert int(status(attached(bundle)["helper"])["CapPrm"], 16) == 1 << 1, "DAC_OVERRIDE"
    runtime.command("delete", "--force", name).ok()


def test_the_daemon_sees_its_program_and_the_image(daemon):
    for kind in NAMESPACES:
        assert os.readlink(f"/proc/{daemon}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}"), kind
    root = Path(f"/proc/{daemon}/root")
    assert set(os.listdir(root)) <= {"image0", "ready", "dev", "etc", "lib", "lib64", "usr"}
    assert set(os.listdir(root / "etc")) <= {"ld.so.cache"}
    assert set(os.listdir(root / "usr")) <= {"bin", "lib", "lib64", "libexec"}
    assert os.listdir(root / "usr/bin") == ["qemu-storage-daemon"]
    for line in Path(f"/proc/{daemon}/mountinfo").read_text().splitlines():
        point, options = line.split()[4:6]
        assert point == "/" or "ro" in options.split(","), line
    devices = Path(f"/proc/{daemon}/net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in devices] == ["lo"]


def test_the_daemon_has_no_file_of_the_caller(daemon):
    for link in Path(f"/proc/{daemon}/fd").iterdir():
        target = os.readlink(link)
        assert Path(target).name in ("image0", "null", "fuse", "ready") or re.match(r"(pipe|socket|anon_inode):", target), target


def test_what_decompresses_has_its_streams_and_nothing_else(runtime, work):
    """A process of its own, which may read, write, get memory and end"""
    (work / "zeros.tar.gz").write_bytes(400 * gzip.compress(bytes(10 * MIB)))
    process = runtime.spawn("bundle", work / "zeros.tar.gz", "-o", work / "bundle")

    found = []

    def looked():
        """The archive is looked into by one such process, and unpacked by another"""
        try:
            for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                files = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
                if status(pid)["Seccomp"] == "2":
                    found.append(files)
        except OSError:
            pass  # it has ended
        return found

    host.wait_until(looked, "no process decompresses with a filter")
    process.kill()
    process.wait()
    assert sorted(name.split(":")[0] for name in found[0]) == [str(work / "zeros.tar.gz"), "pipe", "pipe"]
    runtime.command("bundle", "--gc").ok()
