"""delete of a container with a process that cannot die: it waits in the kernel for a file system that does not answer."""

import signal
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
            open(sys.argv[1], "w").close()
            time.sleep(3600)
        return {"st_mode": 0o040755, "st_nlink": 2}

FUSE(Silent(), sys.argv[2], foreground=True, allow_other=True)
"""


@pytest.fixture
def silence(runtime, mount_program):
    """A directory in which whoever looks for a file waits for ever, a file that appears then, and the process behind it."""
    asked = runtime.directory / "asked"
    path, process = mount_program("silent", "-c", FILE_SYSTEM, asked)
    return path, asked, process


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
