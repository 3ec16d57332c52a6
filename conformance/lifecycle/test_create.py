"""Create: what exists after it, what does not, and what it refuses (runtime.md, Create)."""

import os
import threading
from pathlib import Path

import pytest

from harness import host, reaper, refused


def test_create_makes_the_environment_but_does_not_run_the_program(runtime, bundle):
    """runtime.md, Lifecycle step 2: the program MUST NOT be run at this time"""
    bundle.shared_directory()
    bundle.config["hostname"] = "of-the-test"
    bundle.probe(["create", "/out/ran"], "report", "hold")
    container = runtime.create(bundle)
    inside = Path(f"/proc/{container.pid}")
    for kind in ("pid", "net", "ipc", "uts", "mnt", "cgroup"):
        assert (inside / "ns" / kind).stat().st_ino != Path(f"/proc/self/ns/{kind}").stat().st_ino
    assert " /dev/shm " in (inside / "mounts").read_text()
    assert (inside / "root/dev/null").is_char_device()
    assert not (bundle.path / "shared/ran").exists()
    assert container.text == ""
    assert container.status == "created"
    container.start().ok()
    assert container.wait_for("hold").report["hostname"] == "of-the-test"


def test_changes_to_config_json_after_create_have_no_effect(runtime, bundle):
    """runtime.md, Lifecycle step 2; Create"""
    bundle.config["hostname"] = "before"
    bundle.process["env"].append("WHEN=before")
    bundle.config["annotations"] = {"when": "before"}
    bundle.hook("poststop", tag="before")
    container = runtime.create(bundle.probe("report"))
    bundle.config["hostname"] = "after"
    bundle.process["env"][-1] = "WHEN=after"
    bundle.process["user"]["uid"] = 1000
    bundle.config["annotations"] = {"when": "after"}
    bundle.config["hooks"]["poststop"][0]["args"][2] = "after"
    bundle.probe("report", ["exit", 3]).write()
    container.start().ok()
    container.wait()
    report = container.seen.report
    assert report["hostname"] == "before"
    assert "WHEN=before" in report["env"]
    assert report["uids"][0] == 0
    assert container.state()["annotations"] == {"when": "before"}
    container.delete().ok()
    assert bundle.seen().tags == ["before"]


def test_config_json_may_even_vanish_after_create(runtime, bundle):
    """runtime.md, Create: changes to config.json have no effect"""
    container = runtime.create(bundle.probe("report"))
    (bundle.path / "config.json").unlink()
    container.start().ok()
    container.wait()
    assert container.seen.report["pid"] == 1
    container.delete().ok()
    runtime.expect_nothing(container.id)


def test_an_id_that_is_taken_is_refused_and_the_first_container_is_untouched(runtime, make_bundle):
    """runtime.md, Create: the ID MUST be unique within the scope of the runtime"""
    first = runtime.create(make_bundle().probe("hold"))
    before = first.state()
    second = make_bundle()
    result = runtime.try_create(second, id=first.id).created
    refused(result, "exist")
    assert first.state() == before
    first.start().ok()
    first.wait_for("hold")
    refused(runtime.try_create(second, id=first.id).created, "exist")
    assert first.status == "running"


@pytest.mark.parametrize("verb", ["create", "run", "restore"])
def test_a_taken_id_is_what_is_told_before_anything_about_the_control_group(runtime, bundle, verb):
    """the command line contract: `container with given ID already exists`; the same bundle has the same cgroupsPath"""
    first = runtime.start(bundle.probe("hold"))
    images = runtime.directory / "images"
    images.mkdir()
    flags = ["--image-path", images] if verb == "restore" else []
    result = runtime.command(verb, *flags, "--bundle", bundle.path, first.id)
    line = refused(result, "container with given ID already exists")
    assert runtime.name != "swrun" or "cgroup" not in line
    assert first.status == "running"


def test_of_many_creates_with_one_id_exactly_one_wins(runtime, make_bundle):
    """runtime.md, Create: a new container MUST NOT be created"""
    bundles = [make_bundle().probe("hold") for _ in range(4)]
    id = runtime.unique()
    results = []
    threads = [
        threading.Thread(target=lambda b=b: results.append(runtime.try_create(b, id=id))) for b in bundles]
    for thread in threads:
        runtime.serial += 1000  # names of files are taken from it
        thread.start()
    for thread in threads:
        thread.join()
    won = [container for container in results if container.created.status == 0]
    assert len(won) == 1, [str(container.created) for container in results]
    assert won[0].state()["bundle"] == str(won[0].bundle.path)
    won[0].start().ok()
    won[0].wait_for("hold")


