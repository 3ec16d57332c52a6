"""Mounts land inside of the root filesystem, whatever links an image has there, and however fast they change
(CVE-2021-30465, CVE-2024-45310, CVE-2019-18837)."""

import os
import time

import pytest

from harness import host
from security.support import LINKS, RACES, race

BIND, TMPFS, FILE = "bind", "tmpfs", "file"


def _add(runtime, bundle, kind, destination):
    """A mount, with something in it that tells it apart."""
    source = runtime.directory / "source"
    if not source.exists():
        source.mkdir()
        (source / "mounted").write_text("here")
    if kind == TMPFS:
        bundle.mount(destination, "tmpfs", "tmpfs")
    else:
        bundle.mount(destination, source if kind == BIND else source / "mounted", "bind", ["rbind"])


def _mounted_at(seen) -> list[str]:
    known = {"/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/v"}
    return [mount.point for mount in seen.mounts if mount.point not in known]


def _inside(canary) -> list[str]:
    """Where links to the canary lead to in a root filesystem: a relative one cannot go above its top."""
    return [str(canary.path), f"/{canary.path.name}"]


@pytest.mark.parametrize("kind", [BIND, TMPFS, FILE])
@pytest.mark.parametrize("how", LINKS)
@pytest.mark.parametrize("rest", ["", "/deeper", "/deeper/and/deeper"])
def test_a_link_on_the_way_to_a_mount_point_stays_inside(runtime, bundle, canary, kind, how, rest):
    """a destination, or a directory above it, is a link to a directory of the host"""
    canary.link(bundle.rootfs / "data", how)
    _add(runtime, bundle, kind, f"/data{rest}")
    result = runtime.run(bundle.probe("report", ["list", "/data"], ["stat", "/"]))
    canary.check()
    if result.status == 0:
        assert _mounted_at(result.seen)[0] in [place + rest for place in _inside(canary)]
        assert "content" not in result.seen("list").get("entries", [])


@pytest.mark.parametrize("kind", [BIND, TMPFS, FILE])
@pytest.mark.parametrize("how", LINKS)
def test_a_dangling_link_makes_nothing_on_the_host(runtime, bundle, canary, kind, how):
    """the link leads to a name that exists neither on the host nor in the root filesystem"""
    canary.link(bundle.rootfs / "data", how, "new/name")
    _add(runtime, bundle, kind, "/data")
    runtime.try_create(bundle)
    canary.check()


@pytest.mark.parametrize("kind", [BIND, TMPFS, FILE])
def test_links_that_go_round_in_circles_are_an_error(runtime, bundle, kind):
    """an error, in finite time"""
    (bundle.rootfs / "one").symlink_to("two")
    (bundle.rootfs / "two").symlink_to("/one")
    _add(runtime, bundle, kind, "/one/below")
    began = time.monotonic()
    runtime.refuses(bundle, "mounts[6]")
    assert time.monotonic() - began < host.timeout(5)


@pytest.mark.parametrize("kind", [BIND, TMPFS, FILE])
@pytest.mark.parametrize("destination", [
    "/../../../../../../../../../../../..{canary}/made", "/data/../../../../../../../../..{canary}/made",
    "../../../../../../../../../../../../../..{canary}/made", "/new/../../../../../../../../../../..{canary}/made"])
def test_a_destination_with_two_dots_stays_inside(runtime, bundle, canary, kind, destination):
    """config.md, Mounts: Destination of mount point: path inside container"""
    (bundle.rootfs / "data").mkdir()
    _add(runtime, bundle, kind, destination.format(canary=canary.path))
    result = runtime.run(bundle.probe("report"))
    canary.check()
    if result.status == 0:
        assert _mounted_at(result.seen) == [f"{canary.path}/made"]


@pytest.mark.parametrize("how", LINKS)
def test_every_default_mount_point_may_be_a_link(runtime, bundle, canary, how):
    """CVE-2019-18837: each destination of the configuration in turn"""
    for mount in list(bundle.config["mounts"]):
        place = bundle.rootfs / mount["destination"].lstrip("/")
        if not place.parent.is_dir():
            continue
        canary.link(place, how)
        runtime.try_create(bundle)
        place.unlink()
        place.mkdir()
        canary.check()


