"""Start: only once, only of a created container (runtime.md, Start)."""

from harness import host, refused


def test_start_runs_the_program_of_the_configuration(runtime, bundle):
    """runtime.md, Start: MUST run the user-specified program"""
    container = runtime.create(bundle.probe(["say", "one", "two"]))
    container.start().ok()
    container.wait()
    assert container.seen("say")["arguments"] == ["one", "two"]


def test_starting_a_running_container_is_an_error_without_effect(runtime, bundle):
    """runtime.md, Start: MUST have no effect and MUST generate an error"""
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    before = container.state()
    refused(container.start(), "cannot start an already running container")
    assert container.state() == before
    assert len(container.seen.all("hold")) == 1


def test_starting_a_stopped_container_is_an_error_without_effect(runtime, bundle):
    """runtime.md, Start: MUST have no effect and MUST generate an error"""
    container = runtime.start(bundle.probe("say"))
    container.wait()
    refused(container.start(), "cannot start a container that has stopped")
    assert container.status == "stopped"
    assert len(container.seen.all("say")) == 1


def test_starting_an_unknown_container_is_an_error(runtime):
    """runtime.md, Start; the command line contract: `does not exist`"""
    refused(runtime.command("start", runtime.unique()), "does not exist")


def test_start_without_an_id_is_an_error(runtime):
    """runtime.md, Start"""
    assert runtime.command("start").status != 0


def test_a_configuration_without_process_cannot_be_started(runtime, bundle):
    """runtime.md, Start: MUST generate an error if `process` was not set (create may refuse it already)"""
    del bundle.config["process"]
    container = runtime.try_create(bundle)
    if container.created.status == 0:
        refused(container.start(), names=["process"])
        assert container.status != "running"
    else:
        refused(container.created, names=["process"])
        runtime.expect_nothing(container.id)


def test_of_two_starts_at_once_exactly_one_succeeds(runtime, bundle):
    """runtime.md, Start: a container that is not created MUST NOT be started"""
    container = runtime.create(bundle.probe("hold"))
    processes = [runtime.spawn("start", container.id) for _ in range(4)]
    codes = sorted(process.wait(host.timeout(5)) for process in processes)
    assert codes[0] == 0 and 0 not in codes[1:], codes
    container.wait_for("hold")
    assert len(container.seen.all("hold")) == 1
