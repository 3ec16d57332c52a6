"""A command that is killed before any of its system calls leaves nothing that cannot be found and cleared."""

import re
import shutil

import pytest

from harness import host

# Calls that change something, or wait for somebody: between two of them there is nothing that a kill could break.
CHANGES = (
    "bpf clone3 execveat fchownat fsconfig linkat mkdirat mknodat mount_setattr move_mount open_tree openat poll "
    "pidfd_send_signal recvmsg renameat renameat2 rmdir sendmsg sendto setxattr symlinkat unlinkat wait4 waitid write"
).split()
PARTS = 4


def _points(text: str) -> list[tuple[str, int]]:
    """The changing calls of a trace: the name, and which of that name it is."""
    points, counts = [], {}
    for line in text.splitlines():
        match = re.match(r"(\w+)\((.*)", line)
        if match:
            name, arguments = match.groups()
            counts[name] = counts.get(name, 0) + 1
            is_reading = name == "openat" and not re.search(r"O_CREAT|O_WRONLY|O_RDWR", arguments)
            if name in CHANGES and not is_reading:
                points.append((name, counts[name]))
    return points


@pytest.fixture
def strace(runtime):
    if runtime.name != "swrun":
        pytest.skip("the system calls of a runtime with many threads have no order")
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")

    def strace(*words, point=None, stdout=None):
        """Runs a command of the runtime, up to a point if one is given; gives the trace."""
        log = runtime.directory / "trace"
        log.unlink(missing_ok=True)
        inject = ["-e", f"inject={point[0]}:signal=KILL:when={point[1]}"] if point else []
        runtime.command_words(["strace", "-o", log, *inject, *runtime.words(*words)], stdout=stdout)
        return log.read_text(errors="replace")

    return strace


@pytest.mark.parametrize("part", range(PARTS))
def test_a_create_that_was_killed_is_cleared(runtime, bundle, strace, part):
    """runtime.md, Errors: by delete --force, and by the next create of that id"""
    bundle.linux["resources"] = {"pids": {"limit": 50}, "devices": [{"allow": False, "access": "rwm"}]}
    bundle.probe("hold").write()
    id = runtime.new_id()
    points = _points(strace("create", "--bundle", bundle.path, id, stdout=runtime.directory / "out"))
    runtime.command("delete", "--force", id).ok()
    assert len(points) > 30, points
    for number, point in list(enumerate(points))[part::PARTS]:
        trace = strace("create", "--bundle", bundle.path, id, point=point, stdout=runtime.directory / "out")
        assert "killed by SIGKILL" in trace or number == len(points) - 1, f"{point} was not reached: {trace[-500:]}"
        if number // PARTS % 2:
            created = runtime.command("create", "--bundle", bundle.path, id, stdout=runtime.directory / "out")
            # A create that was killed when all was done has made a container.
            assert created.status == 0 or "already exists" in created.stderr, f"after {point}: {created}"
            started = runtime.command("start", id)
            assert started.status == 0, f"after {point}: {created} {started}"
        deleted = runtime.command("delete", "--force", id)
        assert deleted.status == 0 and deleted.stderr == "", f"after {point}: {deleted}"
        left = runtime.leftovers()
        assert not left, f"after {point}: {left}"
    runtime.expect_nothing()


@pytest.mark.parametrize("part", range(2))
def test_a_delete_that_was_killed_is_completed_by_another(runtime, bundle, strace, part):
    """delete --force, killed and called again"""
    bundle.probe("hold").write()
    id = runtime.new_id()

    def start():
        runtime.command("create", "--bundle", bundle.path, id, stdout=runtime.directory / "out").ok()
        runtime.command("start", id).ok()

    start()
    points = _points(strace("delete", "--force", id))
    assert len(points) > 5, points
    for point in points[part::2]:
        start()
        strace("delete", "--force", id, point=point)
        deleted = runtime.command("delete", "--force", id)
        assert deleted.status == 0 and deleted.stderr == "", f"after {point}: {deleted}"
        left = runtime.leftovers()
        assert not left, f"after {point}: {left}"
    runtime.expect_nothing()
    assert host.cgroups_named(bundle.name) == []
