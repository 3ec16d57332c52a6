"""Hooks of a container run programs of the image, or with descriptors and variables of the host: neither gets the
other's."""

import os

import pytest

MOMENTS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_hook_has_standard_streams_only(runtime, bundle, moment):
    """a hook inherits no descriptor of the runtime, or of its caller"""
    bundle.hook(moment, "report")
    extra = os.open("/", os.O_RDONLY)
    os.set_inheritable(extra, True)
    try:
        runtime.run(bundle, pass_fds=[extra])
    finally:
        os.close(extra)
    assert set(bundle.seen().report["descriptors"]) == {"0", "1", "2"}


def test_a_hook_in_the_container_does_not_see_the_environment_of_the_runtime(runtime, bundle):
    """config.md, Hooks: env; a startContainer hook is a program of the image, and an engine's variables hold secrets"""
    bundle.hook("startContainer", "report")
    runtime.run(bundle, env={**os.environ, "ENGINE_TOKEN": "secret"})
    assert not [entry for entry in bundle.seen().report["env"] if "secret" in entry]


def test_a_hook_in_the_container_has_no_more_rights_than_the_container(runtime, bundle):
    """config.md, startContainer: executes in the container namespace"""
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.capabilities()
    bundle.shared_directory()
    bundle.hook("startContainer", "report")
    report_of_the_program = runtime.look(bundle.probe("report")).report
    found = bundle.seen().report
    program, hook = report_of_the_program["capabilities"], found["capabilities"]
    for kind in ("bounding", "inheritable", "ambient"):
        assert int(hook[kind], 16) & ~int(program[kind], 16) == 0, kind
    assert found["mountinfo"].splitlines()[0].split()[4] == "/"


@pytest.mark.parametrize("moment", ["createContainer", "startContainer"])
def test_a_hook_in_the_container_is_no_way_to_the_host(runtime, bundle, canary, moment):
    """/proc/self/cwd, /proc/self/root of the hook, and of its parent, which is the runtime in the container"""
    up = "../" * 20 + str(canary.path).lstrip("/")
    if moment == "startContainer":
        bundle.hook(moment, *[
            ["read", f"/proc/{who}/{place}/{up}/content"] for who in ("self", "1") for place in ("cwd", "root", "fd/3", "fd/4", "fd/5", "fd/6")])
        runtime.run(bundle.probe("say"))
        assert bundle.seen().all("read")
        assert not [entry for entry in bundle.seen().all("read") if entry.get("content")]
    else:  # its paths are the host's
        bundle.hook(moment, "report")
        runtime.run(bundle.probe("say"))
        assert bundle.seen().report["exe"]
    canary.check()
