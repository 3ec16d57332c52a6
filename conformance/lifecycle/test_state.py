"""State: its fields, their values, and the document as a whole (runtime.md, State and Query State)."""

import os
from datetime import datetime, timezone
from pathlib import Path

from harness import refused
from harness.schema import validate


def test_the_state_follows_the_container_from_created_over_running_to_stopped(runtime, bundle):
    """runtime.md, State: status, pid"""
    container = runtime.create(bundle.probe("hold"))
    created = container.state()
    validate(created, "state")
    assert created["status"] == "created"
    assert created["id"] == container.id
    assert created["bundle"] == str(bundle.path)
    assert Path(f"/proc/{created['pid']}").exists()

    container.start().ok()
    container.wait_for("hold")
    running = container.state()
    validate(running, "state")
    assert running["status"] == "running"
    assert running["pid"] == created["pid"], "the container process is one process from create to its end"
    assert Path(f"/proc/{running['pid']}/root/bin/probe").exists()

    container.kill("KILL").ok()
    stopped = container.wait("stopped").state()
    validate(stopped, "state")
    assert stopped.get("pid", 0) == 0
    assert (stopped["id"], stopped["bundle"]) == (container.id, str(bundle.path))


def test_a_container_whose_program_has_ended_is_stopped_until_it_is_deleted(runtime, bundle):
    """runtime.md, State: stopped; Lifecycle, steps 10 and 11"""
    container = runtime.start(bundle.args("/bin/true"))
    container.wait("stopped")
    assert container.status == "stopped"
    container.delete().ok()
    assert container.runtime.command("state", container.id).status == 1


def test_a_created_container_whose_process_was_killed_is_stopped(runtime, bundle):
    """runtime.md, State: created means that the process has neither exited nor run the program"""
    container = runtime.create(bundle.probe("hold"))
    os.kill(container.pid, 9)
    container.wait("stopped")


def test_the_bundle_is_an_absolute_path_however_it_was_given(runtime, bundle):
    """runtime.md, State: bundle"""
    bundle.probe("hold")
    for given, place in ((".", bundle.path), (bundle.path.name + "/", bundle.path.parent), (None, bundle.path)):
        container = runtime.new_id()
        bundle.linux["cgroupsPath"] = f"/{container}"
        bundle.write()
        words = [] if given is None else ["--bundle", given]
        runtime.command("create", *words, container, cwd=place).ok()
        assert runtime.command("state", container).ok().json["bundle"] == str(bundle.path)
        runtime.command("delete", "--force", container).ok()


def test_annotations_appear_in_the_state(runtime, bundle):
    """runtime.md, State: annotations; config.md, Annotations: values may be empty"""
    annotations = {"com.example.key": "value", "com.example.empty": "", "com.example.text": "line\n\"quoted\" \\ é"}
    bundle.config["annotations"] = annotations
    state = runtime.create(bundle).state()
    validate(state, "state")
    assert state["annotations"] == annotations


def test_without_annotations_the_property_is_absent_or_empty(runtime, bundle):
    """runtime.md, State: annotations"""
    assert not runtime.create(bundle).state().get("annotations")


def test_the_state_tells_rootfs_and_the_time_of_creation(runtime, bundle):
    """the command line contract: engines read rootfs and created (RFC 3339)"""
    before = datetime.now(timezone.utc).timestamp()
    state = runtime.create(bundle).state()
    assert state["rootfs"] == str(bundle.rootfs)
    created = state["created"].replace("Z", "+00:00")
    head, _, rest = created.partition(".")
    moment = datetime.fromisoformat(head + rest[len(rest.split("+")[0].split("-")[0]):] if rest else head)
    assert before - 2 <= moment.timestamp() <= before + 60


def test_state_prints_one_document_and_no_word_more(runtime, bundle):
    """the command line contract: engines parse both streams together"""
    container = runtime.create(bundle)
    result = container.runtime.command("state", container.id).ok()
    assert result.stderr == ""
    assert isinstance(result.json, dict)


def test_the_state_of_an_unknown_container_is_an_error(runtime):
    """runtime.md, Query State"""
    result = runtime.command("state", runtime.unique())
    refused(result, "does not exist")
    assert result.stdout == ""


def test_state_without_an_id_is_an_error(runtime):
    """runtime.md, Query State"""
    assert runtime.command("state").status != 0


def test_the_version_in_the_state_is_one_that_the_runtime_speaks(runtime, bundle):
    """runtime.md, State: ociVersion is the version with which the state complies"""
    version = runtime.create(bundle).state()["ociVersion"]
    assert version.split(".")[0] == "1"
