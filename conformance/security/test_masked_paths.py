"""What is masked is covered by the null device of the host, or by an empty directory (CVE-2025-31133)."""

import os

import pytest

from security.support import LINKS, RACES, race


@pytest.fixture
def bare(bundle):
    """No mounts at /dev: the image's own is there."""
    for name in ("/dev/mqueue", "/dev/shm", "/dev/pts", "/dev"):
        bundle.without_mount(name)
    return bundle


def _is_null(status) -> bool:
    return (status.get("type"), status.get("major"), status.get("minor")) == ("character", 1, 3)


@pytest.mark.parametrize("what", ["link", "file", "directory", "zero", "fifo", "relative", "upwards"])
@pytest.mark.parametrize("path", ["/secret", "/proc/keys"])
def test_an_image_cannot_bring_another_null_device(runtime, bare, canary, what, path):
    """rootfs/dev/null is a link to a file of the host (harmless here; /proc/sys/kernel/core_pattern in the attack),
    or another file"""
    null = bare.rootfs / "dev/null"
    if what in ("link", "relative", "upwards"):
        canary.link(null, "absolute" if what == "link" else what, "content")
    elif what == "directory":
        null.mkdir()
    elif what == "zero":
        os.mknod(null, 0o020666, os.makedev(1, 5))
    elif what == "fifo":
        os.mkfifo(null)
    else:
        null.write_text("false null")
    (bare.rootfs / "secret").write_text("hidden")
    bare.linux["maskedPaths"] = [path]
    result = runtime.run(bare.probe(["stat", path], ["read", path, 100], ["write", path, "written"]))
    canary.check()
    if result.status == 0:
        assert _is_null(result.seen("stat")), "the masked path shows something else"
        assert result.seen("read")["content"] == ""


def test_a_null_device_that_is_swapped_meanwhile_masks_all_the_same(runtime, bundle, canary, attacker, volume):
    """/dev is a directory of a volume, in which another container swaps null for a link"""
    os.mknod(volume / "null", 0o020666, os.makedev(1, 3))
    canary.link(volume / "other", "upwards", "content")
    for name in ("/dev/mqueue", "/dev/shm", "/dev/pts", "/dev"):
        bundle.without_mount(name)
    bundle.mount("/dev", volume, "bind", ["rbind"])
    (bundle.rootfs / "secret").write_text("hidden")
    bundle.linux["maskedPaths"] = ["/secret", "/proc/keys"]
    bundle.probe(["stat", "/secret"], ["stat", "/proc/keys"], ["write", "/secret", "written"])
    attacker.exchange(volume / "null", volume / "other")
    for result in race(runtime, bundle):
        if result.status == 0:
            assert all(_is_null(status) for status in result.seen.all("stat")), result.stdout
    canary.check()


@pytest.mark.parametrize("key", ["maskedPaths", "readonlyPaths"])
@pytest.mark.parametrize("how", LINKS)
@pytest.mark.parametrize("below", ["", "content"])
def test_a_link_in_the_place_of_a_masked_path_leads_nowhere(runtime, bundle, canary, key, how, below):
    """the image has links to the host where the configuration masks"""
    canary.link(bundle.rootfs / "secret", how, below)
    bundle.linux[key] = ["/secret", "/proc/keys"]
    container = runtime.try_create(bundle)
    canary.check()
    if container.created.status == 0:
        assert not [path for path in _mounts_of_the_host() if str(canary.path) in path]


def _mounts_of_the_host() -> list[str]:
    with open("/proc/self/mountinfo") as table:
        return [line.split()[4] for line in table]


@pytest.mark.parametrize("key", ["maskedPaths", "readonlyPaths"])
def test_a_masked_path_with_two_dots_stays_inside(runtime, bundle, canary, key):
    """absolute paths in the container namespace"""
    bundle.linux[key] = [f"/../../../../../../../..{canary.path}/content", f"/proc/../../../..{canary.path}"]
    runtime.try_create(bundle)
    canary.check()


def test_a_masked_path_that_is_swapped_for_a_link_masks_nothing_of_the_host(
        runtime, bundle, canary, attacker, volume):
    """a masked directory of a shared volume"""
    (volume / "secret").mkdir()
    canary.link(volume / "link", "upwards", "empty")
    bundle.linux |= {"maskedPaths": ["/v/secret"], "readonlyPaths": ["/v/secret"]}
    attacker.exchange(volume / "secret", volume / "link")
    for _ in race(runtime, bundle, RACES // 2, start=False):
        pass
    canary.check()
