"""A container cannot look into the runtime while it makes another container in the same namespaces (CVE-2016-9962).

The first process of a container is the runtime, with descriptors of the host, until it executes the program. In a
shared pid namespace (a pod) the processes of other containers see it."""

import pytest

from harness.config import CAPABILITIES
from harness.host import CAPABILITIES as ALL
from security.support import RACES, Snooper

# What shows that ptrace(2) access to a process was granted; /proc/PID/cmdline and the like are everybody's.
MAPPING = {"containerID": 0, "hostID": 100000, "size": 65536}
ACCESS = ("exe", "caught", "descriptor", "directory", "root", "cwd", "environ", "mem")


def _create_many(runtime, snooper, make_bundle, kinds, count, user_namespace=False):
    """Containers that are made and not started: the only process in them is the runtime."""
    for _ in range(count):
        victim = snooper.join(make_bundle(), *kinds)
        if user_namespace:
            victim.linux |= {key: [dict(MAPPING)] for key in ("uidMappings", "gidMappings")}
            victim.without_mount("/sys").without_mount("/dev/mqueue")
        runtime.create(victim).delete("--force").ok()
    snooper.finish()


def _allowed(snooper) -> list[dict]:
    return [entry for entry in snooper.all(*ACCESS)]


def test_root_of_a_container_cannot_look_into_the_runtime(runtime, make_bundle, attacker_program):
    """with the capabilities that engines give by default"""
    snooper = Snooper(runtime, make_bundle(), attacker_program)
    _create_many(runtime, snooper, make_bundle, ["pid"], max(10, RACES // 2))
    assert not _allowed(snooper), _allowed(snooper)


@pytest.mark.parametrize("capabilities", [CAPABILITIES, [f"CAP_{name}" for name in ALL]], ids=["default", "all"])
def test_root_of_a_user_namespace_cannot_look_into_the_runtime(
        runtime, make_bundle, attacker_program, capabilities):
    """pods share a user namespace: every capability in it is none over the runtime, from its first moment there"""
    attack = make_bundle().user_namespace().without_mount("/sys").capabilities(*capabilities)
    snooper = Snooper(runtime, attack, attacker_program)
    _create_many(runtime, snooper, make_bundle, ["user", "pid"], RACES, user_namespace=True)
    assert not _allowed(snooper), _allowed(snooper)
