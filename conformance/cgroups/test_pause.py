"""pause and resume (the command line contract): every process of a container is held, and goes on."""

import time

import pytest

from harness import host, refused


@pytest.fixture
def counting(runtime, bundle, every_layout):
    """A container whose two processes count up."""
    bundle.shell("(while :; do echo >> /two; done) & while :; do echo >> /one; done")
    container = runtime.start(bundle)
    files = [bundle.rootfs / "one", bundle.rootfs / "two"]
    host.wait_until(lambda: all(file.exists() for file in files), "both processes count")
    return container, files


def _sizes(files) -> list[int]:
    return [file.stat().st_size for file in files]


def _stands_still(files) -> bool:
    before = _sizes(files)
    time.sleep(0.1)
    return _sizes(files) == before


def test_a_paused_container_does_nothing_until_it_is_resumed(runtime, counting):
    """pause holds every process when it returns; state and list say so"""
    container, files = counting
    runtime.command("pause", container.id).ok()
    assert _stands_still(files)
    assert container.status == "paused"
    assert "paused" in runtime.command("list").ok().stdout
    runtime.command("resume", container.id).ok()
    before = _sizes(files)
    host.wait_until(lambda: all(a > b for a, b in zip(_sizes(files), before)), "both processes go on")
    assert container.status == "running"


def test_only_a_container_that_runs_can_be_paused(runtime, counting):
    """The words that engines match"""
    container, _ = counting
    refused(runtime.command("resume", container.id), names=["container not paused"])
    runtime.command("pause", container.id).ok()
    refused(runtime.command("pause", container.id), names=["container not running"])
    container.kill("KILL").ok()
    runtime.command("resume", container.id)
    container.wait()
    refused(runtime.command("pause", container.id), names=["container not running"])
    refused(runtime.command("resume", container.id), names=["container not paused"])
    for command in ("pause", "resume"):
        refused(runtime.command(command, "nosuch"), names=["container does not exist"])


def test_a_paused_container_can_be_killed(runtime, counting):
    """A signal that ends a process ends one that is held too"""
    container, _ = counting
    runtime.command("pause", container.id).ok()
    container.kill("KILL").ok()
    container.wait().delete().ok()
    runtime.expect_nothing()


@pytest.mark.parametrize("below", [False, True], ids=["whole", "a part of it"])
def test_a_paused_container_is_deleted_by_force(runtime, counting, below):
    """delete --force: processes that are held, or that the container itself has put on hold"""
    container, _ = counting
    part = _freeze_a_part(container) if below else None
    if not below:
        runtime.command("pause", container.id).ok()
    try:
        container.delete("--force").ok()
        runtime.expect_nothing()
    finally:
        # Nothing else could end what is held there.
        if part and (part / "freezer.state").exists():
            (part / "freezer.state").write_text("THAWED")


def _freeze_a_part(container):
    """Puts the second process into a frozen group below the container's, which is returned."""
    pids = container.runtime.command("ps", "--format", "json", container.id).ok().json
    child = next(pid for pid in pids if pid != container.pid)
    groups = host.cgroups_named(container.bundle.name)
    freezers = [(group, "freezer.state", "FROZEN") for group in groups if (group / "freezer.state").exists()]
    freezers += [(group, "cgroup.freeze", "1") for group in groups if (group / "cgroup.freeze").exists()]
    group, file, text = freezers[0]
    part = group / "part"
    part.mkdir()
    (part / "cgroup.procs").write_text(str(child))
    (part / file).write_text(text)
    return part


def test_delete_without_force_leaves_a_paused_container_alone(runtime, counting):
    """runtime.md, Delete: only of a stopped container"""
    container, _ = counting
    runtime.command("pause", container.id).ok()
    refused(container.delete(), names=[container.id, "paused"])
    assert container.status == "paused"


def test_a_signal_waits_for_the_end_of_the_pause(runtime, bundle, every_layout):
    """kill of a paused container is no error"""
    container = runtime.start(bundle.shell(
        "trap 'echo caught' USR1; echo ready; while :; do sleep 0.01; done"))
    host.wait_until(lambda: "ready" in container.text, "the shell is ready")
    runtime.command("pause", container.id).ok()
    container.kill("USR1").ok()
    time.sleep(0.1)
    assert "caught" not in container.text
    runtime.command("resume", container.id).ok()
    host.wait_until(lambda: "caught" in container.text, "the signal arrives")


def test_a_container_that_was_paused_before_its_start_waits(runtime, bundle, every_layout):
    """A created container can be paused; it is started when it was resumed"""
    container = runtime.create(bundle.args("/bin/true"))
    runtime.command("pause", container.id).ok()
    assert container.status == "paused"
    refused(container.start(), names=["paused"])
    runtime.command("resume", container.id).ok()
    assert container.status == "created"
    container.start().ok()
    container.wait()
