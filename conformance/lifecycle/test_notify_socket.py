"""NOTIFY_SOCKET: readiness messages of the program reach the service manager (the command line contract)."""

import os
import socket

import pytest


@pytest.fixture
def manager(runtime):
    """The socket of a service manager."""
    path = runtime.directory / "manager"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(str(path))
    sock.settimeout(10)
    yield sock, os.environ | {"NOTIFY_SOCKET": str(path)}
    sock.close()


SEND = ["connect", "$NOTIFY_SOCKET", "READY=1\nSTATUS=from inside", "datagram"]


def test_a_detached_program_can_tell_that_it_is_ready(runtime, bundle, manager):
    """the contract: a socket at /run/notify; READY=1 is passed on, with the pid of the container process"""
    sock, environment = manager
    bundle.probe("report", SEND, "hold")
    container = runtime.create(bundle, env=environment)
    container.start(env=environment, seconds=5).ok()
    report = container.wait_for("hold").report
    assert [entry for entry in report["env"] if entry.startswith("NOTIFY_SOCKET=/run/notify")]
    assert container.seen.error("connect") is None
    messages = sock.recv(4096).decode()
    if "MAINPID" not in messages:
        messages += "\n" + sock.recv(4096).decode()
    assert "READY=1" in messages.split("\n")
    assert f"MAINPID={container.pid}" in messages.split("\n")


def test_without_notify_socket_there_is_none(runtime, bundle):
    """nothing appears in the container that nobody asked for"""
    environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
    seen = runtime.look(bundle, "report", ["lstat", "/run/notify"], env=environment)
    assert not [entry for entry in seen.report["env"] if entry.startswith("NOTIFY_SOCKET")]
    assert seen.error("lstat") == "ENOENT"
