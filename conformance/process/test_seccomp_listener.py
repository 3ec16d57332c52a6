"""The listener of SCMP_ACT_NOTIFY (config-linux.md, Seccomp: listenerPath; The Container Process State)."""

import fcntl
import json
import os
import platform
import socket
import struct
import threading

import pytest

from harness import host, refused
from harness.schema import validate

NATIVE = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}[platform.machine()]
RECEIVE, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND


class Agent:
    """Receives the descriptor of the filter and answers each call with 42 as its result."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen(4)
        self.listener.settimeout(host.timeout(10))
        self.state, self.descriptors, self.rest = b"", [], None
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(host.timeout(10))
            self.state, self.descriptors, _, _ = socket.recv_fds(connection, 65536, 8)
            while True:
                more, descriptors, _, _ = socket.recv_fds(connection, 65536, 8)
                if not more:
                    break
                self.state += more
                self.rest = descriptors
        for fd in self.descriptors:
            threading.Thread(target=self._answer, args=(fd,), daemon=True).start()

    @staticmethod
    def _answer(fd):
        while True:
            request = bytearray(80)
            try:
                fcntl.ioctl(fd, RECEIVE, request)
                number = struct.unpack_from("Q", request)[0]
                fcntl.ioctl(fd, SEND, bytearray(struct.pack("QqiI", number, 42, 0, 0)))
            except OSError:
                return


@pytest.fixture
def agent(runtime):
    made = Agent(runtime.directory / "agent.sock")
    yield made
    made.listener.close()


def _listen(runtime, bundle, action="SCMP_ACT_NOTIFY", **more):
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "architectures": [NATIVE],
        "listenerPath": str(runtime.directory / "agent.sock"), "listenerMetadata": "for the agent",
        "syscalls": [{"names": ["sync"], "action": action}], **more}


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_the_agent_gets_the_state_and_the_descriptor_and_answers_calls(runtime, bundle, agent, no_new_privileges):
    """config-linux.md, The Container Process State: JSON over the socket, descriptors by SCM_RIGHTS, first call only"""
    bundle.process["noNewPrivileges"] = no_new_privileges
    bundle.config["annotations"] = {"com.example.key": "value"}
    _listen(runtime, bundle)
    container = runtime.create(bundle.probe(["syscall", "sync"], "hold"))
    container.start().ok()
    seen = container.wait_for("hold")
    agent.thread.join(host.timeout(10))
    assert not agent.thread.is_alive(), "the connection MUST be closed after sending the state"
    state = json.loads(agent.state)
    assert state["fds"] == ["seccompFd"] and len(agent.descriptors) == 1 and not agent.rest
    assert state["pid"] == container.pid
    assert state["metadata"] == "for the agent"
    assert state["ociVersion"]
    validate(state["state"], "state")
    assert (state["state"]["id"], state["state"]["bundle"]) == (container.id, str(bundle.path))
    assert state["state"]["status"] == "creating"
    assert state["state"]["annotations"] == {"com.example.key": "value"}
    assert seen("syscall")["result"] == 42
    for fd in agent.descriptors:
        os.close(fd)


def test_the_listener_is_ignored_without_a_notify_action(runtime, bundle):
    """config-linux.md, Seccomp: if the SCMP_ACT_NOTIFY action is not used this value is ignored"""
    _listen(runtime, bundle, "SCMP_ACT_ERRNO")
    assert runtime.look(bundle, ["syscall", "sync"]).error("syscall") == "EPERM"


def test_a_listener_that_nobody_serves_makes_create_fail(runtime, bundle):
    """config-linux.md, Seccomp: if sending to this socket fails, the runtime MUST generate an error"""
    _listen(runtime, bundle)
    runtime.refuses(bundle, "listenerPath")


def test_notify_without_a_listener_is_refused(runtime, bundle):
    """config-linux.md, Seccomp: nobody would ever answer"""
    _listen(runtime, bundle)
    del bundle.linux["seccomp"]["listenerPath"], bundle.linux["seccomp"]["listenerMetadata"]
    container = runtime.try_create(bundle)
    refused(container.created if container.created.status else container.start(), names=["seccomp"])
