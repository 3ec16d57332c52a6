"""The allowed device list (config-linux.md, Allowed Device list): version 1 by lists, version 2 by a program."""

import pytest

DENY_ALL = {"allow": False, "access": "rwm"}
FUSE = {"type": "c", "major": 10, "minor": 229}
NODE = {"path": "/dev/fuse", "fileMode": 0o666, **FUSE}


@pytest.fixture
def look(runtime, bundle, layout):
    """Runs the probe under these rules, with a node for a device that is not among the default ones."""

    def look(rules, *verbs):
        bundle.linux["resources"] = {"devices": rules}
        bundle.linux["devices"] = [NODE]
        return runtime.look(bundle, *verbs)

    return look


def test_a_device_that_no_rule_allows_cannot_be_opened(look):
    """An engine's default: everything is denied, and the default devices work all the same"""
    seen = look([DENY_ALL], ["open", "/dev/fuse", "r"], *(["open", f"/dev/{name}", "b"] for name in (
        "null", "zero", "full", "random", "urandom")))
    assert seen.error("open", "/dev/fuse") == "EPERM"
    for name in ("null", "zero", "full", "random", "urandom"):
        assert seen.error("open", f"/dev/{name}") is None, name


def test_an_allowed_device_can_be_opened(look):
    """{"allow": true} after {"allow": false}"""
    seen = look([DENY_ALL, {"allow": True, **FUSE, "access": "rw"}], ["open", "/dev/fuse", "b"])
    assert seen.error("open", "/dev/fuse", "b") is None


@pytest.mark.parametrize("access, reads, writes", [("r", None, "EPERM"), ("w", "EPERM", None), ("rw", None, None)])
def test_only_the_allowed_kinds_of_access_are_allowed(look, access, reads, writes):
    """access: a composition of r, w and m"""
    rules = [DENY_ALL, {"allow": True, **FUSE, "access": access}]
    seen = look(rules, ["open", "/dev/fuse", "r"], ["open", "/dev/fuse", "w"])
    assert seen.error("open", "/dev/fuse", "r") == reads
    assert seen.error("open", "/dev/fuse", "w") == writes


def test_the_entries_are_applied_in_the_listed_order(look):
    """ "The runtime MUST apply entries in the listed order." """
    allow = {"allow": True, **FUSE, "access": "rwm"}
    deny = {"allow": False, **FUSE, "access": "w"}
    last_denies = look([DENY_ALL, allow, deny], ["open", "/dev/fuse", "r"], ["open", "/dev/fuse", "w"])
    assert last_denies.error("open", "/dev/fuse", "r") is None
    assert last_denies.error("open", "/dev/fuse", "w") == "EPERM"


def test_a_denial_of_everything_forgets_what_was_allowed_before(look):
    """The listed order again: the denial comes last"""
    seen = look([{"allow": True, **FUSE, "access": "rwm"}, DENY_ALL], ["open", "/dev/fuse", "r"])
    assert seen.error("open", "/dev/fuse") == "EPERM"


def test_everything_but_one_device(look):
    """Exceptions from an allowance"""
    rules = [{"allow": True, "access": "rwm"}, {"allow": False, **FUSE, "access": "rw"}]
    seen = look(rules, ["open", "/dev/fuse", "r"], ["open", "/dev/null", "b"])
    assert seen.error("open", "/dev/fuse") == "EPERM"
    assert seen.error("open", "/dev/null") is None


def test_a_rule_without_a_type_is_about_both_types(look):
    """ "Unset values mean "all", mapping to `a`" """
    rules = [DENY_ALL, {"allow": True, "major": 10, "minor": 229, "access": "rw"}]
    seen = look(rules, ["open", "/dev/fuse", "b"])
    assert seen.error("open", "/dev/fuse") is None


@pytest.mark.parametrize("numbers", [{"major": 10}, {"minor": 229}, {"major": 10, "minor": -1}])
def test_a_missing_number_means_every_number(look, numbers):
    """ "Unset values mean "all", mapping to * in the filesystem API" """
    seen = look([DENY_ALL, {"allow": True, "type": "c", "access": "rw", **numbers}], ["open", "/dev/fuse", "b"])
    assert seen.error("open", "/dev/fuse") is None


def test_a_privileged_container_may_use_every_device(look):
    """What engines write for --privileged"""
    seen = look([{"allow": True, "access": "rwm"}], ["open", "/dev/fuse", "b"], ["open", "/dev/null", "b"])
    assert seen.error("open", "/dev/fuse") is None
    assert seen.error("open", "/dev/null") is None


def test_a_node_can_be_made_and_not_used(look):
    """Making nodes is allowed by every engine's default, and harmless"""
    seen = look([DENY_ALL], ["mknod", "/root/fuse", "c", "10", "229"], ["open", "/root/fuse", "r"])
    assert seen.error("mknod", "/root/fuse") is None
    assert seen.error("open", "/root/fuse") == "EPERM"


def test_a_block_device_is_not_the_character_device_of_the_same_number(look):
    """type: b or c"""
    rules = [DENY_ALL, {"allow": True, "type": "b", "major": 10, "minor": 229, "access": "rwm"}]
    assert look(rules, ["open", "/dev/fuse", "r"]).error("open", "/dev/fuse") == "EPERM"
