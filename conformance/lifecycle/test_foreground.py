"""run in the foreground and detached: exit statuses and signals (the command line contract)."""

import json
import signal

import pytest

from harness import host
from harness.reaper import orphan_status


@pytest.mark.parametrize("status", [0, 1, 3, 125, 126, 127, 255])
def test_run_ends_with_the_exit_status_of_the_program(runtime, bundle, status):
    """the command line contract: the child's code"""
    result = runtime.run(bundle.probe(["exit", status]))
    assert result.status == status
    runtime.expect_nothing()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_run_ends_with_128_and_the_signal_that_killed_the_program(runtime, bundle, number):
    """the command line contract: 128+sig"""
    bundle.without_namespace("pid").probe(["raise", int(number)])
    assert runtime.run(bundle).status == 128 + number
    runtime.expect_nothing()


def test_run_passes_signals_on_to_the_program(runtime, bundle):
    """the command line contract: foreground with signal forwarding"""
    bundle.probe("signals").write()
    out = runtime.directory / "forwarded"
    with open(out, "wb") as stdout:
        process = runtime.spawn("run", "--bundle", bundle.path, runtime.new_id(), stdout=stdout)
    host.wait_until(lambda: "ready" in out.read_text(), "the program is ready")
    expected = []
    for name in ("HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "CONT", "TERM"):
        number = getattr(signal, f"SIG{name}")
        expected.append(int(number))
        process.send_signal(number)
        host.wait_until(lambda: f'"signal":{int(number)}}}' in out.read_text(), f"SIG{name} arrives")
    assert process.wait(10) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["signal"] for line in lines if "signal" in line] == expected
    runtime.expect_nothing()


def test_run_waits_for_the_program_only_and_ends_the_rest(runtime, bundle):
    """runtime.md, Delete: nothing is left of the container"""
    result = runtime.run(bundle.without_namespace("pid").probe(["fork", 2], ["exit", 4]), seconds=5)
    assert result.status == 4
    runtime.expect_nothing()


def test_run_detached_returns_while_the_program_runs(runtime, bundle):
    """the command line contract: run --detach"""
    bundle.probe("report", "hold").write()
    id, out = runtime.new_id(), runtime.directory / "detached"
    runtime.command("run", "-d", "--bundle", bundle.path, id, stdout=out).ok()
    host.wait_until(lambda: '"verb":"hold"' in out.read_text(), "the program is ready")
    state = runtime.command("state", id).ok().json
    assert state["status"] == "running"
    runtime.command("kill", id, "TERM").ok()
    assert orphan_status(state["pid"], 10) == 0
    runtime.command("delete", "--force", id).ok()


def test_the_monitor_of_a_detached_container_gets_its_exit_status(runtime, bundle):
    """the command line contract: the container's first process falls to the nearest subreaper"""
    container = runtime.create(bundle.probe(["exit", 9]))
    pid = container.pid
    container.start().ok()
    assert orphan_status(pid, 10) == 9


def test_run_keep_leaves_the_stopped_container(runtime, bundle):
    """the command line contract: run --keep"""
    id = runtime.new_id()
    bundle.probe(["exit", 5]).write()
    result = runtime.command("run", "--keep", "--bundle", bundle.path, id)
    assert result.status == 5, result
    assert runtime.command("state", id).ok().json["status"] == "stopped"
    runtime.command("delete", id).ok()
    runtime.expect_nothing(id)


def test_run_refuses_an_id_that_is_taken(runtime, make_bundle):
    """runtime.md, Create: the ID MUST be unique"""
    first = runtime.create(make_bundle().probe("hold"))
    result = runtime.run(make_bundle().probe("say"), id=first.id)
    assert result.status > 0 and result.stdout == ""
    assert first.status == "created"


def test_the_program_leads_a_session_of_its_own(runtime, bundle):
    """a signal of the caller's terminal must not reach it, and it can get a controlling terminal"""
    report = runtime.look(bundle).report
    assert report["sid"] == report["pgid"] == report["pid"]


def test_the_program_starts_with_signals_as_a_program_expects_them(runtime, bundle):
    """what the runtime blocks or ignores for itself is not inherited"""
    report = runtime.look(bundle).report
    assert report["signals_blocked"] == []
    assert report["signals_ignored"] == []


def test_the_program_is_not_killed_when_the_runtime_ends(runtime, bundle):
    """runtime.md, Scope: create and start are separate commands; the process outlives both"""
    container = runtime.start(bundle.probe("report", "hold"))
    report = container.wait_for("hold").report
    assert report["parent_death_signal"] == 0
    assert container.status == "running"
