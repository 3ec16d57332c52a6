"""Hooks: when each is called, in which order, and where (config.md, POSIX-platform Hooks; runtime.md, Lifecycle)."""

import os
from pathlib import Path

import pytest

from harness import host

NAMESPACES = {"cgroup", "ipc", "mnt", "net", "pid", "uts"}
MOMENTS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
OF_CREATE = MOMENTS[:3]


def own_namespaces() -> dict:
    return {kind: os.stat(f"/proc/self/ns/{kind}").st_ino for kind in NAMESPACES}


def namespaces_of(report: dict) -> dict:
    return {kind: report["namespaces"][kind] for kind in NAMESPACES}


def test_hooks_are_called_in_the_order_of_the_lifecycle_and_of_the_list(runtime, bundle):
    """config.md: Hooks MUST be called in the listed order; prestart, createRuntime, createContainer in this order"""
    bundle.shared_directory()
    for moment in reversed(MOMENTS):
        for number in (1, 2):
            bundle.hook(moment, "say", tag=f"{moment} {number}")
    bundle.args("/bin/probe", "-t", "program", "-o", "/out/seen", "hold")
    container = runtime.create(bundle)
    expected = [f"{moment} {number}" for moment in OF_CREATE for number in (1, 2)]
    assert bundle.seen().tags == expected
    container.start().ok()
    expected += ["startContainer 1", "startContainer 2", "program", "poststart 1", "poststart 2"]
    assert sorted(bundle.seen().tags) == sorted(expected)
    tags = [tag for tag in bundle.seen().tags if tag != "program"]
    assert tags == [tag for tag in expected if tag != "program"]
    assert bundle.seen().tags.index("program") > bundle.seen().tags.index("startContainer 2")
    container.kill("KILL").ok()
    container.wait()
    assert bundle.seen().tags[-1].startswith("poststart")
    container.delete().ok()
    assert bundle.seen().tags[-2:] == ["poststop 1", "poststop 2"]


@pytest.mark.parametrize("moment", ["prestart", "createRuntime"])
def test_a_hook_of_the_runtime_runs_after_the_environment_is_made_and_before_pivot_root(runtime, bundle, moment):
    """config.md, Prestart, CreateRuntime Hooks: executed in the runtime namespace, before pivot_root"""
    bundle.hook(moment)
    container = runtime.create(bundle)
    seen = bundle.seen()
    assert namespaces_of(seen.report) == own_namespaces()
    process = seen("stdin")["process"]
    assert process["pid"] == container.pid, "the pid as seen by the runtime"
    assert not process["pivoted"]
    for kind in ("net", "uts", "ipc", "mnt", "pid"):
        assert process["namespaces"][kind] != own_namespaces()[kind]
        assert process["namespaces"][kind] == Path(f"/proc/{container.pid}/ns/{kind}").stat().st_ino


def test_a_create_container_hook_runs_in_the_container_namespaces_before_pivot_root(runtime, bundle):
    """config.md, CreateContainer Hooks: path of the runtime namespace, executed in the container namespace"""
    bundle.hook("createContainer", "report", "stdin", ["stat", str(bundle.rootfs / "dev/null")])
    container = runtime.create(bundle)
    seen = bundle.seen()
    of_container = {
        kind: Path(f"/proc/{container.pid}/ns/{kind}").stat().st_ino for kind in ("mnt", "net", "uts", "ipc")}
    assert {kind: seen.report["namespaces"][kind] for kind in of_container} == of_container
    # the host's path of the hook was found, so the root is still the host's; the mounts are there already
    assert seen.has_mount(str(bundle.rootfs / "proc"))
    assert seen("stat", bundle.rootfs / "dev/null")["type"] == "character"


