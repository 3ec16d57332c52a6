"""ps (the command line contract): the processes of a container, as the host numbers them."""

import os

import pytest

from harness import host, refused


@pytest.fixture
def container(runtime, bundle, every_layout):
    container = runtime.start(bundle.probe(["fork", 3], "hold"))
    container.wait_for("hold")
    return container


def _namespace_of(pid) -> str:
    return os.readlink(f"/proc/{pid}/ns/pid")


def test_json_is_a_list_of_the_processes_on_the_host(runtime, container):
    """What containerd reads: numbers, and nothing else on stdout and stderr"""
    result = runtime.command("ps", "--format", "json", container.id).ok()
    pids = result.json
    assert result.stderr == ""
    assert len(pids) == len(set(pids)) == 4
    assert container.pid in pids
    assert {_namespace_of(pid) for pid in pids} == {_namespace_of(container.pid)}


def test_the_table_has_a_line_for_each_process(runtime, container):
    """Without arguments, as ps -ef"""
    pids = runtime.command("ps", "-f", "json", container.id).ok().json
    lines = runtime.command("ps", container.id).ok().stdout.splitlines()
    column = lines[0].split().index("PID")
    assert sorted(int(line.split()[column]) for line in lines[1:]) == sorted(pids)


def test_what_follows_the_id_are_arguments_of_ps(runtime, container):
    """As runc passes them on"""
    lines = runtime.command("ps", container.id, "-e", "-o", "comm,pid").ok().stdout.splitlines()
    assert lines[0].split() == ["COMMAND", "PID"]
    assert {line.split()[0] for line in lines[1:]} == {"probe"}


def test_a_table_without_process_ids_is_an_error(runtime, container):
    """There is nothing to choose the lines by"""
    refused(runtime.command("ps", container.id, "-e", "-o", "comm"), names=["pid"])
    refused(runtime.command("ps", container.id, "--no-such-option"), names=["ps --no-such-option"])


def test_without_ps_the_error_says_what_to_do(runtime, bundle):
    """The table is the host's ps; a host that has none still has the list"""
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    runtime.wrapper = ["env", "PATH=/nonexistent"]
    refused(runtime.command("ps", container.id), names=["ps", "procps", "--format json"])
    assert runtime.command("ps", "--format", "json", container.id).ok().json == [container.pid]


def test_a_stopped_container_has_no_processes(runtime, container):
    """ps of a container that has ended"""
    container.kill("KILL").ok()
    container.wait()
    assert not runtime.command("ps", "--format", "json", container.id).ok().json
    refused(runtime.command("ps", "nosuch"), "does not exist")


def test_a_container_without_a_cgroup_has_processes_too(runtime, bundle):
    """--cgroup-manager disabled"""
    del bundle.linux["cgroupsPath"]
    bundle.probe(["fork", 2], "hold").write()
    id = runtime.new_id()
    result = runtime.command(
        "create", "--bundle", bundle.path, id, flags=["--cgroup-manager", "disabled"], stdout=runtime.directory / "out")
    if result.status:
        pytest.skip("this runtime always makes cgroups")
    runtime.command("start", id).ok()
    host.wait_until(lambda: len(runtime.command("ps", "-f", "json", id).ok().json) == 3, "three processes run")
    runtime.command("kill", "--all", id, "KILL").ok()
    host.wait_until(lambda: runtime.command("ps", "-f", "json", id).ok().json == [], "they end")
