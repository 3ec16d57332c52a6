"""--pidfd-socket: a descriptor of the container's process for its monitor (the command line contract)."""

import os
import signal
import socket

import pytest

from harness import host
from harness.reaper import orphan_status


def test_the_socket_receives_a_pidfd_of_the_container_process(runtime, bundle):
    """the command line contract: create and run --pidfd-socket"""
    path = runtime.directory / "pidfd.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(2)
    listener.settimeout(host.timeout(10))
    container = runtime.create(bundle.probe("hold"), "--pidfd-socket", path)
    connection, _ = listener.accept()
    with connection, listener:
        _, descriptors, _, _ = socket.recv_fds(connection, 4096, 4)
    assert len(descriptors) == 1
    info = dict(
        line.split(":", 1) for line in open(f"/proc/self/fdinfo/{descriptors[0]}").read().splitlines() if ":" in line)
    assert int(info["Pid"]) == container.pid
    pid = container.pid
    signal.pidfd_send_signal(descriptors[0], signal.SIGKILL)
    assert orphan_status(pid, 10) == -signal.SIGKILL
    os.close(descriptors[0])


@pytest.mark.parametrize("path", ["no/such/socket", "config.json"])
def test_a_pidfd_socket_that_nobody_listens_on_makes_create_fail(runtime, bundle, path):
    """runtime.md, Create: nothing is left"""
    container = runtime.try_create(bundle, "--pidfd-socket", bundle.path / path)
    assert container.created.status > 0
    runtime.expect_nothing(container.id)
