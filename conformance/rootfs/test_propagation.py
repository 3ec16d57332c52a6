"""Propagation of mounts, of the root and of single ones (config.md, Linux mount options; config-linux.md)."""

import time

import pytest

from harness import host


def _kind(mount) -> set:
    return {field.split(":")[0] for field in mount.propagation}


@pytest.mark.parametrize("option, expected", [
    ("private", set()), ("rprivate", set()), ("shared", {"shared"}), ("rshared", {"shared"}),
    ("slave", {"master"}), ("rslave", {"master"}), ("unbindable", {"unbindable"}), ("runbindable", {"unbindable"}),
])
def test_a_mount_has_the_propagation_of_its_option(runtime, bundle, tree, option, expected):
    """config.md, Linux mount options: bind mount propagation; r* for the whole tree"""
    tree.on_a_mount_of_its_own("shared").mount_sub()
    host.command("mount", "--make-shared", tree.path / "sub")
    bundle.mount("/mnt", tree.path, "bind", ["rbind", option])
    seen = runtime.look(bundle)
    assert _kind(seen.mount("/mnt")) - ({"master"} if "shared" in expected else set()) == expected
    if option.startswith("r"):
        assert _kind(seen.mount("/mnt/sub")) - ({"master"} if "shared" in expected else set()) == expected


@pytest.mark.parametrize("option, arrives", [("rslave", True), ("rshared", True), ("rprivate", False)])
def test_a_mount_of_the_host_arrives_later_when_the_option_says_so(runtime, bundle, tree, option, arrives):
    """config.md, Linux mount options: slave, shared, private"""
    tree.on_a_mount_of_its_own("shared")
    bundle.mount("/mnt", tree.path, "bind", ["rbind", option])
    bundle.probe("say", ["await", "/mnt/done"], "report")
    container = runtime.start(bundle)
    container.wait_for("say")
    host.command("mount", "-t", "tmpfs", "late", tree.path / "sub")
    (tree.path / "done").write_text("")
    seen = container.wait_for("report")
    assert seen.has_mount("/mnt/sub") == arrives


@pytest.mark.parametrize("option, arrives", [("rshared", True), ("rslave", False), ("rprivate", False)])
def test_a_mount_of_the_container_reaches_the_host_only_when_shared(runtime, bundle, tree, option, arrives):
    """config.md, Linux mount options: shared"""
    tree.on_a_mount_of_its_own("shared")
    bundle.mount("/mnt", tree.path, "bind", ["rbind", option])
    bundle.add_capabilities("CAP_SYS_ADMIN")
    if arrives:  # engines set it along: the runtime may cut the whole tree off otherwise
        bundle.linux["rootfsPropagation"] = "shared"
    bundle.probe(["mount", "inner", "/mnt/sub", "tmpfs", "0", ""], "hold")
    container = runtime.start(bundle)
    assert container.wait_for("hold").error("mount") is None
    assert (str(tree.path / "sub") in host.mounts_below(tree.path)) == arrives


def test_without_an_option_nothing_reaches_the_host(runtime, bundle, tree):
    """the default must be safe: a mount of the container never appears on the host"""
    tree.on_a_mount_of_its_own("shared")
    bundle.mount("/mnt", tree.path, "bind", ["rbind"])
    bundle.add_capabilities("CAP_SYS_ADMIN")
    bundle.probe(["mount", "inner", "/mnt/sub", "tmpfs", "0", ""], "hold")
    container = runtime.start(bundle)
    container.wait_for("hold")
    assert str(tree.path / "sub") not in host.mounts_below(tree.path)


@pytest.mark.parametrize("value, expected", [
    ("private", set()), ("shared", {"shared"}), ("slave", {"master"}), ("unbindable", {"unbindable"}),
    ("rprivate", set()), ("rshared", {"shared"}), ("rslave", {"master"}), ("runbindable", {"unbindable"})])
def test_the_root_has_the_propagation_of_the_configuration(runtime, bundle, tree, value, expected):
    """config-linux.md, Rootfs Mount Propagation; those with an r are what Docker writes"""
    host.command("mount", "--bind", bundle.rootfs, bundle.rootfs)
    host.command("mount", "--make-shared", bundle.rootfs)
    try:
        bundle.linux["rootfsPropagation"] = value
        found = _kind(runtime.look(bundle).mount("/"))
        assert found - ({"master"} if "shared" in value else set()) == expected
    finally:
        host.command("umount", "-l", bundle.rootfs)


def test_a_slave_root_receives_mounts_of_the_host(runtime, bundle):
    """config-linux.md, Rootfs Mount Propagation: slave: events from the host, but not the other way around"""
    host.command("mount", "--bind", bundle.rootfs, bundle.rootfs)
    host.command("mount", "--make-shared", bundle.rootfs)
    try:
        bundle.linux["rootfsPropagation"] = "slave"
        bundle.add_capabilities("CAP_SYS_ADMIN")
        bundle.probe(["mount", "inner", "/home", "tmpfs", "0", ""], "say", ["await", "/tmp/done"], "report")
        container = runtime.start(bundle)
        assert container.wait_for("say").error("mount") is None
        host.command("mount", "-t", "tmpfs", "late", bundle.rootfs / "mnt")
        (bundle.rootfs / "tmp/done").write_text("")
        assert container.wait_for("report").has_mount("/mnt")
        assert str(bundle.rootfs / "home") not in host.mounts_below(bundle.rootfs)
    finally:
        host.command("umount", "-l", bundle.rootfs / "mnt", check=False)
        host.command("umount", "-l", bundle.rootfs)


@pytest.mark.parametrize("value", ["rslave-ish", "none", "SHARED"])
def test_an_unknown_propagation_is_refused(runtime, bundle, value):
    """config-linux.md, Rootfs Mount Propagation: shared, slave, private or unbindable"""
    bundle.linux["rootfsPropagation"] = value
    runtime.refuses(bundle, "rootfsPropagation")


def test_mounting_leaves_no_trace_on_the_host(runtime, bundle, tree):
    """runtime.md, Delete: what create made is gone, also while the container runs nothing of it is on the host"""
    before = host.mounts_below(runtime.directory)
    bundle.mount("/mnt", tree.path, "bind", ["rbind", "rshared"])
    container = runtime.start(bundle.probe("hold"))
    container.wait_for("hold")
    time.sleep(0.05)
    assert host.mounts_below(runtime.directory) == before
