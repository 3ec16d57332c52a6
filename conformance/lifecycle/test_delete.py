"""Delete: what goes, what stays, and when it is refused (runtime.md, Delete)."""

from pathlib import Path

from harness import host, refused


def test_delete_removes_all_that_create_made(runtime, bundle):
    """runtime.md, Delete: MUST delete the resources that were created"""
    container = runtime.start(bundle.args("/bin/true")).wait()
    container.delete().ok()
    runtime.expect_nothing(container.id)
    runtime.expect_nothing(bundle.name)
    assert runtime.state_entries() == []


def test_delete_leaves_what_the_container_did_not_create(runtime, bundle):
    """runtime.md, Delete: resources not created by this container MUST NOT be deleted"""
    shared = bundle.shared_directory()
    container = runtime.start(bundle.probe(["create", "/out/file", "kept"], ["create", "/tmp/inside", "kept"])).wait()
    container.delete().ok()
    assert (shared / "file").read_text() == "kept"
    assert (bundle.rootfs / "tmp/inside").read_text() == "kept"
    assert (bundle.path / "config.json").exists()


def test_deleting_a_running_container_is_an_error_without_effect(runtime, bundle):
    """runtime.md, Delete: MUST have no effect and MUST generate an error"""
    container = runtime.start(bundle.probe("signals"))
    container.wait_for("signals")
    before = container.state()
    refused(container.delete(), "not stopped", "running")
    assert container.state() == before
    container.kill("USR1").ok()
    container.wait_for("signals", 2)


def test_delete_of_a_created_container_does_all_or_nothing(runtime, bundle):
    """runtime.md, Delete: a container that is not stopped is an error without effect. Engines delete created
    containers, and runc does it: then it must be complete."""
    container = runtime.create(bundle.probe("say"))
    pid = container.pid
    result = container.delete()
    if result.status == 0:
        runtime.expect_nothing(container.id)
        assert not Path(f"/proc/{pid}").exists()
    else:
        refused(result, "not stopped")
        assert (container.status, container.pid) == ("created", pid)
    assert container.text == ""


def test_a_second_delete_says_that_the_container_does_not_exist(runtime, bundle):
    """the command line contract: engines look for `does not exist`"""
    container = runtime.start(bundle.args("/bin/true")).wait()
    container.delete().ok()
    refused(container.delete(), "does not exist")


def test_forced_delete_ends_a_container_in_any_status(runtime, make_bundle):
    """the command line contract: delete --force"""
    created = runtime.create(make_bundle().probe("hold"))
    running = runtime.start(make_bundle().probe(["fork", 3], "hold"))
    running.wait_for("hold")
    stopped = runtime.start(make_bundle().args("/bin/true")).wait()
    for container in (created, running, stopped):
        container.delete("--force").ok()
        assert container.id not in runtime.state_entries()
    runtime.expect_nothing()


def test_forced_delete_ends_all_processes_also_without_a_pid_namespace(runtime, bundle):
    """runtime.md, Delete: MUST delete the resources that were created"""
    container = runtime.start(bundle.without_namespace("pid").probe(["fork", 3], "hold"))
    container.wait_for("hold")
    container.delete("-f").ok()
    runtime.expect_nothing()


def test_forced_delete_of_an_unknown_container_succeeds(runtime):
    """the command line contract"""
    result = runtime.command("delete", "--force", runtime.unique()).ok()
    assert result.stdout == ""


def test_delete_without_an_id_is_an_error(runtime):
    """runtime.md, Delete"""
    assert runtime.command("delete").status != 0
    assert runtime.command("delete", "--force").status != 0


def test_processes_that_outlive_the_container_process_are_gone_after_delete(runtime, bundle):
    """runtime.md, Delete: MUST delete the resources; a control group with a process in it cannot be removed"""
    container = runtime.start(bundle.without_namespace("pid").probe(["fork", 2]))
    container.wait("stopped")
    container.delete("--force").ok()
    assert host.cgroups_named(bundle.name) == []
    runtime.expect_nothing()
