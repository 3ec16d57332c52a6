"""The runtime's own files on the host: its state, the pid file, the log."""

import json
import os
import stat
import time
from pathlib import Path

import pytest

from harness import host


def _user(uid, *words):
    return host.command("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--", *words, check=False)


def _modes(top: Path) -> dict[str, int]:
    return {str(path.relative_to(top)): stat.S_IMODE(path.lstat().st_mode) for path in [top, *top.rglob("*")]}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_nobody_else_may_read_or_write_the_state(runtime, bundle, mask):
    """config.json has secrets in its environment, and `delete` believes what the state says; also with a umask of 0"""
    state = runtime.directory / "new/state"
    runtime.root, before = state, runtime.root
    old = os.umask(mask)
    try:
        container = runtime.create(bundle)
    finally:
        os.umask(old)
    try:
        modes = _modes(state)
        assert modes["."] & 0o022 == 0 and _modes(state.parent)["."] & 0o022 == 0
        if modes["."] & 0o011:  # others can get to what is below
            for name, mode in modes.items():
                assert mode & 0o022 == 0, f"{name} may be written by others: {mode:o}"
                assert mode & 0o044 == 0 or (state / name).is_dir(), f"{name} may be read by others: {mode:o}"
    finally:
        container.delete("--force")
        runtime.root = before


def test_the_fifo_that_starts_a_container_is_the_owners(runtime, bundle):
    """whoever may open it could start the container"""
    container = runtime.create(bundle.probe("hold"))
    for path in (runtime.root / container.id).iterdir():
        if stat.S_ISFIFO(path.stat().st_mode):
            assert "denied" in _user(12345, "timeout", "1", "cat", path).lower()
    assert container.status == "created"


@pytest.fixture
def common_root(runtime):
    """A state directory that everybody may write, as /tmp."""
    root = runtime.directory / "common"
    root.mkdir()
    root.chmod(0o1777)
    before, runtime.root = runtime.root, root
    yield root
    runtime.root = before


FORGED_ID = "forged"


def _forge(root: Path, runtime, pid: int, cgroup: str, owner=12345) -> Path:
    """What another user would put there: a state of a container that is somebody's process, and somebody's cgroup."""
    directory = root / FORGED_ID
    directory.mkdir()
    start = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    record = {
        "id": FORGED_ID, "bundle": str(runtime.directory), "rootfs": str(runtime.directory), "created": "2026-01-01T00:00:00Z",
        "ownerID": 0, "pid": pid, "processStartTime": start, "annotations": {},
        "cgroup": {"driver": "cgroupfs", "directories": [f"3::{cgroup}"]},
        "hasPoststartHooks": False, "hasPoststopHooks": True, "hasProcess": True,
    }
    mark = runtime.directory / "hook-ran"
    config = {
        "ociVersion": "1.0.2", "root": {"path": "rootfs"}, "linux": {},
        "hooks": {"poststop": [{"path": "/bin/touch", "args": ["touch", str(mark)]}]}}
    (directory / "state.json").write_text(json.dumps(record))
    (directory / "config.json").write_text(json.dumps(config))
    for path in [directory, *directory.iterdir()]:
        os.chown(path, owner, owner)
    return mark


@pytest.mark.parametrize("command", ["kill ID KILL", "delete ID", "delete --force ID", "state ID", "create ID"])
def test_a_state_that_another_user_made_is_not_believed(runtime, bundle, canary, common_root, command):
    """a forged state would make root kill, remove, and execute hooks for whoever wrote it"""
    if runtime.name != "swrun":
        pytest.skip("the state of another runtime has another form")
    victim = runtime.spawn_words(["sleep", "100"])
    (canary.path / "group").mkdir()
    (canary.path / "group/cgroup.procs").write_text(f"{victim.pid}\n")
    canary.renew()
    mark = _forge(common_root, runtime, victim.pid, str(canary.path / "group"))
    bundle.write()
    words = command.replace("ID", FORGED_ID).split()
    if words[0] == "create":
        words[1:1] = ["--bundle", str(bundle.path)]
    runtime.command(*words)
    time.sleep(0.05)
    assert victim.poll() is None, "a process of the host was killed"
    assert not mark.exists(), "a hook that another user wrote was executed by root"
    canary.check()


