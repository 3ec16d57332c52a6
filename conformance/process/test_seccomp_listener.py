"""seccomp: the listener and the container process state (config-linux.md, Seccomp: listenerPath)."""

import os
import platform
import signal
import time

import pytest

from harness import host, refused
from harness.agent import SeccompAgent
from harness.schema import validate

NATIVE = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}[platform.machine()]
GETSID = {"x86_64": 124, "aarch64": 156}[platform.machine()]
CHDIR = {"x86_64": 80, "aarch64": 49}[platform.machine()]
EBADFD = 77


def _notify(bundle, path, *names, default="SCMP_ACT_ALLOW", **more):
    bundle.linux["seccomp"] = {
        "defaultAction": default, "architectures": [NATIVE], "listenerPath": str(path),
        "syscalls": [{"names": list(names), "action": "SCMP_ACT_NOTIFY"}], **more}


@pytest.fixture
def path(runtime):
    return runtime.directory / "agent.sock"


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_the_agent_decides_about_the_system_calls_it_is_told_of(runtime, bundle, path, no_new_privileges):
    """config-linux.md, Seccomp: SCMP_ACT_NOTIFY, listenerPath"""
    bundle.process["noNewPrivileges"] = no_new_privileges
    _notify(bundle, path, "getsid", "getpgid")
    with SeccompAgent(path, {GETSID: EBADFD}) as agent:
        seen = runtime.look(bundle, ["syscall", "getsid", 0], ["syscall", "getpgid", 0], ["syscall", "getppid"])
    assert seen.error("syscall", "getsid") == "EBADFD"
    assert seen.error("syscall", "getpgid") is None
    assert seen("syscall", "getppid")["result"] == 0
    assert agent.calls[GETSID] == 1


def test_a_listener_works_in_a_user_namespace(runtime, bundle, path):
    """config-linux.md, Seccomp: SCMP_ACT_NOTIFY, listenerPath"""
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    _notify(bundle.user_namespace(), path, "getsid")
    with SeccompAgent(path, {GETSID: EBADFD}):
        assert runtime.look(bundle, ["syscall", "getsid", 0]).error("syscall", "getsid") == "EBADFD"


def test_the_container_process_state_says_who_it_is_about(runtime, bundle, path):
    """config-linux.md, The Container Process State: ociVersion, fds, pid, metadata, state"""
    metadata = 'MKNOD=/dev/null;"quoted"\n\\ \u00e4'
    bundle.config["annotations"] = {"com.example.key": "value"}
    _notify(bundle.probe("hold"), path, "getsid", listenerMetadata=metadata)
    with SeccompAgent(path) as agent:
        container = runtime.start(bundle)
        pid = container.pid
        host.wait_until(lambda: agent.messages, "the container process state")
    assert len(agent.messages) == 1, "exactly one state per connection, and one connection per container"
    message = agent.messages[0]
    assert message["fds"] == ["seccompFd"]
    assert len(agent.descriptors) == 1
    assert message["pid"] == pid
    assert message["metadata"] == metadata
    assert message["ociVersion"]
    state = message["state"]
    validate(state, "state")
    assert (state["id"], state["pid"], state["status"]) == (container.id, pid, "creating")
    assert state["bundle"] == str(bundle.path)
    assert state["annotations"] == {"com.example.key": "value"}


def test_the_connection_is_closed_after_the_state(runtime, bundle, path):
    """config-linux.md, Seccomp: the connection MUST be closed after sending a seccomp state"""
    _notify(bundle.probe("hold"), path, "getsid")
    with SeccompAgent(path) as agent:
        runtime.start(bundle).wait_for("hold")
        assert agent.was_closed()


def test_without_metadata_there_is_none(runtime, bundle, path):
    """config-linux.md, The Container Process State: metadata (string, OPTIONAL)"""
    _notify(bundle, path, "getsid")
    with SeccompAgent(path) as agent:
        runtime.look(bundle)
    assert not agent.messages[0].get("metadata")


def test_every_system_call_may_be_notified(runtime, bundle, path):
    """config-linux.md, Seccomp: the allowed values of defaultAction are the same as of syscalls[].action"""
    _notify(bundle, path, "write", "sendmsg", default="SCMP_ACT_NOTIFY")
    with SeccompAgent(path, {GETSID: EBADFD}) as agent:
        seen = runtime.look(bundle, ["syscall", "getsid", 0], ["syscall", "getppid"])
    assert seen.error("syscall", "getsid") == "EBADFD"
    assert seen("syscall", "getppid")["result"] == 0
    assert len(agent.calls) > 5


def test_the_path_is_ignored_when_nothing_notifies(runtime, bundle, path):
    """config-linux.md, Seccomp: if the SCMP_ACT_NOTIFY action is not used this value is ignored"""
    _notify(bundle, path, "getsid")
    bundle.linux["seccomp"]["syscalls"][0]["action"] = "SCMP_ACT_ERRNO"
    assert runtime.look(bundle, ["syscall", "getsid", 0]).error("syscall", "getsid") == "EPERM"


def test_an_agent_that_is_not_there_is_an_error(runtime, bundle, path):
    """config-linux.md, Seccomp: if sending to this socket fails, the runtime MUST generate an error"""
    _notify(bundle, path, "getsid")
    container = runtime.try_create(bundle)
    refused(container.created if container.created.status else container.start(), names=["agent.sock"])
    runtime.expect_nothing(container.id)


def test_notify_without_a_listener_is_refused(runtime, bundle, path):
    """config-linux.md, Seccomp: nobody would ever answer"""
    _notify(bundle, path, "getsid")
    del bundle.linux["seccomp"]["listenerPath"]
    container = runtime.try_create(bundle)
    refused(container.created if container.created.status else container.start(), names=["seccomp"])


@pytest.mark.skipif(host.kernel() < (5, 19), reason="the kernel has the flag since 5.19")
@pytest.mark.parametrize("flags, waits", [([], False), (["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], True)])
def test_a_call_that_the_agent_looks_at_is_interrupted_by_signals_or_not(runtime, bundle, path, flags, waits):
    """config-linux.md, Seccomp: flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: only what kills ends the waiting"""
    _notify(bundle, path, "chdir", flags=flags)
    bundle.shell("trap 'echo got it' USR1; cd /tmp; echo in $(pwd)")

    def disturb():
        if agent.calls[CHDIR] == 1:
            os.kill(agent.messages[0]["pid"], signal.SIGUSR1)
            time.sleep(0.3)

    with SeccompAgent(path, meanwhile={CHDIR: disturb}) as agent:
        result = runtime.run(bundle)
    assert agent.late[CHDIR] == (0 if waits else 1), "answers to a call that was given up"
    assert not waits or result.ok().stdout == "got it\nin /tmp\n"


def test_flags_for_listeners_are_applied(runtime, bundle, path):
    """config-linux.md, Seccomp: flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, SECCOMP_FILTER_FLAG_TSYNC"""
    _notify(bundle, path, "getsid", flags=["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_TSYNC"])
    with SeccompAgent(path, {GETSID: EBADFD}):
        assert runtime.look(bundle, ["syscall", "getsid", 0]).error("syscall", "getsid") == "EBADFD"
