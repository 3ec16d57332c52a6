"""Hooks: the state on their stdin, their arguments and environment (config.md, POSIX-platform Hooks)."""

import json

import pytest

from harness import refused
from harness.schema import validate

STATUS = {
    "prestart": "creating", "createRuntime": "creating", "createContainer": "creating", "startContainer": "created",
    "poststart": "running", "poststop": "stopped",
}




def test_every_hook_reads_the_state_of_the_container(runtime, bundle):
    """config.md: the state of the container MUST be passed to hooks over stdin; runtime.md, State: status, pid"""
    bundle.shared_directory()
    bundle.config["annotations"] = {"com.example.key": "value"}
    for moment in STATUS:
        bundle.hook(moment, "stdin")
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    pid = container.pid
    container.kill("KILL").ok()
    container.wait().delete().ok()
    states = {tag: json.loads(bundle.seen().tagged(tag)("stdin")["content"]) for tag in bundle.seen().tags}
    assert set(states) == set(STATUS)
    for moment, state in states.items():
        validate(state, "state")
        assert state["id"] == container.id
        assert state["bundle"] == str(bundle.path)
        assert state["annotations"] == {"com.example.key": "value"}
    assert {moment: state["status"] for moment, state in states.items()} == STATUS
    for moment in ("prestart", "createRuntime", "poststart"):
        assert states[moment]["pid"] == pid, f"{moment}: the pid as seen by the runtime"
    for moment in ("createContainer", "startContainer"):
        assert states[moment]["pid"] == 1, f"{moment}: the pid as seen by the container"


def test_a_hook_gets_exactly_the_arguments_and_the_environment_of_its_entry(runtime, bundle):
    """config.md, Hooks: args as execv's argv, env as environ"""
    bundle.shared_directory()
    for moment in STATUS:
        entry = bundle.hook(moment, "report", "stdin", env=["ONE=1", "TWO=a b=c", f"MOMENT={moment}"])
        entry["args"][0] = "name of its own"
    container = runtime.start(bundle.args("/bin/true")).wait()
    container.delete().ok()
    for moment in STATUS:
        report = bundle.seen().tagged(moment).report
        assert report["env"] == ["ONE=1", "TWO=a b=c", f"MOMENT={moment}"], moment
        assert report["args"][:3] == ["name of its own", "-t", moment], moment


def test_a_hook_without_arguments_is_called_with_its_path(runtime, bundle):
    """config.md, Hooks: args is OPTIONAL"""
    script = bundle.path / "hook"
    script.write_text(f'#!/bin/sh\necho "$0 $#" > {bundle.path}/said\n')
    script.chmod(0o755)
    bundle.config["hooks"] = {"createRuntime": [{"path": str(script)}]}
    runtime.create(bundle)
    assert (bundle.path / "said").read_text() == f"{script} 0\n"


def test_a_hook_may_leave_its_stdin_unread(runtime, bundle):
    """a state larger than a pipe, and a hook that closes stdin, are no reason to fail or to hang"""
    bundle.config["annotations"] = {f"com.example.{i}": "x" * 1000 for i in range(200)}
    bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/true"}, {"path": "/bin/sh", "args": ["sh", "-c", "exec <&-"]}]}
    bundle.hook("createRuntime", "stdin")
    runtime.create(bundle)
    state = json.loads(bundle.seen()("stdin")["content"])
    assert len(state["annotations"]) == 200


@pytest.mark.parametrize("moment", list(STATUS))
def test_the_path_of_a_hook_must_be_absolute(runtime, bundle, moment):
    """config.md, Hooks: path MUST be absolute"""
    bundle.config["hooks"] = {moment: [{"path": "true"}]}
    runtime.refuses(bundle, "path")


@pytest.mark.parametrize("seconds", [0, -1])
@pytest.mark.parametrize("moment", list(STATUS))
def test_a_timeout_must_be_greater_than_zero(runtime, bundle, moment, seconds):
    """config.md, Hooks: if set, timeout MUST be greater than zero; of hooks that are called later too"""
    bundle.hook(moment, "say", timeout=seconds)
    runtime.refuses(bundle, "timeout")
    assert not bundle.seen().all("say"), "no hook was called"


def test_a_hook_inherits_no_descriptors_of_the_runtime(runtime, bundle):
    """what the runtime holds open must not reach other programs"""
    bundle.shared_directory()
    for moment in STATUS:
        bundle.hook(moment, "report", "stdin")
    container = runtime.start(bundle.args("/bin/true")).wait()
    container.delete().ok()
    for moment in STATUS:
        descriptors = bundle.seen().tagged(moment).report["descriptors"]
        assert set(descriptors) <= {"0", "1", "2"}, f"{moment}: {descriptors}"


def test_a_hook_that_does_not_exist_is_a_failure_that_names_it(runtime, bundle):
    """config.md, Hooks; runtime.md, Lifecycle steps 3 to 5"""
    bundle.config["hooks"] = {"createRuntime": [{"path": "/no/such/hook"}]}
    container = runtime.try_create(bundle)
    refused(container.created, names=["/no/such/hook"])
    runtime.expect_nothing(container.id)
