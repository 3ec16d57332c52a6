"""root: path, readonly, and what is above it (config.md, Root)."""

import os
import shutil

import pytest

from harness import host


def test_the_root_may_be_relative_to_the_bundle_or_absolute(runtime, bundle):
    """config.md, Root: path is either an absolute path or a relative path to the bundle"""
    (bundle.rootfs / "etc/marker").write_text("here")
    for path in ("rootfs", "./rootfs/", str(bundle.rootfs), "../" + bundle.path.name + "/rootfs"):
        bundle.config["root"]["path"] = path
        bundle.probe(["read", "/etc/marker"]).write()
        result = runtime.command("run", "--bundle", bundle.path, runtime.new_id(), cwd="/")
        assert result.ok().seen("read")["content"] == "here", path


def test_the_root_may_have_another_name(runtime, bundle):
    """config.md, Root: the value SHOULD be the conventional rootfs"""
    shutil.move(bundle.rootfs, bundle.path / "else where")
    bundle.config["root"]["path"] = "else where"
    assert runtime.look(bundle).report["cwd"] == "/"


@pytest.mark.parametrize("path", ["no/such/directory", "config.json", "", "/no/such"])
def test_a_root_that_is_no_directory_is_an_error(runtime, bundle, path):
    """config.md, Root: a directory MUST exist at the path declared by the field"""
    bundle.config["root"]["path"] = path
    runtime.refuses(bundle, "root.path")


def test_root_and_its_path_are_required(runtime, bundle):
    """config.md, Root: on all other platforms, this field is REQUIRED"""
    del bundle.config["root"]["path"]
    runtime.refuses(bundle, "root")
    del bundle.config["root"]
    runtime.refuses(bundle, "root")


def test_a_readonly_root_cannot_be_written_but_its_mounts_can(runtime, bundle):
    """config.md, Root: readonly: if true then the root filesystem MUST be read-only inside the container"""
    bundle.config["root"]["readonly"] = True
    bundle.mount("/tmp", "tmpfs", "tmpfs")
    seen = runtime.look(
        bundle, "report", ["create", "/file"], ["create", "/etc/file"], ["create", "/tmp/file"], ["create", "/dev/shm/file"],
        ["write", "/dev/null", "x"], ["chmod", "/etc/passwd", "600"])
    assert "ro" in seen.mount("/").options
    assert seen.error("create", "/file") == seen.error("create", "/etc/file") == seen.error("chmod") == "EROFS"
    assert seen.error("create", "/tmp/file") is seen.error("create", "/dev/shm/file") is seen.error("write") is None
    assert (bundle.rootfs / "etc/passwd").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("value", [False, None])
def test_the_root_is_writable_by_default(runtime, bundle, value):
    """config.md, Root: readonly defaults to false"""
    if value is not None:
        bundle.config["root"]["readonly"] = value
    seen = runtime.look(bundle, "report", ["create", "/file", "text"])
    assert seen.error("create") is None and "rw" in seen.mount("/").options
    assert (bundle.rootfs / "file").read_text() == "text"


def test_a_readonly_root_does_not_change_the_hosts_mount(runtime, bundle):
    """runtime.md, Delete: resources of others stay as they were"""
    host.command("mount", "--bind", bundle.rootfs, bundle.rootfs)
    try:
        bundle.config["root"]["readonly"] = True
        runtime.look(bundle)
        (bundle.rootfs / "still-writable").write_text("")
    finally:
        host.command("umount", "-l", bundle.rootfs)


def test_nothing_of_the_host_is_reachable(runtime, bundle):
    """config.md, Root: the root filesystem for the container"""
    seen = runtime.look(
        bundle, "report", ["lstat", str(runtime.directory)], ["list", "/.."], ["stat", "/.."], ["stat", "/"],
        ["lstat", "/proc/1/root/.."], ["stat", "/proc/1/root"])
    assert seen.error("lstat", runtime.directory) == "ENOENT"
    assert seen("stat", "/..")["ino"] == seen("stat", "/")["ino"] == bundle.rootfs.stat().st_ino
    assert seen("stat", "/proc/1/root")["ino"] == bundle.rootfs.stat().st_ino
    assert not [mount for mount in seen.mounts if str(runtime.directory) in mount.point]
    top = [mount for mount in seen.mounts if mount.point == "/"]
    assert len(top) == 1, "the old root is gone"


def test_what_the_runtime_needs_in_the_root_is_all_that_it_adds(runtime, bundle):
    """config.md, Root: mount points are the only new names"""
    before = {str(path.relative_to(bundle.rootfs)) for path in bundle.rootfs.rglob("*")}
    runtime.look(bundle)
    after = {str(path.relative_to(bundle.rootfs)) for path in bundle.rootfs.rglob("*")}
    assert after == before, after ^ before


def test_the_root_works_on_a_file_system_of_its_own(runtime, bundle):
    """config.md, Root: an engine's overlay"""
    layers = {name: runtime.directory / name for name in ("upper", "work", "merged")}
    for path in layers.values():
        path.mkdir()
    options = f"lowerdir={bundle.rootfs},upperdir={layers['upper']},workdir={layers['work']}"
    try:
        host.command("mount", "-t", "overlay", "-o", options, "overlay", layers["merged"])
    except RuntimeError as error:
        pytest.skip(f"no overlay here: {error}")
    try:
        bundle.config["root"]["path"] = str(layers["merged"])
        seen = runtime.look(bundle, "report", ["create", "/new"])
        assert seen.mount("/").type == "overlay" and seen.error("create") is None
        assert os.listdir(layers["upper"]) == ["new"]
    finally:
        host.command("umount", "-l", layers["merged"])
