"""capabilities: the five sets (config.md, Linux Process)."""

import pytest

from harness import capability_bits, host

SOME = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT"]
ALL_SETS = ("bounding", "effective", "permitted", "inheritable", "ambient")


def test_root_has_exactly_the_capabilities_of_the_configuration(runtime, bundle):
    """config.md, Linux Process: bounding, permitted, effective"""
    sets = runtime.look(bundle.capabilities(*SOME)).report["capabilities"]
    expected = capability_bits(*SOME)
    assert sets["bounding"] == sets["permitted"] == sets["effective"] == expected
    assert sets["inheritable"] == sets["ambient"] == capability_bits()


def test_the_bounding_set_bounds_what_can_be_gained(runtime, bundle):
    """config.md, Linux Process: bounding; it may be larger than what the process has"""
    bundle.process["noNewPrivileges"] = False
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.process["capabilities"] = {"bounding": SOME}
    sets = runtime.look(bundle).report["capabilities"]
    assert sets["bounding"] == capability_bits(*SOME)
    assert sets["permitted"] == sets["effective"] == sets["ambient"] == capability_bits()


def test_a_user_keeps_ambient_capabilities(runtime, bundle):
    """config.md, Linux Process: ambient; capabilities(7): they need permitted and inheritable"""
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.capabilities(*SOME, sets=ALL_SETS)
    bundle.process["capabilities"]["ambient"] = ["CAP_KILL", "CAP_NET_BIND_SERVICE"]
    sets = runtime.look(bundle).report["capabilities"]
    kept = capability_bits("CAP_KILL", "CAP_NET_BIND_SERVICE")
    assert sets["ambient"] == sets["permitted"] == sets["effective"] == kept
    assert sets["inheritable"] == sets["bounding"] == capability_bits(*SOME)


def test_the_inheritable_set_is_that_of_the_configuration(runtime, bundle):
    """config.md, Linux Process: inheritable"""
    bundle.capabilities(*SOME, sets=ALL_SETS)
    bundle.process["capabilities"] |= {"inheritable": ["CAP_CHOWN"], "ambient": []}
    sets = runtime.look(bundle).report["capabilities"]
    assert sets["inheritable"] == capability_bits("CAP_CHOWN")
    assert sets["ambient"] == capability_bits()


@pytest.mark.parametrize("given", [{}, {kind: [] for kind in ALL_SETS}])
def test_no_capability_is_left_when_none_is_given(runtime, bundle, given):
    """config.md, Linux Process: the capabilities that are kept"""
    bundle.process["capabilities"] = given
    assert set(runtime.look(bundle).report["capabilities"].values()) == {capability_bits()}


def test_a_capability_that_the_configuration_lacks_is_really_absent(runtime, bundle):
    """config.md, Linux Process: what the kernel then denies"""
    bundle.capabilities("CAP_CHOWN").probe(
        ["chown", "/etc/group", 1, 1], ["syscall", "sethostname", "@x", 1], ["chroot", "/tmp"], ["mknod", "/tmp/n", "c", 1, 3])
    seen = runtime.look(bundle)
    assert seen.error("chown") is None
    assert [seen.error(verb) for verb in ("syscall", "chroot", "mknod")] == ["EPERM"] * 3


def test_an_unknown_capability_is_a_warning(runtime, bundle):
    """config.md, Linux Process: any value which cannot be mapped MUST be logged as a warning; SHOULD NOT fail"""
    bundle.capabilities("CAP_CHOWN", "CAP_OF_TOMORROW")
    result = runtime.run(bundle).ok()
    assert result.seen.report["capabilities"]["effective"] == capability_bits("CAP_CHOWN")
    assert "CAP_OF_TOMORROW" in result.stderr


def test_a_capability_that_cannot_be_granted_is_a_warning(runtime, bundle):
    """config.md, Linux Process: or cannot be granted otherwise MUST be logged as a warning; SHOULD NOT fail"""
    lacking = [name for name in host.CAPABILITIES if not host.may_grant(name)]
    if not lacking:
        lacking = ["SYS_RESOURCE"]
        runtime.wrapper = ["setpriv", "--bounding-set", "-sys_resource", "--"]
    bundle.capabilities("CAP_CHOWN", f"CAP_{lacking[0]}")
    result = runtime.run(bundle).ok()
    assert result.seen.report["capabilities"]["effective"] == capability_bits("CAP_CHOWN")
    assert f"CAP_{lacking[0]}" in result.stderr


def test_every_capability_that_the_host_has_can_be_granted(runtime, bundle):
    """config.md, Linux Process: valid values are those of capabilities(7)"""
    names = [f"CAP_{name}" for name in host.CAPABILITIES if host.may_grant(name)]
    result = runtime.run(bundle.capabilities(*names)).ok()
    assert result.seen.report["capabilities"]["effective"] == capability_bits(*names)
    assert result.stderr == ""


def test_capabilities_of_a_user_namespace_do_not_reach_outside(runtime, bundle):
    """config.md, Linux Process; config-linux.md, User namespace mappings"""
    bundle.user_namespace().capabilities("CAP_SYS_ADMIN", "CAP_CHOWN", "CAP_SYS_TIME")
    bundle.probe("report", ["syscall", "clock_settime", 0, 0], ["syscall", "sethostname", "@x", 1])
    seen = runtime.look(bundle)
    assert seen.report["capabilities"]["effective"] == capability_bits("CAP_SYS_ADMIN", "CAP_CHOWN", "CAP_SYS_TIME")
    assert seen.error("syscall", "clock_settime") in ("EPERM", "EFAULT")
    assert seen.error("syscall", "sethostname") is None