def test_an_id_may_be_used_again_after_delete(runtime, bundle):
    """runtime.md, Delete: once a container is deleted its ID MAY be used by a subsequent container"""
    for _ in range(2):
        container = runtime.start(bundle.args("/bin/true"), id="again" + runtime.prefix)
        container.wait()
        container.delete().ok()


def test_create_needs_an_id_and_a_bundle(runtime, bundle):
    """runtime.md, Create: MUST generate an error without a path to the bundle and an ID"""
    bundle.write()
    assert runtime.command("create", "--bundle", bundle.path).status != 0
    # the bundle is the working directory unless it is named: here that is none
    refused(runtime.command("create", runtime.new_id(), cwd="/proc"), names=["config.json"])
    refused(runtime.command("create", "--bundle", bundle.path / "nowhere", runtime.new_id()), names=["nowhere"])
    assert runtime.state_entries() == []


def _refuses_id(runtime, bundle, id, *texts):
    container = runtime.try_create(bundle, id=id)
    refused(container.created, *texts)
    assert runtime.state_entries() == []
    assert not (runtime.directory / "x").exists()


@pytest.mark.parametrize("id", ["", ".", "..", "a/b", "/", "../x", "x/..", "a/"])
def test_an_id_that_leads_out_of_the_state_directory_is_refused(runtime, bundle, id):
    """runtime.md, Create: an ID that is not valid in any other way MUST generate an error"""
    _refuses_id(runtime, bundle, id)


@pytest.mark.parametrize("id", ["a b", "a\nb", "é", "a:b", "~", "x*", "a\\b"])
def test_an_id_of_other_characters_than_the_contract_allows_is_refused(runtime, bundle, id):
    """the command line contract: the characters of an ID, and `invalid container ID format`"""
    _refuses_id(runtime, bundle, id, "invalid container ID format")


@pytest.mark.parametrize("id", ["a", "0", "A.b-c_d+e", "-leading", "..x", "x" * 200])
def test_an_id_of_letters_digits_and_a_few_signs_is_accepted(runtime, bundle, id):
    """the command line contract: the characters of an ID"""
    bundle.write()
    runtime.ids.append(id)
    runtime.command("create", "--bundle", bundle.path, "--", id).ok()
    state = runtime.command("state", "--", id).ok().json
    assert state["id"] == id
    runtime.command("delete", "--force", "--", id).ok()
    runtime.expect_nothing(bundle.name)


def test_what_cannot_be_applied_makes_create_fail_and_nothing_is_left(runtime, bundle):
    """runtime.md, Create: if the runtime cannot apply a property a new container MUST NOT be created"""
    bundle.linux["sysctl"] = {"kernel.shm_rmid_forced": "not a number"}
    runtime.refuses(bundle)
    bundle.linux["sysctl"] = {}
    bundle.mount("/mnt", "nothing", "no-such-file-system")
    runtime.refuses(bundle)


def test_a_create_that_was_killed_can_be_deleted_and_done_again(runtime, bundle):
    """runtime.md, Errors: the environment MUST be left as if the operation were never attempted"""
    bundle.hook("createRuntime", ["create", str(bundle.path / "reached")], ["sleep", 60])
    bundle.probe("report").write()
    id = runtime.new_id()
    process = runtime.spawn("create", "--bundle", bundle.path, id)
    host.wait_until((bundle.path / "reached").exists, "the hook runs")
    process.kill()
    process.wait()
    runtime.command("delete", "--force", id).ok()
    del bundle.config["hooks"]
    again = runtime.start(bundle, id=id)
    again.wait()
    assert again.seen.report["pid"] == 1
    again.delete().ok()
    _end_sleepers(bundle)
    runtime.expect_nothing(id)


def _end_sleepers(bundle) -> None:
    """The hook outlives the runtime that was killed: nobody can have ended it."""
    for pid in reaper.descendants():
        try:
            if str(bundle.written).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, 9)
        except OSError:
            pass


def test_the_state_directory_is_closed_to_others(runtime, bundle):
    """what it holds decides what happens as root"""
    container = runtime.create(bundle)
    directory = runtime.root / container.id
    assert directory.stat().st_mode & 0o077 & ~0o011 == 0
