"""AppArmor and SELinux for exec (config.md, Linux Process; the command line contract: --apparmor, --process-label)."""

import pytest

from harness import refused


@pytest.mark.vm
@pytest.mark.parametrize("users", ["host's", "own"])
def test_the_profile_of_the_container_holds_and_another_can_be_named(start, bundle, runtime, profile, users):
    """config.md, Linux Process: apparmorProfile; the contract: --apparmor"""
    if users == "own":
        bundle.user_namespace().without_mount("/sys")
        bundle.linux["maskedPaths"] = ["/proc/kcore", "/proc/keys"]
    plain = start()
    assert plain.look(flags=["--apparmor", profile]).report["label"].strip() == f"{profile} (enforce)"
    seen = plain.look("report", ["create", "/tmp/forbidden"])
    assert "enforce" not in seen.report["label"] and seen.error("create", "/tmp/forbidden") is None


@pytest.mark.vm
def test_the_label_reaches_the_kernel_or_nothing_runs(start, bundle, profile):
    """a container that covers its /proc must not keep its own profile from later processes (CVE-2019-16884)"""
    bundle.add_capabilities("CAP_SYS_ADMIN")
    bundle.process["apparmorProfile"] = profile
    container = start()
    container.exec("/bin/probe", "mount", "none", "/proc", "tmpfs", "0", "").ok()
    for words in (["mkdir", "-p", "/proc/self/attr/apparmor"], ["touch", "/proc/self/attr/exec"],
                  ["touch", "/proc/self/attr/apparmor/exec"]):
        if container.exec("/bin/busybox", *words).status:
            return  # a runtime that runs nothing under such a /proc is deceived by nothing
    result = container.exec("/bin/probe", "create", "/tmp/forbidden")
    assert result.status != 0 or result.seen.error("create", "/tmp/forbidden") == "EACCES"


def test_a_label_that_the_kernel_cannot_apply_is_an_error(container):
    """runtime.md: a property that cannot be applied is an error"""
    refused(
        container.exec("/bin/true", flags=["--process-label", "system_u:system_r:container_t:s0:c1,c2"]),
        names=["selinux"], status=255)
