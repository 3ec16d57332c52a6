"""A command that is killed before any of its system calls leaves nothing that cannot be found and cleared."""

import pytest

from harness import host
from harness.killing import Strace, points

PARTS = 4


@pytest.fixture
def strace(runtime):
    return Strace(runtime)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_create_that_was_killed_is_cleared(runtime, bundle, strace, part):
    """runtime.md, Errors: by delete --force, and by the next create of that id"""
    bundle.linux["resources"] = {"pids": {"limit": 50}, "devices": [{"allow": False, "access": "rwm"}]}
    bundle.probe("hold").write()
    id = runtime.new_id()
    found = points(strace("create", "--bundle", bundle.path, id, stdout=runtime.directory / "out"))
    runtime.command("delete", "--force", id).ok()
    assert len(found) > 30, found
    for number, point in list(enumerate(found))[part::PARTS]:
        trace = strace("create", "--bundle", bundle.path, id, point=point, stdout=runtime.directory / "out")
        assert "killed by SIGKILL" in trace or number == len(found) - 1, f"{point} was not reached: {trace[-500:]}"
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
    found = points(strace("delete", "--force", id))
    assert len(found) > 5, found
    for point in found[part::2]:
        start()
        strace("delete", "--force", id, point=point)
        deleted = runtime.command("delete", "--force", id)
        assert deleted.status == 0 and deleted.stderr == "", f"after {point}: {deleted}"
        left = runtime.leftovers()
        assert not left, f"after {point}: {left}"
    runtime.expect_nothing()
    assert host.cgroups_named(bundle.name) == []
