"""Hooks that fail or hang: what becomes of the container (runtime.md, Lifecycle; config.md, Hooks: timeout)."""

import time

import pytest

from harness import reaper, refused

OF_CREATE = ["prestart", "createRuntime", "createContainer"]


def gone(runtime, container) -> bool:
    return runtime.command("state", container.id).status != 0 and container.id not in runtime.state_entries()


@pytest.mark.parametrize("moment", OF_CREATE)
def test_a_hook_that_fails_during_create_leaves_no_container(runtime, bundle, moment):
    """runtime.md, Lifecycle steps 3, 4, 5: generate an error, stop the container, continue at step 12"""
    bundle.shared_directory()
    bundle.hook(moment, "say", tag="before")
    bundle.failing_hook(moment, 7, tag="failing")
    bundle.hook(moment, "say", tag="after")
    for later in ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"]:
        if later not in OF_CREATE or OF_CREATE.index(later) > OF_CREATE.index(moment):
            bundle.hook(later, "say")
    container = runtime.try_create(bundle.probe(["create", "/out/ran"]))
    refused(container.created, names=["hook"])
    runtime.expect_nothing(container.id)
    runtime.expect_nothing(bundle.name)
    assert bundle.seen().tags == ["before", "failing"], "no hook after the one that failed"
    assert not (bundle.path / "shared/ran").exists()


@pytest.mark.parametrize("moment", OF_CREATE)
def test_poststop_hooks_run_when_a_hook_of_create_failed(runtime, bundle, moment):
    """runtime.md, Lifecycle: continue at step 12, of which step 13, the poststop hooks, is next"""
    bundle.failing_hook(moment, tag="failing")
    bundle.hook("poststop", "say")
    container = runtime.try_create(bundle)
    refused(container.created)
    assert bundle.seen().tags == ["failing", "poststop"]
    assert len(bundle.seen().tagged("poststop").lines) == 1


def test_a_start_container_hook_that_fails_stops_the_container_before_its_program(runtime, bundle):
    """runtime.md, Lifecycle step 7: generate an error, stop the container"""
    shared = bundle.shared_directory()
    bundle.failing_hook("startContainer", 7)
    container = runtime.create(bundle.probe(["create", "/out/ran"], "hold"))
    result = container.start()
    assert result.status > 0, f"start must tell the failure: {result}"
    assert not (shared / "ran").exists()
    assert gone(runtime, container) or container.wait("stopped")


def test_a_failed_start_container_hook_destroys_the_container(runtime, bundle):
    """runtime.md, Lifecycle step 7: continue the lifecycle at step 12: the container MUST be destroyed, then poststop"""
    bundle.shared_directory()
    bundle.failing_hook("startContainer", 7, tag="failing")
    bundle.hook("poststop", "say")
    container = runtime.create(bundle.probe("hold"))
    refused(container.start(), names=["hook"])
    runtime.expect_nothing(container.id)
    runtime.expect_nothing(bundle.name)
    assert bundle.seen().tags == ["failing", "poststop"]
    container.delete("--force").ok()
    assert len(bundle.seen().tagged("poststop").lines) == 1


def test_a_failed_poststart_hook_stops_and_destroys_the_container(runtime, bundle):
    """runtime.md, Lifecycle step 9: generate an error, stop the container, continue at step 12"""
    bundle.hook("poststart", "say", tag="before")
    bundle.failing_hook("poststart", 7, tag="failing")
    bundle.hook("poststart", "say", tag="after")
    bundle.hook("poststop", "say")
    container = runtime.create(bundle.probe("hold"))
    refused(container.start(), names=["hook"])
    runtime.expect_nothing(container.id)
    runtime.expect_nothing(bundle.name)
    assert bundle.seen().tags == ["before", "failing", "poststop"]


def test_a_failed_poststop_hook_is_a_warning_and_the_others_run(runtime, bundle):
    """runtime.md, Lifecycle step 13: log a warning; the remaining hooks and lifecycle continue"""
    bundle.failing_hook("poststop", 7, tag="failing")
    bundle.config["hooks"]["poststop"].append({"path": "/no/such/hook"})
    bundle.hook("poststop", "say", tag="after")
    container = runtime.start(bundle.args("/bin/true")).wait()
    result = container.delete().ok()
    assert result.stderr.strip(), "a warning is logged"
    assert bundle.seen().tags == ["failing", "after"]
    runtime.expect_nothing(container.id)


@pytest.mark.parametrize("moment", ["createRuntime", "createContainer"])
def test_a_hook_that_outlasts_its_timeout_is_ended_and_has_failed(runtime, bundle, moment):
    """config.md, Hooks: timeout is the number of seconds before aborting the hook"""
    bundle.hook(moment, ["sleep", 60], timeout=1)
    began = time.monotonic()
    container = runtime.try_create(bundle)
    took = time.monotonic() - began
    refused(container.created, names=["hook"])
    assert 0.9 < took < 8, f"the hook was given {took:.1f} s"
    runtime.expect_nothing(container.id)
    assert reaper.descendants() == []


def test_a_hook_within_its_timeout_succeeds(runtime, bundle):
    """config.md, Hooks: timeout"""
    bundle.hook("createRuntime", ["sleep", 0.2], timeout=10)
    began = time.monotonic()
    runtime.create(bundle)
    assert time.monotonic() - began < 5, "the runtime does not wait for the timeout to pass"


def test_a_poststop_hook_that_hangs_is_ended_and_the_others_run(runtime, bundle):
    """config.md, Hooks: timeout; runtime.md, Lifecycle step 13"""
    bundle.hook("poststop", ["sleep", 60], timeout=1, tag="hanging")
    bundle.hook("poststop", "say", tag="after")
    container = runtime.start(bundle.args("/bin/true")).wait()
    container.delete().ok()
    assert bundle.seen().tags == ["after"]
    assert reaper.descendants() == []


@pytest.mark.parametrize("moment", ["createRuntime", "startContainer", "poststart"])
def test_run_in_the_foreground_fails_with_a_hook_and_leaves_nothing(runtime, bundle, moment):
    """runtime.md, Lifecycle"""
    bundle.shared_directory()
    bundle.failing_hook(moment, tag="failing")
    bundle.hook("poststop", "say")
    result = runtime.run(bundle.probe("hold"), seconds=5)
    assert result.status not in (0, 143, 137), result
    assert bundle.seen().tags == ["failing", "poststop"]
    runtime.expect_nothing()


def test_what_a_failing_hook_says_reaches_the_user(runtime, bundle):
    """an error that hides its cause is of no use"""
    bundle.config["hooks"] = {
        "createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "echo the-reason-why >&2; exit 3"]}]}
    container = runtime.try_create(bundle)
    assert container.created.status > 0
    assert "the-reason-why" in container.created.stderr
