"""apparmorProfile, selinuxLabel, mountLabel (config.md, Linux Process; config-linux.md, Mount Label)."""

from pathlib import Path

import pytest

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


@pytest.mark.skipif(SELINUX.exists(), reason="this kernel has SELinux")
def test_a_label_that_the_kernel_cannot_apply_is_an_error(runtime, bundle):
    """runtime.md, Create: if the runtime cannot apply a property, it MUST generate an error"""
    bundle.process["selinuxLabel"] = "system_u:system_r:container_t:s0:c1,c2"
    runtime.refuses(bundle, "selinux")


def test_empty_labels_mean_none(runtime, bundle):
    """config.md, Linux Process: engines write empty strings for nothing"""
    bundle.process |= {"apparmorProfile": "", "selinuxLabel": ""}
    bundle.linux["mountLabel"] = ""
    assert runtime.look(bundle).report["pid"] == 1
