"""Kill: which signals, to whom, and when (runtime.md, Kill)."""

import signal

import pytest

from harness import refused
from harness.reaper import descendants, orphan_status


def test_kill_sends_the_signal_by_number_or_name(runtime, bundle):
    """runtime.md, Kill: MUST send the specified signal; the command line contract: TERM, SIGTERM, 15"""
    container = runtime.start(bundle.probe("signals"))
    container.wait_for("signals")
    given = ["1", "INT", "SIGQUIT", "USR1", "SIGUSR2", "10", "TERM"]
    for word in given:
        count = len(container.seen.all("signals"))
        container.kill(word).ok()
        container.wait_for("signals", count + 1)
    container.wait()
    assert [line["signal"] for line in container.seen.all("signals") if "signal" in line] == [1, 2, 3, 10, 12, 10, 15]


def test_kill_sends_term_unless_told_otherwise(runtime, bundle):
    """the command line contract: kill ID [SIGNAL=TERM]"""
    container = runtime.start(bundle.probe("signals"))
    container.wait_for("signals")
    container.kill().ok()
    container.wait()
    assert container.seen.all("signals")[-1]["signal"] == signal.SIGTERM


def test_a_created_container_can_be_killed(runtime, bundle):
    """runtime.md, Kill: created or running"""
    container = runtime.create(bundle.probe("say"))
    pid = container.pid
    container.kill("KILL").ok()
    assert orphan_status(pid, 10) == -signal.SIGKILL
    container.wait("stopped")
    assert container.text == ""


def test_a_stopped_container_cannot_be_killed(runtime, bundle):
    """runtime.md, Kill: MUST have no effect and MUST generate an error; the contract: `container not running`"""
    container = runtime.start(bundle.args("/bin/true")).wait()
    refused(container.kill("KILL"), "container not running")
    assert container.status == "stopped"


def test_an_unknown_container_cannot_be_killed(runtime):
    """runtime.md, Kill; the command line contract: `does not exist`"""
    refused(runtime.command("kill", runtime.unique(), "KILL"), "does not exist")


def test_kill_without_an_id_is_an_error(runtime):
    """runtime.md, Kill"""
    assert runtime.command("kill").status != 0


@pytest.mark.parametrize("word", ["NOSUCH", "SIG", "999", "-1", "9x"])
def test_a_signal_that_does_not_exist_is_refused(runtime, bundle, word):
    """config.md, Valid values: an error for invalid values, and no effect"""
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    refused(runtime.command("kill", "--", container.id, word), "signal")
    assert container.status == "running"


def test_kill_all_reaches_every_process_of_the_container(runtime, bundle):
    """the command line contract: kill --all; also without a pid namespace of its own"""
    bundle.without_namespace("pid").probe(["fork", 3], "hold")
    container = runtime.start(bundle)
    container.wait_for("hold")
    pids = [container.pid, *container.seen("fork")["children"]]
    assert set(pids) <= set(descendants())
    runtime.command("kill", "--all", container.id, "KILL").ok()
    container.wait()
    assert not set(pids) & set(descendants())


def test_kill_all_of_a_stopped_container_is_no_error(runtime, bundle):
    """the command line contract: containerd kills all after the end"""
    container = runtime.start(bundle.args("/bin/true")).wait()
    runtime.command("kill", "--all", container.id, "KILL").ok()


def test_killing_the_first_process_of_a_pid_namespace_ends_the_container(runtime, bundle):
    """runtime.md, Lifecycle step 10"""
    container = runtime.start(bundle.probe(["fork", 2], "hold"))
    container.wait_for("hold")
    container.kill("9").ok()
    container.wait()
    container.delete().ok()
    runtime.expect_nothing(container.id)