@pytest.mark.parametrize("kind", ["link", "file", "fifo"])
@pytest.mark.parametrize("command", ["create", "delete --force", "state"])
def test_a_name_in_a_common_state_directory_that_is_taken_leads_nowhere(
        runtime, bundle, canary, common_root, kind, command):
    """another user was there first, with a link to a directory of root's"""
    place = common_root / "taken"
    if kind == "link":
        place.symlink_to(canary.path)
    elif kind == "fifo":
        os.mkfifo(place)
    else:
        place.write_text("")
    os.chown(place, 12345, 12345, follow_symlinks=False)
    words = command.split() + (["--bundle", str(bundle.write())] if command == "create" else []) + ["taken"]
    assert runtime.command(*words, seconds=10).status != 0 or command.startswith("delete")
    canary.check()


def test_leftovers_in_a_state_directory_that_are_links_are_not_followed(runtime, bundle, canary):
    """`delete` removes what is in the state directory, and nothing that a link in it leads to"""
    container = runtime.create(bundle)
    (runtime.root / container.id / "link").symlink_to(canary.path)
    container.delete("--force").ok()
    canary.check()
    assert not (runtime.root / container.id).exists()


def test_a_pid_file_is_written_by_rename(runtime, bundle, canary):
    """the name may be a link that somebody put there: it is replaced, and what it leads to stays"""
    place = runtime.directory / "pids"
    place.mkdir()
    (place / "pid").symlink_to(canary.path / "content")
    container = runtime.create(bundle, "--pid-file", place / "pid")
    canary.check()
    assert (place / "pid").read_text().strip() == str(container.pid)
    assert [path.name for path in place.iterdir()] == ["pid"]


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo"])
def test_a_pid_file_is_not_written_through_what_another_user_prepared(runtime, bundle, canary, kind):
    """the temporary name can be guessed: .pid.PID in swrun"""
    if runtime.name != "swrun":
        pytest.skip("the temporary name of another runtime is another")
    place = runtime.directory / "pids"
    place.mkdir()
    probe = runtime.spawn_words(["true"])
    probe.wait(5)
    for pid in range(probe.pid, probe.pid + 60):
        name = place / f".pid.{pid}"
        if kind == "link":
            name.symlink_to(canary.path / "content")
        elif kind == "fifo":
            os.mkfifo(name)
        else:
            os.link(canary.path / "content", name)
    canary.renew()
    runtime.command("create", "--bundle", bundle.write(), "--pid-file", place / "pid", runtime.new_id(), seconds=10)
    assert (canary.path / "content").read_text() == "of the host"


def test_a_log_file_is_not_executable_and_not_writable_by_others(runtime, bundle):
    """--log makes the file"""
    log = runtime.directory / "log"
    old = os.umask(0)
    try:
        runtime.command("state", "no-such-container", flags=["--log", log])
    finally:
        os.umask(old)
    assert stat.S_IMODE(log.stat().st_mode) & 0o133 == 0


def test_the_log_of_a_container_is_not_reached_by_the_container(runtime, bundle):
    """--log and the descriptors of the program"""
    log = runtime.directory / "log"
    container = runtime.create(bundle.probe("report", "hold"), flags=["--log", log, "--debug"])
    container.start().ok()
    targets = [entry["target"] for entry in container.wait_for("hold").report["descriptors"].values()]
    assert str(log) not in targets


def test_the_runtime_finds_no_program_through_the_callers_environment(runtime, bundle, canary):
    """PATH, LD_PRELOAD and the like of the caller do nothing to the runtime: an engine may pass a user's"""
    fake = runtime.directory / "fake"
    fake.mkdir()
    for name in ("newuidmap", "newgidmap", "sh", "mount", "criu", "systemctl"):
        (fake / name).write_text(f"#!/bin/sh\ntouch {canary.path}/ran\n")
        (fake / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{fake}:{os.environ['PATH']}", "HOME": "/no/such", "TMPDIR": "/no/such"}
    runtime.run(bundle.user_namespace(), env=environment)
    assert not (canary.path / "ran").exists()