@pytest.fixture
def own_filesystem(runtime):
    """Mounts a new filesystem of the host at a path."""
    yield lambda path: host.command("mount", "-t", "tmpfs", "host", path)
    host.unmount_below(runtime.directory)


@pytest.mark.parametrize("flags", ["remount,ro", "remount,bind,ro"])
@pytest.mark.parametrize("target", ["/", "/v"])
def test_a_remount_through_a_link_changes_no_filesystem_of_the_host(
        runtime, bundle, canary, own_filesystem, flags, target):
    """a destination that is mounted and remounted; the image has a link there, which leads to another mount: to the
    root filesystem, or to a volume, whose filesystem is the host's"""
    own_filesystem(canary.path)
    bundle.mount("/v", canary.path, "bind", ["rbind"])
    rootfs = runtime.directory / "rootfs"
    rootfs.mkdir()
    own_filesystem(rootfs)
    host.command("cp", "-a", f"{bundle.rootfs}/.", rootfs)
    bundle.config["root"]["path"] = str(rootfs)
    (rootfs / "data").symlink_to(target)
    bundle.mount("/data", "tmpfs", "tmpfs")
    bundle.mount("/data", "tmpfs", "tmpfs", flags.split(","))
    runtime.try_create(bundle)
    for path in (canary.path, rootfs):
        assert not os.statvfs(path).f_flag & os.ST_RDONLY, f"the filesystem at {path} is read-only now"
        (path / "still-writable").write_text("")


@pytest.mark.parametrize("kind", [BIND, TMPFS, FILE])
@pytest.mark.parametrize("how", LINKS)
def test_a_mount_point_that_is_swapped_for_a_link_stays_inside(runtime, bundle, canary, attacker, volume, kind, how):
    """CVE-2021-30465: another container swaps a directory of a shared volume for a link while this one is made"""
    target = volume / "target"
    if kind == FILE:
        target.write_text("")
    else:
        target.mkdir()
    canary.link(volume / "link", how, "content" if kind == FILE else "")
    _add(runtime, bundle, kind, "/v/target")
    bundle.probe("report", ["list", "/v/target"], ["read", "/v/target"], ["read", "/v/target/content"])
    attacker.exchange(target, volume / "link")
    for result in race(runtime, bundle, max(2, RACES // len(LINKS))):
        assert "of the host" not in result.stdout
        if result.status == 0:
            assert all(point.startswith(("/v/", *_inside(canary))) for point in _mounted_at(result.seen))
    canary.check()


@pytest.mark.parametrize("how", LINKS)
def test_mount_points_are_not_made_through_a_link_that_appears_meanwhile(
        runtime, bundle, canary, attacker, volume, how):
    """CVE-2024-45310: directories on the way are made; one of them is swapped for a link to the host"""
    (volume / "dir").mkdir()
    canary.link(volume / "link", how)
    (volume / "empty").mkdir()
    _add(runtime, bundle, TMPFS, "/v/dir/a/b/c")
    _add(runtime, bundle, FILE, "/v/dir/x/y/z")
    attacker.exchange(volume / "dir", volume / "link", volume / "empty", volume / "dir")
    for _ in race(runtime, bundle, max(2, RACES // len(LINKS)), start=False):
        pass
    canary.check()


def test_directories_that_move_while_a_mount_point_is_looked_up_stay_inside(
        runtime, bundle, canary, attacker, volume):
    """`..` after a directory that is moved out of the volume meanwhile"""
    (volume / "a/b/c").mkdir(parents=True)
    (runtime.directory / "elsewhere").mkdir()
    (volume / "link").symlink_to("a/b/c/../../../../../canary")
    _add(runtime, bundle, TMPFS, "/v/link/made")
    _add(runtime, bundle, TMPFS, "/v/a/b/c/../../../../canary/made")
    attacker.exchange(volume / "a/b", runtime.directory / "elsewhere")
    for _ in race(runtime, bundle, start=False):
        pass
    canary.check()
