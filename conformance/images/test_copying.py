"""Several processes copy a tree: what comes of it, and what is left when one of them ends."""

import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from harness import host
from images import disks, trees
from images.disks import MIB


def programs(root: Path) -> None:
    """Files that are large enough to be filled by another process, with all that a file can have, among small ones."""
    for number in range(200):
        directory = root / f"opt/{number % 7}"
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / str(number)
        file.write_bytes(os.urandom(20_000 + number * 1000))
        os.chown(file, number % 3, number % 5 * 100_000)
        file.chmod((0o644, 0o4755, 0o2711, 0o400, 0, 0o1777)[number % 6])
        if number % 4 == 0:
            host.command("setcap", "cap_net_raw+ep", file)
        if number % 5 == 0:
            host.command("setfacl", "-m", "u:1234:rw,g:4321:r", file)
            os.setxattr(file, "user.comment", os.urandom(100))
        if number % 9 == 0:
            os.link(file, directory / f"{number}-again")
        (directory / f"{number}-small").write_bytes(b"x" * number)
        os.utime(file, ns=(946684799_123456789 + number, 946684799_000000001 + number))


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "directory"])
def test_large_files_keep_what_small_ones_keep(bundler, work, samples, kind):
    image = work / "source"
    if kind == "directory":
        image.mkdir()
        trees.system(image, samples.busybox)
        programs(image)
        want = trees.manifest(image)
    else:
        disks.blank(image, 256 * MIB)
        disks.make(image, kind)
        with disks.mounted(image) as root:
            trees.system(root, samples.busybox)
            programs(root)
            want = trees.manifest(root)
    assert trees.differences(want, trees.manifest(bundler(image) / "rootfs")) == []


def test_a_bundle_has_nothing_of_the_directory_above_it(runtime, work, samples):
    """A group and an access list that a directory hands down are not the image's"""
    source, above = work / "source", work / "above"
    source.mkdir()
    above.mkdir()
    trees.system(source, samples.busybox)
    programs(source)
    os.chown(above, 0, 4242)
    above.chmod(0o2755)
    host.command("setfacl", "-d", "-m", "u:1234:rwx,g::---,m::r", above)
    runtime.command("bundle", source, "-o", above / "bundle").ok()
    assert trees.differences(trees.manifest(source), trees.manifest(above / "bundle/rootfs")) == []


@pytest.fixture
def copying(runtime, work, samples):
    """A command that is about to copy a file of 512 MiB, and the process that fills it, which is held."""
    source = work / "source"
    source.mkdir()
    trees.system(source, samples.busybox)
    with open(source / "srv/large", "wb") as file:
        for _ in range(32):
            file.write(os.urandom(1 << 20) * 16)
    process = runtime.spawn("bundle", source, "-o", work / "stopped", stderr=subprocess.PIPE, text=True)
    found = []

    def other():
        found.extend(child for child in children(process) if has_open(child, source / "srv/large"))
        return found
    host.wait_until(other, "no other process copies")
    os.kill(found[0], signal.SIGSTOP)
    yield process, found[0]
    process.kill()
    process.wait()


def children(process):
    return list(map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()))


def has_open(process: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return any(file.is_symlink() and os.readlink(file) == str(path) for file in Path(f"/proc/{process}/fd").iterdir())
    return False


def test_nothing_depends_on_who_helps(copying, work):
    """Looking ahead and writing to the disk are done by processes that may be gone at any time"""
    process, other = copying
    helpers = [child for child in children(process) if child != other]
    assert helpers
    for helper in helpers:
        os.kill(helper, signal.SIGKILL)
    os.kill(other, signal.SIGCONT)
    _, printed = process.communicate(timeout=host.timeout(60))
    assert process.returncode == 0, printed
    assert trees.differences(trees.manifest(work / "source"), trees.manifest(work / "stopped/rootfs")) == []


@pytest.mark.parametrize("mebibytes, is_written", [(1, False), (256, True)])
def test_what_is_much_is_written_to_the_disk_meanwhile(runtime, work, samples, mebibytes, is_written):
    source, trace = work / "source", work / "trace"
    source.mkdir()
    trees.system(source, samples.busybox)
    piece = os.urandom(MIB)
    with open(source / "srv/large", "wb") as file:
        for _ in range(mebibytes):
            file.write(piece)
    words = runtime.words("bundle", source, "-o", work / "traced")
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    runtime.command_words(
        ["strace", "-f", "-o", trace, "-e", "trace=syncfs,pwrite64", "-e", "inject=pwrite64:delay_enter=1000", *words]).ok()
    assert ("syncfs" in trace.read_text()) is is_written


@pytest.mark.parametrize("files", [1, 40])
def test_no_more_is_read_ahead_than_memory_has_room_for(runtime, work, samples, files):
    """Of the image's own file, as long as the copying is slow; in MiB"""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    image, trace = disks.blank(work / "x.raw", 512 * MIB), work / "trace"
    disks.make(image, "ext4")
    with disks.mounted(image) as root:
        trees.system(root, samples.busybox)
        for number in range(files):
            (root / f"srv/{number}").write_bytes(os.urandom(400 // files * MIB))
    runtime.command_words(
        ["strace", "-f", "-s", "0", "-o", trace, "-e", "trace=fadvise64,pwrite64", "-e", "inject=pwrite64:delay_enter=2000",
         *runtime.words("bundle", image, "-o", work / "traced")], seconds=60).ok()
    written, most, asked = 0, 0, {}
    for place, size, count in re.findall(r'(?:fadvise64\(\d+, (\d+), (\d+), POSIX_FADV_WILLNEED|pwrite64\(\d+, "".*?, (\d+),)', trace.read_text()):
        if count:
            written += int(count)
        else:
            asked[place] = int(size)
        most = max(most, sum(asked.values()) - written)
    assert written >= 400 * MIB and sum(asked.values()) >= 400 * MIB
    assert (32 if files == 1 else 100) * MIB <= most <= (64 if files == 1 else 180) * MIB


def test_a_process_that_is_killed_fails_the_command(copying, work):
    process, other = copying
    os.kill(other, signal.SIGKILL)
    _, printed = process.communicate(timeout=host.timeout(10))
    assert process.returncode == 1
    assert "the process that copies was ended by" in printed.splitlines()[-1]
    assert not list(work.glob("stopped*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_interrupted_ends_its_processes(copying, work, number):
    process, other = copying
    process.send_signal(number)
    _, printed = process.communicate(timeout=host.timeout(10))
    assert process.returncode == 128 + number and f"interrupted by signal {int(number)}" in printed
    assert not list(work.glob("stopped*"))
    assert not Path(f"/proc/{other}").exists()


def test_a_process_ends_with_a_command_that_is_killed(copying):
    process, other = copying
    process.kill()
    process.wait()
    with suppress(ProcessLookupError):
        os.kill(other, signal.SIGCONT)
    host.wait_until(lambda: not Path(f"/proc/{other}").exists(), "a process goes on")


def test_what_several_processes_write_is_limited_together(bundler, work, samples):
    source = work / "source"
    source.mkdir()
    trees.system(source, samples.busybox)
    for number in range(40):
        (source / f"srv/{number}").write_bytes(os.urandom(15_000 if number % 2 else MIB))
    said = bundler.refused(source, "--max-size", "20M")
    assert "unpacks to more than 20971520 bytes" in said
