"""What is mounted in a container does not appear on the host.

On most machines every mount is shared (systemd makes it so). A bind mount of a host's directory must not be a peer of
it: what the runtime, or root in the container, mounts below would hide the host's own files."""

import pytest

from harness import host


@pytest.fixture
def shared(runtime, canary):
    """The canary, on a mount that tells others of what is mounted below it; and a look at the mounts from outside."""
    host.command("mount", "--bind", canary.path, canary.path)
    host.command("mount", "--make-shared", canary.path)
    canary.renew()
    yield canary
    host.unmount_below(canary.path)


def _points(canary):
    return host.mounts_below(canary.path)


@pytest.mark.parametrize("options", [["rbind"], ["bind"], ["rbind", "rprivate"], ["rbind", "rslave"]], ids="/".join)
def test_a_mount_below_a_bind_mount_stays_in_the_container(runtime, bundle, shared, options):
    """config.md, Mounts: a second mount inside of a volume; only shared and rshared ask for peers"""
    bundle.mount("/mnt", shared.path, "bind", options)
    bundle.mount("/mnt/empty", "tmpfs", "tmpfs")
    container = runtime.start(bundle.probe("report", "hold"))
    assert container.wait_for("hold").has_mount("/mnt/empty")
    assert _points(shared) == [str(shared.path)]


@pytest.mark.parametrize("options", [["rbind"], ["bind"], ["rbind", "ro"]], ids="/".join)
def test_what_root_mounts_in_a_volume_stays_in_the_container(runtime, bundle, shared, options):
    """a container with CAP_SYS_ADMIN"""
    bundle.mount("/mnt", shared.path, "bind", options)
    bundle.add_capabilities("CAP_SYS_ADMIN")
    container = runtime.start(bundle.probe(["mount", "x", "/mnt/empty", "tmpfs", 0, ""], "report", "hold"))
    seen = container.wait_for("hold")
    assert seen.error("mount") is None and seen.has_mount("/mnt/empty")
    assert _points(shared) == [str(shared.path)]


@pytest.mark.parametrize("key", ["maskedPaths", "readonlyPaths"])
def test_masks_inside_a_volume_stay_in_the_container(runtime, bundle, shared, key):
    """config-linux.md, Masked Paths, Readonly Paths"""
    bundle.mount("/mnt", shared.path, "bind", ["rbind"])
    bundle.linux[key] = ["/mnt/empty", "/mnt/content"]
    container = runtime.start(bundle.probe("report", "hold"))
    assert container.wait_for("hold").has_mount("/mnt/empty")
    assert _points(shared) == [str(shared.path)]


@pytest.mark.parametrize("propagation", [None, "private", "slave", "shared", "unbindable"])
def test_mounts_in_the_root_filesystem_stay_in_the_container(runtime, bundle, propagation):
    """config-linux.md, Rootfs Mount Propagation: of the container's own root, not of where it came from"""
    host.command("mount", "--bind", bundle.rootfs, bundle.rootfs)
    host.command("mount", "--make-shared", bundle.rootfs)
    before = host.mounts_below(bundle.rootfs)
    if propagation:
        bundle.linux["rootfsPropagation"] = propagation
    bundle.add_capabilities("CAP_SYS_ADMIN")
    bundle.mount("/mnt", "tmpfs", "tmpfs")
    container = runtime.start(bundle.probe(["mount", "x", "/home", "tmpfs", 0, ""], "hold"))
    container.wait_for("hold")
    assert host.mounts_below(bundle.rootfs) == before
    container.kill("KILL")
    container.wait().delete("--force")
    assert host.mounts_below(bundle.rootfs) == before
    host.unmount_below(bundle.rootfs)
