"""Standard streams are the caller's: the runtime neither leaves its own files there nor changes what it was given."""

import os
import subprocess

import pytest

from harness import host


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("user", [0, 1000])
def test_a_closed_stream_is_not_taken_by_a_file_of_the_runtime(runtime, bundle, canary, closed, user):
    """a number that is free is given to the next file that is opened: the state directory, say, or a root filesystem"""
    bundle.process["user"] = {"uid": user, "gid": user}
    bundle.shared_directory()
    bundle.args("/bin/probe", "-o", "/out/seen", "report", ":", "hold").write()
    bundle.mount("/mnt", canary.path, "bind", ["rbind", "ro"])
    bundle.write()
    owners = {path: path.stat().st_uid for path in (bundle.path, bundle.rootfs, runtime.root, canary.path)}
    id = runtime.new_id()
    words = runtime.words("run", "--detach", "--bundle", bundle.path, id)
    process = runtime.spawn_words(["/bin/bash", "-c", f'exec "$@" {closed}', "sh", *words])
    if process.wait(host.timeout(20)) == 0:
        host.wait_until(lambda: bundle.seen().all("hold"), "the probe has reported")
        for number, entry in bundle.seen().report["descriptors"].items():
            assert int(number) < 3
            assert entry["mode"] & 0o170000 != 0o040000, f"{number} is the directory {entry['target']}"
        assert runtime.root.joinpath(id).stat().st_uid == 0
    assert {path: path.stat().st_uid for path in owners} == owners
    canary.check()


@pytest.mark.parametrize("kind", ["file", "directory", "device"])
def test_a_stream_that_is_no_terminal_or_pipe_keeps_its_owner(runtime, bundle, canary, kind):
    """stdin may be any file of the host; to make it the container user's is a change that outlives the container"""
    if kind == "device":
        os.mknod(canary.path / "device", 0o020644, os.makedev(1, 5))
        canary.renew()
    path = canary.path / {"file": "content", "directory": "empty", "device": "device"}[kind]
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    given = os.open(path, os.O_RDONLY)
    bundle.probe("say").write()
    process = runtime.spawn("run", "--bundle", bundle.path, runtime.new_id(), stdin=given, stdout=subprocess.DEVNULL)
    os.close(given)
    process.wait(host.timeout(20))
    canary.check()
