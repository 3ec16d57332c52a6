"""Devices and the links of /dev are made in the container (CVE-2026-41579, CVE-2026-47766).

An image decides what /dev is unless the configuration mounts something there: a link to a directory of the host, for
example, in which the runtime would replace ptmx and make devices."""

import os

import pytest

from security.support import LINKS

DEVICE = {"path": "/dev/lp/made", "type": "c", "major": 1, "minor": 5, "fileMode": 0o600, "uid": 7, "gid": 7}


@pytest.fixture
def bare(bundle, canary):
    """No mounts at /dev; the canary looks like one."""
    for name in ("/dev/mqueue", "/dev/shm", "/dev/pts", "/dev"):
        bundle.without_mount(name)
    os.mknod(canary.path / "ptmx", 0o020666, os.makedev(5, 2))
    os.mknod(canary.path / "null", 0o020666, os.makedev(1, 3))
    canary.renew()
    return bundle


@pytest.mark.parametrize("how", LINKS)
@pytest.mark.parametrize("command", ["create", "run"])
def test_a_link_in_the_place_of_dev_leads_nowhere(runtime, bare, canary, how, command):
    """rootfs/dev -> a directory of the host"""
    canary.link(bare.rootfs / "dev", how)
    if command == "create":
        runtime.try_create(bare)
    else:
        runtime.run(bare.probe("report"))
    canary.check()


@pytest.mark.parametrize("how", LINKS)
def test_a_link_in_the_place_of_a_default_device_leads_nowhere(runtime, bare, canary, how):
    """rootfs/dev/null -> a file of the host, rootfs/dev/ptmx, rootfs/dev/zero -> a name that is not there yet"""
    for name, below in (("null", "content"), ("zero", "new"), ("ptmx", "ptmx"), ("fd", "empty"), ("stdin", "new2")):
        canary.link(bare.rootfs / "dev" / name, how, below)
    runtime.try_create(bare)
    canary.check()


@pytest.mark.parametrize("how", LINKS)
@pytest.mark.parametrize("user_namespace", [False, True])
def test_a_link_on_the_way_to_a_configured_device_leads_nowhere(runtime, bundle, canary, how, user_namespace):
    """linux.devices: the directory of a device is a link; in a user namespace it would be a bind mount"""
    if user_namespace:
        bundle.user_namespace()
        os.chmod(canary.path, 0o777)
        canary.renew()
    (bundle.rootfs / "devices").mkdir()
    canary.link(bundle.rootfs / "devices/lp", how)
    bundle.linux["devices"] = [DEVICE | {"path": "/devices/lp/made"}]
    runtime.try_create(bundle)
    canary.check()


@pytest.mark.parametrize("how", LINKS)
def test_a_link_in_the_place_of_a_configured_device_leads_nowhere(runtime, bundle, canary, how):
    """linux.devices: the device itself is a link; its owner and mode are not given to the file it leads to"""
    (bundle.rootfs / "devices").mkdir()
    canary.link(bundle.rootfs / "devices/made", how, "content")
    bundle.linux["devices"] = [DEVICE | {"path": "/devices/made"}]
    runtime.try_create(bundle)
    canary.check()


@pytest.mark.parametrize("path", ["/devices/../../../../../../../../../..{canary}/made", "/../../../../../..{canary}/made"])
def test_a_device_is_not_made_above_the_root_filesystem(runtime, bundle, canary, path):
    """linux.devices: a path with `..`"""
    bundle.linux["devices"] = [DEVICE | {"path": path.format(canary=canary.path)}]
    runtime.try_create(bundle)
    canary.check()


@pytest.mark.parametrize("destination", ["/data", "/dev/", "/dev/.", "//dev", "/data/../dev"])
def test_a_directory_of_the_host_that_is_mounted_over_dev_stays_as_it_is(runtime, bare, canary, destination):
    """config-linux.md, Default Devices: whoever binds a directory over /dev has furnished it, whatever the way there:
    the image has a link /data -> /dev"""
    (bare.rootfs / "data").symlink_to("dev")
    bare.mount(destination, canary.path, "bind", ["rbind", "rw"])
    runtime.try_create(bare)
    canary.check()
