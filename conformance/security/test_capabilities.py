"""No capability is inheritable that nobody asked for (CVE-2022-29162, CVE-2022-27650): a program with file capabilities
would raise it, although the process that executes it may not."""

import json

import pytest

from harness import capability_bits
from harness.config import CAPABILITIES

NONE = "0" * 16


def test_a_container_has_no_inheritable_capabilities_by_default(runtime, bundle):
    """config.md, capabilities: inheritable is not set"""
    found = runtime.look(bundle).report["capabilities"]
    assert (found["inheritable"], found["ambient"]) == (NONE, NONE)
    assert found["bounding"] == found["effective"] == found["permitted"] == capability_bits(*CAPABILITIES)


@pytest.mark.parametrize("user", [0, 1000])
@pytest.mark.parametrize("user_namespace", [False, True])
def test_what_the_runtime_itself_inherited_is_not_passed_on(runtime, bundle, user, user_namespace):
    """the caller of the runtime has inheritable and ambient capabilities"""
    if user_namespace:
        bundle.user_namespace()
    bundle.process["user"] = {"uid": user, "gid": user}
    bundle.capabilities()
    runtime.wrapper = ["setpriv", "--inh-caps", "+net_admin,+sys_ptrace", "--ambient-caps", "+net_admin,+sys_ptrace", "--"]
    found = runtime.look(bundle).report["capabilities"]
    assert set(found.values()) == {NONE}, found


def test_no_capabilities_at_all_means_none(runtime, bundle):
    """config.md, capabilities: a section that is missing grants nothing"""
    del bundle.process["capabilities"]
    found = runtime.look(bundle).report["capabilities"]
    assert set(found.values()) == {NONE}, found


def test_an_ordinary_user_gains_nothing_by_executing_a_program(runtime, bundle):
    """the bounding set of a container whose process is no root; a program that a user executes in it"""
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.process["noNewPrivileges"] = False
    bundle.capabilities(*CAPABILITIES, sets=("bounding", "inheritable", "permitted", "effective"))
    bundle.probe(["exec", "/bin/probe", "report"])
    found = runtime.look(bundle).report["capabilities"]
    assert (found["effective"], found["permitted"], found["ambient"]) == (NONE, NONE, NONE)


def test_the_specification_that_the_runtime_prints_asks_for_none(runtime, bundle):
    """`spec`: what everybody starts from"""
    directory = runtime.directory / "printed"
    directory.mkdir()
    runtime.command("spec", "--bundle", directory).ok()
    process = json.loads((directory / "config.json").read_text())["process"]
    assert not process["capabilities"].get("inheritable")
    assert not process["capabilities"].get("ambient")
