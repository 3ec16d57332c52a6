"""No descriptor of the host is there to be used by names of the image (CVE-2024-21626).

While the runtime sets up a container it has directories of the host open. A working directory, a program, a hook or
/etc/passwd of an image may be a link to /proc/self/fd/N, and lead through it to the host."""

import os
import stat
from pathlib import Path

import pytest

from harness import host, one_error

NUMBERS = range(3, 65)


def _ways_up(number: int, target: Path, runtime) -> list[str]:
    """To a file of the host: from the state directory of a container, and from a directory of whatever depth."""
    relative = os.path.relpath(target, runtime.root / "id")
    return [f"/proc/self/fd/{number}/{relative}", f"/proc/self/fd/{number}/" + "../" * 20 + str(target).lstrip("/")]


@pytest.fixture
def trap(runtime, bundle, canary):
    """A program of the host that says so, and links to it in the image through every descriptor: /l1, /l2, ..."""

    def make(target: Path) -> list[str]:
        names = []
        for number in range(3, 33):
            for way in _ways_up(number, target, runtime):
                names.append(f"/l{len(names)}")
                (bundle.rootfs / names[-1][1:]).symlink_to(way)
        return names

    return make


@pytest.mark.parametrize("way", ["directly", "through a link"])
def test_the_working_directory_cannot_be_a_descriptor_of_the_runtime(runtime, bundle, way):
    """cwd /proc/self/fd/N: an error, or a directory of the container"""
    for number in NUMBERS:
        path = f"/proc/self/fd/{number}"
        if way == "through a link":
            (bundle.rootfs / "work").unlink(missing_ok=True)
            (bundle.rootfs / "work").symlink_to(path)
            path = "/work"
        bundle.process["cwd"] = path
        result = runtime.run(bundle.probe("report", ["stat", "."], ["list", "."]))
        if result.status == 0:
            assert result.seen.report["cwd"] != "(unreachable)", path
            assert "unreachable" not in result.seen.report["cwd"], path
            assert Path(result.seen.report["cwd"]).is_absolute(), path


def test_the_working_directory_cannot_be_above_a_descriptor_of_the_runtime(runtime, bundle, canary):
    """cwd /proc/self/fd/N/../..: never a directory of the host"""
    for number in range(3, 33):
        for way in _ways_up(number, canary.path, runtime):
            bundle.process["cwd"] = way
            result = runtime.run(bundle.probe(["read", "content"]))
            assert "of the host" not in result.stdout, way
    canary.check()


@pytest.mark.parametrize("how", ["run", "create"])
def test_the_program_cannot_be_found_through_a_descriptor_of_the_runtime(runtime, bundle, canary, trap, how):
    """the way to the program, which the kernel follows while descriptors that are closed on execve are still open"""
    for name in trap(canary.path / "program"):
        bundle.args(name, "say", "escaped", ":", "say", "twice")
        if how == "run":
            result = runtime.run(bundle)
            printed = result.stdout
        else:
            container = runtime.try_create(bundle)
            result = container.created
            if result.status == 0:
                result = container.start()
                host.wait_until(lambda: "twice" in container.text or result.status != 0, "the program runs")
            container.delete("--force")
            printed = container.text
        assert "escaped" not in printed, f"{os.readlink(bundle.rootfs / name[1:])}, of the host, ran in the container"
        one_error(result)
    canary.check()


def test_the_home_directory_is_not_looked_up_through_a_descriptor_of_the_runtime(runtime, bundle, canary, trap):
    """/etc/passwd of the image, a link to a file of the host"""
    (canary.path / "passwd").write_text("root:x:0:0::/home/of-the-host:/bin/sh\n")
    canary.renew()
    names = trap(canary.path / "passwd")
    bundle.process["env"] = ["PATH=/bin"]
    passwd = bundle.rootfs / "etc/passwd"
    for name in names:
        passwd.unlink()
        passwd.symlink_to(os.readlink(bundle.rootfs / name[1:]))
        result = runtime.run(bundle.probe("report"))
        assert "of-the-host" not in result.stdout, os.readlink(passwd)
    canary.check()


def test_a_hook_in_the_container_is_not_found_through_a_descriptor_of_the_runtime(runtime, bundle, canary, trap):
    """startContainer hooks are found in the container"""
    for name in trap(canary.path / "program"):
        bundle.config["hooks"] = {}
        bundle.hook("startContainer", "say", path=name)
        runtime.run(bundle.probe("say"))
        assert not bundle.seen().all("say"), f"{os.readlink(bundle.rootfs / name[1:])} is the host's"
    canary.check()


def _outside(pid: int) -> list[str]:
    """Descriptors of a process that are directories, and not of its own root filesystem."""
    own = {line.split()[0] for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()}
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if not stat.S_ISDIR(entry.stat().st_mode):
                continue
            info = Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text()
        except FileNotFoundError:
            continue
        mount = next(line.split()[1] for line in info.splitlines() if line.startswith("mnt_id:"))
        if mount not in own:
            found.append(f"{entry.name} -> {os.readlink(entry)}")
    return found


@pytest.mark.parametrize("user_namespace", [False, True])
def test_a_created_container_holds_no_directory_of_the_host(runtime, bundle, user_namespace):
    """/proc/PID/fd of a container that waits to be started: what a neighbour with CAP_SYS_PTRACE could walk through"""
    if user_namespace:
        bundle.user_namespace()
    bundle.mount("/mnt", runtime.directory, "bind", ["rbind", "ro"])
    container = runtime.create(bundle)
    host.wait_until(lambda: container.status == "created", "it is created")
    assert not _outside(container.pid)
    root, own = os.stat(f"/proc/{container.pid}/root"), os.stat("/")
    assert (root.st_dev, root.st_ino) != (own.st_dev, own.st_ino)


def test_a_started_container_holds_standard_streams_only(runtime, bundle):
    """/proc/PID/fd of a container whose program runs, started by `start` and by `run`"""
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    assert sorted(os.listdir(f"/proc/{container.pid}/fd")) == ["0", "1", "2"]