def test_a_start_container_hook_runs_in_the_container_before_the_program(runtime, bundle):
    """config.md, StartContainer Hooks: path and execution in the container namespace, part of start"""
    bundle.hook("startContainer", "report", "stdin", ["lstat", "/bin/probe"], ["lstat", str(bundle.rootfs)])
    container = runtime.create(bundle.probe("report", "hold"))
    assert bundle.seen().lines == []
    container.start().ok()
    program = container.wait_for("hold").report
    seen = bundle.seen()
    assert seen.report["namespaces"] == program["namespaces"]
    assert seen.error("lstat", "/bin/probe") is None
    assert seen.error("lstat", bundle.rootfs) == "ENOENT", "the root is the container's"
    assert seen.report["clock_monotonic"] < program["clock_monotonic"]


def test_poststart_hooks_run_after_the_program_started_and_before_start_returns(runtime, bundle):
    """config.md, Poststart: after the user-specified process is executed, in the runtime namespace"""
    bundle.hook("startContainer", ["sleep", 0.3])  # a runtime that does not wait for the program is caught
    bundle.hook("poststart", "report", "stdin", ["sleep", 0.3], ["say", "done"])
    container = runtime.create(bundle.probe("hold"))
    assert not bundle.seen().tagged("poststart").lines
    container.start().ok()
    seen = bundle.seen().tagged("poststart")
    assert seen("say", "done"), "start returns after the hooks"
    assert namespaces_of(seen.report) == own_namespaces()
    process = seen("stdin")["process"]
    assert process["pid"] == container.pid
    assert process["command"] == "/bin/probe", "the program of the configuration runs"


def test_poststop_hooks_run_after_the_container_is_gone_and_before_delete_returns(runtime, bundle):
    """config.md, Poststop: after the container is deleted, in the runtime namespace"""
    bundle.hook("poststop", "report", ["stat", runtime.root / "ID"], ["sleep", 0.2], ["say", "done"])
    container = runtime.start(bundle.args("/bin/true")).wait()
    assert bundle.seen().lines == []
    container.delete().ok()
    seen = bundle.seen()
    assert seen("say", "done"), "delete returns after the hooks"
    assert namespaces_of(seen.report) == own_namespaces()


def test_poststop_hooks_find_no_control_group_of_the_container(runtime, bundle):
    """config.md, Poststop: MUST be called after the container is deleted"""
    container = runtime.create(bundle.args("/bin/true"))

    container_groups = host.cgroups_named(bundle.name)
    assert container_groups
    container.delete("--force").ok()
    bundle.hook("poststop", *[["stat", group] for group in container_groups])
    container = runtime.start(bundle).wait()
    container.delete().ok()
    assert {line.get("error") for line in bundle.seen().all("stat")} == {"ENOENT"}


def test_forced_delete_calls_poststop_hooks_once(runtime, bundle):
    """runtime.md, Lifecycle step 13"""
    bundle.hook("poststop", "say")
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    container.delete("--force").ok()
    assert len(bundle.seen().all("say")) == 1


def test_run_in_the_foreground_calls_every_hook_once(runtime, bundle):
    """runtime.md, Lifecycle: run is create, start, and delete at the end"""
    bundle.shared_directory()
    for moment in MOMENTS:
        bundle.hook(moment, "say")
    assert runtime.run(bundle.args("/bin/true")).status == 0
    assert bundle.seen().tags == MOMENTS
    assert len(bundle.seen().lines) == len(MOMENTS)


def test_the_hooks_of_the_container_see_what_user_namespaces_change(runtime, bundle):
    """config.md, Hooks: createContainer and startContainer in all the container namespaces, also the user's"""
    shared = bundle.user_namespace().shared_directory()
    (shared / "seen").touch()
    (shared / "seen").chmod(0o666)
    for moment in ("createRuntime", "createContainer", "startContainer"):
        bundle.hook(moment, "report")
    container = runtime.start(bundle.probe("report", "hold"))
    container.wait_for("hold")
    inside = container.seen.report["namespaces"]["user"]
    seen = {tag: bundle.seen().tagged(tag).report for tag in bundle.seen().tags}
    assert seen["createRuntime"]["namespaces"]["user"] == os.stat("/proc/self/ns/user").st_ino
    assert seen["createContainer"]["namespaces"]["user"] == inside
    assert seen["startContainer"]["namespaces"]["user"] == inside
