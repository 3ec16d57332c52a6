"""delete of a container with a process that cannot die: it waits in the kernel for a file system that does not answer."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import host, refused

# Answers to everything but a look at "silence".
FILE_SYSTEM = """
import sys, time
from fusepy import FUSE, Operations

class Silent(Operations):
    def getattr(self, path, handle=None):
        if path != "/":
            open(sys.argv[2], "w").close()
            time.sleep(3600)
        return {"st_mode": 0o040755, "st_nlink": 2}

FUSE(Silent(), sys.argv[1], foreground=True, allow_other=True)
"""


@pytest.fixture
def silence(runtime):
    """A directory in which whoever looks for a file waits for ever, a file that appears then, and the process behind it."""
    if not os.access("/dev/fuse", os.W_OK):
        pytest.skip("this machine has no FUSE")
    if not importlib.util.find_spec("fusepy"):
        pytest.skip("python3-fusepy is not installed")
    path = runtime.directory / "silent"
    path.mkdir()
    asked = runtime.directory / "asked"
    process = runtime.spawn_words([sys.executable, "-c", FILE_SYSTEM, str(path), str(asked)], stderr=subprocess.PIPE)
    host.wait_until(lambda: os.path.ismount(path) or process.poll() is not None, "the file system is mounted")
    assert process.poll() is None, process.stderr.read()
    runtime.known_mounts = host.mounts_below(runtime.directory)
    yield path, asked, process
    process.kill()
    process.wait()
    host.command("umount", "-l", path, check=False)


def test_what_cannot_die_is_named_and_deleted_later(runtime, bundle, silence):
    """The state stays, which leads another delete to what is left; nothing else is in its way"""
    path, asked, process = silence
    bundle.mount("/silent", path, "bind", ["rbind"])
    bundle.probe(["say", "now"], ["stat", "/silent/silence"])
    container = runtime.start(bundle)
    container.wait_for("say")
    host.wait_until(asked.exists, "the program waits for the file system")
    pid = container.pid
    refused(container.delete("--force", seconds=60), names=[str(pid)])
    assert container.id in runtime.state_entries()
    assert Path(f"/proc/{pid}").exists(), "it was to be stuck"
    # The end of the file system is the end of the wait.
    process.send_signal(signal.SIGKILL)
    process.wait()
    host.command("umount", "-l", path, check=False)
    host.wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the program ends")
    container.delete("--force").ok()
    runtime.expect_nothing(container.id)
