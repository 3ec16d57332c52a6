"""A container's readiness messages say that it is ready, and nothing else of the machine (sd_notify(3)).

A service manager believes the runtime, which is root: what the container writes must not name another main process, or
give the manager descriptors to keep."""

import os
import socket

import pytest

from harness import host

FALSE = "4194000"
HARMLESS = ("READY=1", "STATUS=", "STOPPING=1", "RELOADING=1", "WATCHDOG=1", "MAINPID=", "MONOTONIC_USEC=", "ERRNO=", "BARRIER=1", "")


@pytest.fixture
def manager(runtime):
    path = runtime.directory / "manager.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        sock.settimeout(host.timeout(10))
        yield sock


def _send(runtime, bundle, manager, *messages):
    """The lines that the manager receives until the container is ready."""
    verbs = [["connect", "$NOTIFY_SOCKET", message, "datagram"] for message in (*messages, "READY=1")]
    bundle.probe(*verbs, ["sleep", "0.2"])
    id = runtime.new_id()
    runtime.spawn(
        "run", "--bundle", bundle.write(), id,
        env={**os.environ, "NOTIFY_SOCKET": manager.getsockname()})
    received: list[str] = []
    while "READY=1" not in received:
        received += manager.recv(65536).decode(errors="replace").splitlines()
    try:  # what follows
        manager.settimeout(0.1)
        while True:
            received += manager.recv(65536).decode(errors="replace").splitlines()
    except TimeoutError:
        pass
    return received


@pytest.mark.parametrize("message", [
    "MAINPID=NUMBER\nREADY=1", "READY=1\nMAINPID=NUMBER", "MAINPID=NUMBER\n\nREADY=1", "READY=1\nMAINPID=NUMBER\n", "  MAINPID=NUMBER\nREADY=1",
    "MAINPIDFDID=NUMBER\nREADY=1"], ids=repr)
def test_a_container_does_not_name_the_main_process(runtime, bundle, manager, message):
    """the process that the manager watches, and kills"""
    received = _send(runtime, bundle, manager, message.replace("NUMBER", FALSE))
    assert not [line for line in received if FALSE in line], received


@pytest.mark.parametrize("line", [
    "FDSTORE=1", "FDSTOREREMOVE=1\nFDNAME=x", "NOTIFYACCESS=all", "BUSERROR=x", "EXTEND_TIMEOUT_USEC=999999999999",
    "WATCHDOG_USEC=1", "X_SOMETHING=1", "EXIT_STATUS=0"])
def test_other_orders_do_not_reach_the_manager(runtime, bundle, manager, line):
    """before the message that the container is ready, and together with it"""
    received = _send(runtime, bundle, manager, line, f"{line}\nREADY=1")
    assert all(entry.startswith(HARMLESS) for entry in received), received
    assert not set(line.splitlines()) & set(received), received
