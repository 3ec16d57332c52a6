"""Into which containers exec goes (the command line contract)."""

from harness import host, refused


def test_not_into_a_container_that_has_stopped(runtime, bundle):
    """the command line contract: cannot exec in a stopped container"""
    container = runtime.start(bundle.probe("say"))
    container.wait()
    refused(container.exec("/bin/true"), "cannot exec in a stopped container|container not running", status=255)


def test_into_a_container_that_is_created_and_not_started(runtime, bundle):
    """runtime.md, State: the container's environment exists from create on"""
    container = runtime.create(bundle.probe("hold"))
    assert container.look().report["namespaces"] == host.namespaces(container.pid)
    container.start().ok()


def test_not_into_a_paused_container(runtime, container):
    """the command line contract: cannot exec in a paused container"""
    runtime.command("pause", container.id).ok()
    try:
        refused(container.exec("/bin/true", seconds=5), "cannot exec in a paused container", status=255)
    finally:
        runtime.command("resume", container.id).ok()
    container.exec("/bin/true").ok()


def test_with_ignore_paused_the_process_runs_once_the_container_is_resumed(runtime, container):
    """the command line contract: --ignore-paused"""
    runtime.command("pause", container.id).ok()
    try:
        process = runtime.spawn("exec", "--ignore-paused", container.id, "/bin/probe", "exit", 5)
        assert process.poll() is None
    finally:
        runtime.command("resume", container.id).ok()
    assert process.wait(host.timeout(10)) == 5


def test_exec_does_not_end_the_container_or_outlive_it(runtime, container):
    """runtime.md, Delete"""
    container.exec("/bin/sleep", 1000, flags=["--detach"]).ok()
    container.exec("/bin/true").ok()
    assert container.status == "running"
    container.delete("--force").ok()
    runtime.expect_nothing()
