"""cwd (config.md, Process)."""

import os

import pytest

from harness import refused


def test_the_program_starts_in_its_working_directory(runtime, bundle):
    """config.md, Process: cwd is the working directory that will be set"""
    bundle.process["cwd"] = "/usr/bin"
    seen = runtime.look(bundle, "report", ["lstat", "../bin"])
    assert seen.report["cwd"] == "/usr/bin"
    assert seen.error("lstat") is None


def test_the_working_directory_may_be_on_a_mount(runtime, bundle):
    """config.md, Process: cwd; Mounts"""
    shared = bundle.shared_directory()
    (shared / "deep").mkdir()
    bundle.process["cwd"] = "/out/deep"
    assert runtime.look(bundle).report["cwd"] == "/out/deep"


def test_a_link_in_the_working_directory_leads_where_it_leads_inside(runtime, bundle):
    """config.md, Process: cwd, in the container"""
    (bundle.rootfs / "link").symlink_to("/usr/bin")
    bundle.process["cwd"] = "/link"
    assert runtime.look(bundle).report["cwd"] == "/usr/bin"


@pytest.mark.parametrize("cwd", ["", "usr", "./usr", ".."])
def test_a_working_directory_that_is_not_absolute_is_refused(runtime, bundle, cwd):
    """config.md, Process: this value MUST be an absolute path"""
    bundle.process["cwd"] = cwd
    runtime.refuses(bundle, "cwd")


def test_a_working_directory_that_is_a_file_is_refused(runtime, bundle):
    """runtime.md, Create: a property that cannot be applied"""
    bundle.process["cwd"] = "/etc/passwd"
    result = runtime.run(bundle)
    refused(result, names=["cwd"])
    runtime.expect_nothing()


def test_a_missing_working_directory_is_made_or_refused(runtime, bundle):
    """config.md, Process: cwd will be set (runc makes the directory)"""
    bundle.process["cwd"] = "/not/there"
    result = runtime.run(bundle)
    if result.status == 0:
        assert result.seen.report["cwd"] == "/not/there"
    else:
        refused(result, names=["cwd"])


def test_a_user_may_work_in_a_directory_that_only_root_could_enter(runtime, bundle):
    """config.md, Process: cwd, user: the directory is entered before or after the change of user"""
    closed = bundle.rootfs / "closed"
    closed.mkdir(mode=0o700)
    bundle.process |= {"cwd": "/closed", "user": {"uid": 1000, "gid": 1000}}
    result = runtime.run(bundle)
    if result.status == 0:
        assert result.seen.report["cwd"] == "/closed"
    else:
        refused(result, names=["cwd"])


def test_a_user_may_work_in_a_directory_that_only_that_user_can_enter(runtime, bundle):
    """config.md, Process: cwd, user"""
    home = bundle.rootfs / "home/user"
    home.mkdir(mode=0o700)
    os.chown(home, 1000, 1000)
    bundle.process |= {"cwd": "/home/user", "user": {"uid": 1000, "gid": 1000}}
    bundle.capabilities()
    assert runtime.look(bundle).report["cwd"] == "/home/user"
