"""apparmorProfile, selinuxLabel, mountLabel (config.md, Linux Process; config-linux.md, Mount Label)."""

from pathlib import Path

import pytest

from harness import refused

APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
SELINUX = Path("/sys/fs/selinux/enforce")


def _apparmor() -> bool:
    return APPARMOR.exists() and APPARMOR.read_text().strip() == "Y"


def test_a_profile_that_the_kernel_cannot_apply_is_an_error(runtime, bundle):
    """runtime.md, Create: if the runtime cannot apply a property, it MUST generate an error"""
    bundle.process["apparmorProfile"] = "no-such-profile-anywhere"
    runtime.refuses(bundle, "apparmor")


@pytest.mark.skipif(not _apparmor(), reason="this kernel has no AppArmor")
def test_the_process_is_confined_by_the_profile(runtime, bundle):
    """config.md, Linux Process: apparmorProfile"""
    bundle.process["apparmorProfile"] = "unconfined"
    assert runtime.look(bundle).report["label"].startswith("unconfined")


@pytest.mark.vm
def test_a_profile_holds_for_the_process_and_its_children(runtime, bundle, profile):
    """config.md, Linux Process: apparmorProfile"""
    bundle.process["apparmorProfile"] = profile
    bundle.config["root"]["readonly"] = False
    seen = runtime.look(
        bundle, "report", ["create", "/tmp/allowed"], ["create", "/tmp/forbidden"],
        ["exec", "/bin/cat", "/proc/self/attr/current"])
    assert seen.report["label"].strip() == f"{profile} (enforce)"
    assert seen.error("create", "/tmp/allowed") is None
    assert seen.error("create", "/tmp/forbidden") == "EACCES"
    assert f"\n{profile} (enforce)\n" in seen.text


@pytest.mark.vm
@pytest.mark.parametrize("when", ["no new privileges", "a user of its own"])
def test_a_profile_goes_with_other_ways_of_confinement(runtime, bundle, profile, when):
    """config.md, Linux Process: apparmorProfile; it is set before the rights to set it are given up"""
    bundle.process["apparmorProfile"] = profile
    if when == "no new privileges":
        bundle.process["noNewPrivileges"] = True
    else:
        bundle.process["user"] = {"uid": 1000, "gid": 1000}
        bundle.capabilities()
    assert runtime.look(bundle).report["label"].strip() == f"{profile} (enforce)"


@pytest.mark.skipif(SELINUX.exists(), reason="this kernel has SELinux")
def test_a_label_that_the_kernel_cannot_apply_is_an_error(runtime, bundle):
    """runtime.md, Create: if the runtime cannot apply a property, it MUST generate an error"""
    bundle.process["selinuxLabel"] = "system_u:system_r:container_t:s0:c1,c2"
    runtime.refuses(bundle, "selinux")


@pytest.fixture
def said_to_have_selinux(runtime):
    """The runtime sees the file by which a kernel with SELinux is known: what it does then, no kernel of ours takes."""
    if SELINUX.exists():
        pytest.skip("this kernel has SELinux")
    room = runtime.directory / "room"
    room.mkdir()
    furnish = """
        mount -t tmpfs tmpfs "$0" && mkdir "$0/cgroup" "$0/selinux" && echo 1 >"$0/selinux/enforce" &&
        mount --rbind /sys/fs/cgroup "$0/cgroup" && mount --move "$0" /sys/fs && exec "$@" """
    runtime.wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c", furnish, str(room)]


def test_the_label_is_written_for_the_program(runtime, bundle, said_to_have_selinux):
    """config.md, Linux Process: selinuxLabel; the kernel's answer is told, and its file"""
    bundle.process["selinuxLabel"] = "system_u:system_r:container_t:s0:c1,c2"
    container = runtime.try_create(bundle, "--no-new-keyring")
    refused(container.created, names=["process.selinuxLabel", "/proc/self/attr/exec"])
    runtime.expect_nothing()


def test_the_keyring_of_the_program_has_its_label(runtime, bundle, said_to_have_selinux):
    """config.md, Linux Process: selinuxLabel; with that of the runtime, the program could not use its keyring"""
    bundle.process["selinuxLabel"] = "system_u:system_r:container_t:s0:c1,c2"
    runtime.refuses(bundle, "process.selinuxLabel", "/proc/self/attr/keycreate")


def test_the_label_of_mounts_is_given_to_new_filesystems(runtime, bundle, said_to_have_selinux):
    """config-linux.md, Mount Label: the kernel's answer is told, and the mount"""
    bundle.linux["mountLabel"] = "system_u:object_r:container_file_t:s0:c1,c2"
    runtime.refuses(bundle, "mounts[", "context=")


def test_empty_labels_mean_none(runtime, bundle):
    """config.md, Linux Process: engines write empty strings for nothing"""
    bundle.process |= {"apparmorProfile": "", "selinuxLabel": ""}
    bundle.linux["mountLabel"] = ""
    assert runtime.look(bundle).report["pid"] == 1
